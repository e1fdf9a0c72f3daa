/** The settings of a case as the real Cerbos takes them. */
import type { CerbosSettings } from "../support/cerbos.ts";
import type { CaseEngine } from "../support/cases.ts";

/** Error modes become `engine.strictEvaluation`; fail-closed has no counterpart and is compared with nothing. */
export function cerbosSettings(engine: CaseEngine = {}): CerbosSettings {
  const { onError = "compatible", schemaEnforcement = "none", ...others } = engine;
  return {
    engine: { ...others, strictEvaluation: onError === "strict" },
    schema: { enforcement: schemaEnforcement },
  };
}
