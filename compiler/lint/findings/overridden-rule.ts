/**
 * A rule that another rule of its policy leaves nothing to decide: an ALLOW where an unconditional DENY covers it, or a rule
 * with an unconditional one of the same effect that covers it. Rules with outputs always do something.
 */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { PrincipalRule, ResourceRule } from "../../policy/policy-set.ts";
import { patternCovers, patternsCover, rolesCover } from "../coverage.ts";
import type { AnyRule, Review } from "../review.ts";

export function overriddenRule({ set }: Review): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const { rules, scopePermissions } of set.resourcePolicies) {
    // Where parents must consent, an ALLOW with a condition restricts what one without does not.
    const comparable = rules.filter(
      (rule) => scopePermissions === "override-parent" || rule.effect === "deny",
    );
    found.push(
      ...overridden(comparable, (outer, inner) => {
        return patternsCover(outer.actions, inner.actions) && rolesCover(outer, inner);
      }),
    );
  }
  for (const { resources, scopePermissions } of set.principalPolicies) {
    for (const { rules } of resources) {
      const comparable = rules.filter(
        (rule) => scopePermissions === "override-parent" || rule.effect === "deny",
      );
      found.push(...overridden(comparable, (outer, inner) => patternCovers(outer.action, inner.action)));
    }
  }
  return found;
}

type Rule = Omit<AnyRule, "policy"> & Pick<ResourceRule | PrincipalRule, "place">;

function overridden<R extends Rule>(
  rules: readonly R[],
  covers: (outer: R, inner: R) => boolean,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const [index, rule] of rules.entries()) {
    if (rule.outputs.ruleActivated !== undefined || rule.outputs.conditionNotMet !== undefined) continue;
    const stronger = rules.find((other, at) => {
      if (other === rule || other.condition !== undefined || !covers(other, rule)) return false;
      if (other.effect !== rule.effect) return other.effect === "deny";
      // Of two rules that cover each other the first one stays.
      return rule.condition !== undefined || at < index || !covers(rule, other);
    });
    if (stronger === undefined) continue;
    const code = stronger.effect === rule.effect ? "EDICT7003" : "EDICT7002";
    found.push(diagnose(code, { rule: rule.name, other: stronger.name }, rule.place));
  }
  return found;
}
