/** A derivedRoles policy defines each role once. */
import type { Definition } from "../registry.ts";
import { reportRepeatedNames } from "../repeated-names.ts";

export function duplicateDerivedRole({ message, reader }: Definition): void {
  reportRepeatedNames("EDICT2104", "name", message.derivedRoles?.definitions ?? [], reader);
}
