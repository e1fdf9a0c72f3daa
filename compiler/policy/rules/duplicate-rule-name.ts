/** Names given to rules of one resource policy are different: outputs are told apart by them. */
import type { Definition } from "../registry.ts";
import { reportRepeatedNames } from "../repeated-names.ts";

export function duplicateRuleName({ message, reader }: Definition): void {
  reportRepeatedNames("EDICT2102", "name", message.resourcePolicy?.rules ?? [], reader);
}
