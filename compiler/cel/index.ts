/**
 * Stage 3: CEL text to typed expressions.
 *
 * Input: the checked policy set of stage 2.
 * Output: the typed expression of every CEL source in it, by the source's identity. Equal texts share one expression.
 * Fails with: EDICT3xxx, every problem of every expression; a source with problems has no expression.
 */
import type { PolicySet } from "../policy/policy-set.ts";
import { SetChecker, type Checked } from "./set-checker.ts";

export type { Checked } from "./set-checker.ts";

/** Checks every expression that can decide anything, and every variable of the policies that hold one. */
export function check(set: PolicySet): Checked {
  const checker = new SetChecker();
  for (const policy of set.resourcePolicies) {
    checker.names(policy.names);
    for (const rule of policy.rules) {
      checker.match(rule.condition);
      checker.outputs(rule.outputs);
      for (const role of rule.derivedRoles) checker.derivedRole(role);
    }
  }
  for (const policy of set.principalPolicies) {
    checker.names(policy.names);
    for (const { rules } of policy.resources) {
      for (const rule of rules) {
        checker.match(rule.condition);
        checker.outputs(rule.outputs);
      }
    }
  }
  for (const policy of set.rolePolicies) {
    checker.names(policy.names);
    for (const rule of policy.rules) {
      checker.match(rule.condition);
      checker.outputs(rule.outputs);
    }
  }
  return checker.result();
}
