/** A derived role that a rule names is defined in only one of the policy's imports. */
import type { Text } from "../decode/field.ts";
import type { Reader } from "../decode/spot.ts";

/** @param origins names of the imports that define the role */
export function ambiguousDerivedRole(role: Text, origins: readonly string[], reader: Reader): void {
  if (origins.length > 1) {
    const imports = origins.map((origin) => `\`${origin}\``).join(", ");
    reader.atKey("EDICT2306", { name: role.value, imports }, role.spot);
  }
}
