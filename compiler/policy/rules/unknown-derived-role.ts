/** A derived role that a rule names is defined in one of the policy's imports. */
import type { Text } from "../decode/field.ts";
import type { Reader } from "../decode/spot.ts";

/** @param origins names of the imports that define the role */
export function unknownDerivedRole(role: Text, origins: readonly string[], reader: Reader): void {
  if (origins.length === 0) {
    reader.atKey("EDICT2305", { name: role.value }, role.spot);
  }
}
