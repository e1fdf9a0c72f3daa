/**
 * A derived role that no rule names. One that only feeds `runtime.effectiveDerivedRoles` is used, too: importing its
 * policy is enough there.
 */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { keyPlace } from "../../policy/decode/spot.ts";
import { nodesOf, type Review } from "../review.ts";

export function unusedDerivedRole(review: Review): readonly Diagnostic[] {
  if (readsEffectiveRoles(review)) return [];
  const used = new Set<string>();
  for (const { rules } of review.set.resourcePolicies) {
    for (const { derivedRoles } of rules) {
      for (const { origin, name } of derivedRoles) used.add(JSON.stringify([origin, name]));
    }
  }
  const found: Diagnostic[] = [];
  for (const { kind, name: origin, message, reader } of review.definitions) {
    if (kind !== "derived_roles") continue;
    for (const { name, spot } of message.derivedRoles?.definitions ?? []) {
      if (name === undefined || used.has(JSON.stringify([origin, name.value]))) continue;
      found.push(diagnose("EDICT7006", { name: name.value }, keyPlace(reader.document, spot)));
    }
  }
  return found;
}

function readsEffectiveRoles({ expressions }: Review): boolean {
  for (const expr of expressions.values()) {
    for (const node of nodesOf(expr)) {
      if (node.kind === "input" && (node.input === "runtime" || node.input.startsWith("runtime.")))
        return true;
    }
  }
  return false;
}
