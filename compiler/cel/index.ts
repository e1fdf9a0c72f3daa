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
  const resources = cache.unvisited(set, "resourcePolicies");
  const principals = cache.unvisited(set, "principalPolicies");
  const roles = cache.unvisited(set, "rolePolicies");
  for (const policy of resources) {
    checker.names(policy.names);
    for (const rule of policy.rules) {
      checker.match(rule.condition);
      checker.outputs(rule.outputs);
      for (const role of rule.derivedRoles) checker.derivedRole(role);
    }
  }
  for (const policy of principals) {
    checker.names(policy.names);
    for (const { rules } of policy.resources) {
      for (const rule of rules) {
        checker.match(rule.condition);
        checker.outputs(rule.outputs);
      }
    }
  }
  for (const policy of roles) {
    checker.names(policy.names);
    for (const rule of policy.rules) {
      checker.match(rule.condition);
      checker.outputs(rule.outputs);
    }
  }
  const checked = checker.result();
  const visited = [...resources, ...principals, ...roles];
  const all = set.resourcePolicies.length + set.principalPolicies.length + set.rolePolicies.length;
  const isClean = checked.diagnostics.length === 0 && !checker.hasWholes;
  cache.end(set, visited, isClean);
  // What was skipped may have a part in what was found.
  return isClean || visited.length === all ? checked : check(set, cache);
}
