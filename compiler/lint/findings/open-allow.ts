/** An unconditional ALLOW of every action to every role. */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { Review } from "../review.ts";

export function openAllow({ set }: Review): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const { rules } of set.resourcePolicies) {
    for (const { effect, actions, roles, condition, name, place } of rules) {
      const open = effect === "allow" && condition === undefined;
      if (open && actions.includes("*") && roles.includes("*")) {
        found.push(diagnose("EDICT7001", { rule: name }, place));
      }
    }
  }
  return found;
}
