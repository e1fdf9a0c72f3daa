/** A principal policy has one entry for each resource, as written. */
import type { Definition } from "../registry.ts";
import { reportRepeatedNames } from "../repeated-names.ts";

export function duplicateResourceEntry({ message, reader }: Definition): void {
  const entries = (message.principalPolicy?.rules ?? []).map(({ spot, resource }) => ({
    spot,
    name: resource,
  }));
  reportRepeatedNames("EDICT2103", "resource", entries, reader);
}
