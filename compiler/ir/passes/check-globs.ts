/** Every name pattern of the policy set must be a glob the guest can match. */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic, Place } from "../../diagnostics/diagnostic.ts";
import type { PolicySet } from "../../policy/policy-set.ts";
import { SeenPolicies } from "../../policy/seen-policies.ts";
import { MAX_ALTERNATIVES, isGlob, parseGlob } from "../glob.ts";

/**
 * Reports malformed globs: a pattern that silently matched nothing could turn a DENY off.
 * @param sound policies without problems, kept by a caller that checks again
 */
export function checkGlobs(set: PolicySet, sound = new SeenPolicies()): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const good = new Set<string>();
  const visit = (policy: object, look: () => void): void => {
    const before = diagnostics.length;
    look();
    if (diagnostics.length === before) sound.add(policy);
  };
  const check = (patterns: readonly string[], place: Place, always = false): void => {
    for (const pattern of patterns) {
      if (good.has(pattern) || (!always && !isGlob(pattern))) continue;
      if (parseGlob(pattern) === undefined) {
        diagnostics.push(diagnose("EDICT4001", { pattern, limit: MAX_ALTERNATIVES }, place));
      } else if (!always) good.add(pattern);
    }
  };
  for (const policy of sound.unseen(set, "resourcePolicies")) {
    visit(policy, () => {
      for (const rule of policy.rules) {
        check([...rule.actions, ...rule.roles], rule.place);
        for (const role of rule.derivedRoles) check(role.parentRoles, role.place);
      }
    });
  }
  for (const policy of sound.unseen(set, "principalPolicies")) {
    visit(policy, () => {
      for (const entry of policy.resources) {
        for (const rule of entry.rules) check([entry.resource, rule.action], rule.place);
      }
    });
  }
  for (const policy of sound.unseen(set, "rolePolicies")) {
    visit(policy, () => {
      for (const rule of policy.rules) {
        check([rule.resource], rule.place);
        check(rule.allowActions, rule.place, true);
      }
    });
  }
  if (diagnostics.length === 0) sound.settle(set);
  return diagnostics;
}
