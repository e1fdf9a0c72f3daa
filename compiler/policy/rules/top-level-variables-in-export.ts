/** The deprecated top-level `variables` do not go with a policy that exports variables or constants. */
import type { Definition } from "../registry.ts";

export function topLevelVariablesInExport({ kind, message, reader }: Definition): void {
  const exported = kind === "export_variables" || kind === "export_constants";
  const first = message.variables?.[0];
  if (exported && first?.spot.parent !== undefined) {
    const policy = kind === "export_variables" ? "an exportVariables policy" : "an exportConstants policy";
    reader.atKey("EDICT2105", { kind: policy }, first.spot.parent);
  }
}
