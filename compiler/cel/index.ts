/**
 * Stage 3: CEL text to typed expressions.
 *
 * Input: the checked policy set of stage 2.
 * Output: the typed expression of every CEL source in it, by the source's identity. Equal texts share one expression.
 * Fails with: EDICT3xxx, every problem of every expression; a source with problems has no expression.
 */
import type { PolicySet } from "../policy/policy-set.ts";
import { CheckCache } from "./check-cache.ts";
import { SetChecker, type Checked } from "./set-checker.ts";

export type { Checked } from "./set-checker.ts";

/**
 * Checks every expression that can decide anything, and every variable of the policies that hold one.
 * @param cache kept by a caller that checks again after edits; changes nothing but the time it takes
 */
export function check(set: PolicySet, cache = new CheckCache()): Checked {
  cache.begin();
  const checker = new SetChecker(cache);
  const isNew = (policy: object): boolean => !cache.isVisited(policy);
  for (const policy of set.resourcePolicies.filter(isNew)) {
    checker.names(policy.names);
    for (const rule of policy.rules) {
      checker.match(rule.condition);
      checker.outputs(rule.outputs);
      for (const role of rule.derivedRoles) checker.derivedRole(role);
    }
  }
  for (const policy of set.principalPolicies.filter(isNew)) {
    checker.names(policy.names);
    for (const { rules } of policy.resources) {
      for (const rule of rules) {
        checker.match(rule.condition);
        checker.outputs(rule.outputs);
      }
    }
  }
  for (const policy of set.rolePolicies.filter(isNew)) {
    checker.names(policy.names);
    for (const rule of policy.rules) {
      checker.match(rule.condition);
      checker.outputs(rule.outputs);
    }
  }
  const checked = checker.result();
  const policies = [set.resourcePolicies, set.principalPolicies, set.rolePolicies].flat();
  const visited = policies.filter(isNew);
  const isClean = checked.diagnostics.length === 0 && !checker.hasWholes;
  cache.end(visited, isClean);
  // What was skipped may have a part in what was found.
  return isClean || visited.length === policies.length ? checked : check(set, cache);
}
