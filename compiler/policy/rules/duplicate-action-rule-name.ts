/** Names given to action rules of one resource entry of a principal policy are different. */
import type { Definition } from "../registry.ts";
import { reportRepeatedNames } from "../repeated-names.ts";

export function duplicateActionRuleName({ message, reader }: Definition): void {
  for (const entry of message.principalPolicy?.rules ?? []) {
    reportRepeatedNames("EDICT2102", "name", entry.actions ?? [], reader);
  }
}
