/** A role policy should say its version; the default is deprecated (a warning). */
import type { Definition } from "../registry.ts";

export function rolePolicyVersion({ message, spot, reader }: Definition): void {
  if (message.rolePolicy !== undefined && (message.rolePolicy.version?.value ?? "") === "") {
    reader.atKey("EDICT2108", {}, spot);
  }
}
