/**
 * A DENY whose condition fails where an attribute is missing. Failing closed it then denies, which surprises; elsewhere it
 * does not deny, which is worse. Attributes that are tested in the same condition, or required by the policy's schema,
 * are fine.
 */
import { placeOf } from "../../cel/source-place.ts";
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { CelSource, Match, ResourcePolicy } from "../../policy/policy-set.ts";
import { attributeOf, testedAttribute } from "../attributes.ts";
import { nodesOf, type Review, sourcesOf } from "../review.ts";
import { objectSchema } from "../schemas.ts";

export function fallibleDeny(review: Review): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const policy of review.set.resourcePolicies) {
    const required = requiredBy(policy, review);
    for (const { effect, condition, name } of policy.rules) {
      if (effect === "deny") found.push(...judge(name, condition, required, review));
    }
  }
  for (const { resources } of review.set.principalPolicies) {
    for (const { rules } of resources) {
      for (const { effect, condition, name } of rules) {
        if (effect === "deny") found.push(...judge(name, condition, new Set(), review));
      }
    }
  }
  return found;
}

function requiredBy(policy: ResourcePolicy, { set }: Review): ReadonlySet<string> {
  const required = new Set<string>();
  for (const name of objectSchema(policy.principalSchema, set.schemas)?.required ?? [])
    required.add(`P.attr.${name}`);
  for (const name of objectSchema(policy.resourceSchema, set.schemas)?.required ?? [])
    required.add(`R.attr.${name}`);
  return required;
}

function judge(
  rule: string,
  condition: Match | undefined,
  required: ReadonlySet<string>,
  { expressions }: Review,
): Diagnostic[] {
  const safe = new Set(required);
  const found = new Map<string, Diagnostic>();
  const visited = new Set<CelSource>();
  const visit = (source: CelSource): void => {
    const expr = expressions.get(source);
    if (expr === undefined || visited.has(source)) return;
    visited.add(source);
    for (const node of nodesOf(expr)) {
      const tested = testedAttribute(node);
      if (tested !== undefined) safe.add(`${tested.subject}.attr.${tested.name}`);
      const read = attributeOf(node);
      const attribute = read === undefined ? "" : `${read.subject}.attr.${read.name}`;
      if (read !== undefined && !found.has(attribute)) {
        const { place, length } = placeOf(source, node.span);
        found.set(attribute, diagnose("EDICT7013", { rule, attribute }, place, length));
      }
      const variable = node.kind === "variable" ? source.names.variables.get(node.name) : undefined;
      if (variable !== undefined) visit(variable);
    }
  };
  for (const source of sourcesOf(condition)) visit(source);
  return [...found].filter(([attribute]) => !safe.has(attribute)).map(([, diagnostic]) => diagnostic);
}
