/**
 * Stage 4: checked policies to the decision program.
 *
 * Input: a PolicySet and the typed expression of each of its CEL sources.
 * Output: a Program: rule tables and one shared graph of conditions.
 * Fails with: nothing; it must be called only for sets in which no earlier stage found an error.
 */
import type { CelExpr } from "../cel/expression.ts";
import type {
  CelSource,
  DerivedRole,
  Match,
  Names,
  Outputs,
  PolicySet,
  PrincipalPolicy,
  ResourcePolicy,
  RolePolicy,
} from "../policy/policy-set.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import type { Place } from "../diagnostics/diagnostic.ts";
import { sanitiseName } from "../policy/names.ts";
import { Attributes } from "./attributes.ts";
import { isGlob } from "./glob.ts";
import { Graph } from "./graph.ts";
import { ExpressionLowering } from "./lower-expression.ts";
import {
  NONE,
  type ConditionId,
  type DerivedRoleInfo,
  type ExprId,
  type Leaf,
  type OutputIds,
  type PrincipalBlock,
  type Program,
  type ResourceBlock,
  type ResourceRow,
  type RoleBlock,
  type RuleInfo,
} from "./program.ts";
import { SchemaSets } from "./schema-sets.ts";

/** Lowers a whole policy set. Blocks come out in the set's order, which is sorted by policy key. */
export function lower(
  set: PolicySet,
  expressions: ReadonlyMap<CelSource, CelExpr>,
  used: ReadonlyMap<Names, UsedNames>,
): Program {
  const lowering = new Lowering(expressions, used);
  const roots = new Map<string, ResourcePolicy>();
  for (const policy of set.resourcePolicies) {
    if (policy.scope === "") roots.set(JSON.stringify([policy.resource, policy.version]), policy);
  }
  const resources = set.resourcePolicies.map((policy) => {
    // The schemas of child scopes are ignored (COMPAT.md section 4).
    const root = roots.get(JSON.stringify([policy.resource, policy.version]));
    return lowering.resource(policy, root ?? policy);
  });
  const principals = set.principalPolicies.map((policy) => lowering.principal(policy));
  const roles = set.rolePolicies.map((policy) => lowering.role(policy));
  return lowering.program(resources, principals, roles);
}

class Lowering {
  readonly #graph = new Graph();
  readonly #attributes = new Attributes();
  readonly #expressions: ExpressionLowering;
  readonly #rules: RuleInfo[] = [];
  readonly #derivedRoles: DerivedRoleInfo[] = [];
  readonly #derivedRoleIds = new Map<DerivedRole, number>();
  readonly #schemas = new SchemaSets();

  constructor(expressions: ReadonlyMap<CelSource, CelExpr>, used: ReadonlyMap<Names, UsedNames>) {
    this.#expressions = new ExpressionLowering(this.#graph, this.#attributes, expressions, used);
  }

  program(
    resources: readonly ResourceBlock[],
    principals: readonly PrincipalBlock[],
    roles: readonly RoleBlock[],
  ): Program {
    return {
      expressions: this.#graph.expressions,
      conditions: this.#graph.conditions,
      attributes: this.#attributes.list,
      derivedRoles: this.#derivedRoles,
      resources,
      principals,
      roles,
      rules: this.#rules,
      schemaSets: this.#schemas.list,
    };
  }

  resource(policy: ResourcePolicy, root: ResourcePolicy): ResourceBlock {
    const referenced = new Set<number>();
    const rows: ResourceRow[] = [];
    for (const rule of policy.rules) {
      const shared = {
        rule: this.#rule(policy.key, rule),
        effect: rule.effect,
        actions: rule.actions,
        condition: this.#condition(rule.condition),
        outputs: this.#outputs(rule.outputs),
      };
      if (rule.roles.length > 0) rows.push({ ...shared, roles: rule.roles, derivedRole: NONE });
      for (const derivedRole of rule.derivedRoles) {
        const id = this.#derivedRole(derivedRole);
        referenced.add(id);
        rows.push({ ...shared, roles: [], derivedRole: id });
      }
    }
    return {
      key: policy.key,
      resource: policy.resource,
      version: policy.version,
      scope: policy.scope,
      requireParentalConsent: policy.scopePermissions === "require-parental-consent",
      derivedRoles: [...referenced],
      schemaSet: this.#schemas.id(root),
      rows,
    };
  }

  principal(policy: PrincipalPolicy): PrincipalBlock {
    return {
      key: policy.key,
      principal: policy.principal,
      version: policy.version,
      scope: policy.scope,
      requireParentalConsent: policy.scopePermissions === "require-parental-consent",
      rows: policy.resources.flatMap((entry) =>
        entry.rules.map((rule) => ({
          rule: this.#rule(policy.key, rule),
          effect: rule.effect,
          resource: resourcePattern(entry.resource),
          action: rule.action,
          condition: this.#condition(rule.condition),
          outputs: this.#outputs(rule.outputs),
        })),
      ),
    };
  }

  role(policy: RolePolicy): RoleBlock {
    return {
      key: policy.key,
      role: policy.role,
      version: policy.version,
      scope: policy.scope,
      parentRoles: policy.parentRoles,
      rows: policy.rules.map((rule) => ({
        rule: this.#rule(policy.key, rule),
        // As written, unlike in principal policies: `album:object` matches no kind here, as in Cerbos.
        resource: rule.resource,
        allowActions: rule.allowActions,
        condition: this.#condition(rule.condition),
        outputs: this.#outputs(rule.outputs),
      })),
    };
  }

  #rule(
    policyKey: string,
    rule: { readonly name: string; readonly place: Place; readonly condition?: Match },
  ): number {
    this.#rules.push({ policyKey, name: rule.name, place: rule.place, leaves: leavesOf(rule.condition) });
    return this.#rules.length - 1;
  }

  #derivedRole(role: DerivedRole): number {
    const known = this.#derivedRoleIds.get(role);
    if (known !== undefined) return known;
    const id = this.#derivedRoles.length;
    this.#derivedRoles.push({
      name: role.name,
      origin: role.origin,
      parentRoles: role.parentRoles,
      condition: this.#condition(role.condition),
      place: role.place,
      leaves: leavesOf(role.condition),
    });
    this.#derivedRoleIds.set(role, id);
    return id;
  }

  #condition(match: Match | undefined): ConditionId {
    if (match === undefined) return NONE;
    if (match.kind === "expr") {
      return this.#graph.leaf(this.#expressions.source(match.expr), match.expr.text, match.expr.place);
    }
    const members = match.of.map((member) => this.#condition(member));
    return this.#graph.tree(match.kind, members, match.place);
  }

  #outputs(outputs: Outputs): OutputIds {
    return { activated: this.#output(outputs.ruleActivated), notMet: this.#output(outputs.conditionNotMet) };
  }

  #output(source: CelSource | undefined): ExprId {
    return source === undefined ? NONE : this.#expressions.source(source);
  }
}

/** Requests are matched by their sanitised kind: literal names are sanitised alike, globs stay as written. */
function resourcePattern(written: string): string {
  return isGlob(written) ? written : sanitiseName(written);
}

/** The expressions of a condition tree, in order. */
function leavesOf(match: Match | undefined): Leaf[] {
  if (match === undefined) return [];
  return match.kind === "expr"
    ? [{ text: match.expr.text, place: match.expr.place }]
    : match.of.flatMap(leavesOf);
}
