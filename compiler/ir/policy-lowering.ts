/** Single policies to rows over a graph of expressions and conditions, each policy once. */
import type { CelExpr } from "../cel/expression.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import type { Place } from "../diagnostics/diagnostic.ts";
import { sanitiseName } from "../policy/names.ts";
import type {
  CelSource,
  DerivedRole,
  Match,
  Names,
  Outputs,
  PrincipalPolicy,
  ResourcePolicy,
  RolePolicy,
} from "../policy/policy-set.ts";
import { Attributes } from "./attributes.ts";
import { isGlob } from "./glob.ts";
import { Graph } from "./graph.ts";
import { ExpressionLowering } from "./lower-expression.ts";
import type { AnyRow, LoweredPolicy, Use } from "./lowered.ts";
import {
  NONE,
  type ConditionId,
  type DerivedRoleInfo,
  type ExprId,
  type Leaf,
  type OutputIds,
  type PrincipalRow,
  type ResourceRow,
  type RoleRow,
  type RuleInfo,
} from "./program.ts";

interface KeptRole {
  readonly id: number;
  readonly uses: readonly Use[];
}

export class PolicyLowering {
  readonly graph = new Graph();
  readonly attributes = new Attributes();
  /** With the ids of the graph. */
  readonly derivedRoles: DerivedRoleInfo[] = [];
  readonly #shapes = new Map<string, object>();
  readonly #contents = new Map<string, number>();
  readonly #derivedRoleIds = new Map<DerivedRole, KeptRole>();
  readonly #expressions = new ExpressionLowering(this.graph, this.attributes);
  readonly #resources = new WeakMap<ResourcePolicy, LoweredPolicy<ResourceRow>>();
  readonly #principals = new WeakMap<PrincipalPolicy, LoweredPolicy<PrincipalRow>>();
  readonly #roles = new WeakMap<RolePolicy, LoweredPolicy<RoleRow>>();

  get nodes(): number {
    return this.graph.expressions.length + this.graph.conditions.length + this.derivedRoles.length;
  }

  /** Whether some expression uses `V` or `C` as a whole. */
  get hasWholes(): boolean {
    return this.#expressions.hasWholes;
  }

  begin(expressions: ReadonlyMap<CelSource, CelExpr>, used: ReadonlyMap<Names, UsedNames>): void {
    this.#expressions.begin(expressions, used);
  }

  resource(policy: ResourcePolicy): LoweredPolicy<ResourceRow> {
    return once(this.#resources, policy, () => {
      const referenced = new Set<number>();
      const rows = policy.rules.flatMap((rule, index) => {
        const shared = {
          rule: index,
          effect: rule.effect,
          actions: rule.actions,
          condition: this.#condition(rule.condition),
          outputs: this.#outputs(rule.outputs),
        };
        const own: ResourceRow[] = [];
        if (rule.roles.length > 0) own.push({ ...shared, roles: rule.roles, derivedRole: NONE });
        for (const derivedRole of rule.derivedRoles) {
          const id = this.#derivedRole(derivedRole);
          referenced.add(id);
          own.push({ ...shared, roles: [], derivedRole: id });
        }
        return own;
      });
      return this.#finish(policy.key, policy.rules, rows, [...referenced]);
    });
  }

  principal(policy: PrincipalPolicy): LoweredPolicy<PrincipalRow> {
    return once(this.#principals, policy, () => {
      let index = 0;
      const rows = policy.resources.flatMap((entry) =>
        entry.rules.map((rule) => ({
          rule: index++,
          effect: rule.effect,
          resource: resourcePattern(entry.resource),
          action: rule.action,
          condition: this.#condition(rule.condition),
          outputs: this.#outputs(rule.outputs),
        })),
      );
      const rules = policy.resources.flatMap((entry) => entry.rules);
      return this.#finish(policy.key, rules, rows, []);
    });
  }

  role(policy: RolePolicy): LoweredPolicy<RoleRow> {
    return once(this.#roles, policy, () => {
      const rows = policy.rules.map((rule, index) => ({
        rule: index,
        // As written, unlike in principal policies: `album:object` matches no kind here, as in Cerbos.
        resource: rule.resource,
        allowActions: rule.allowActions,
        condition: this.#condition(rule.condition),
        outputs: this.#outputs(rule.outputs),
      }));
      return this.#finish(policy.key, policy.rules, rows, []);
    });
  }

  #finish<Row extends AnyRow>(
    policyKey: string,
    rules: readonly { readonly name: string; readonly place: Place; readonly condition?: Match }[],
    rows: readonly Row[],
    derivedRoles: readonly number[],
  ): LoweredPolicy<Row> {
    const uses = distinct(this.graph.uses);
    this.graph.uses = [];
    const outputs = new Set<ExprId>();
    for (const row of rows) {
      if (row.outputs.activated !== NONE) outputs.add(row.outputs.activated);
      if (row.outputs.notMet !== NONE) outputs.add(row.outputs.notMet);
    }
    const infos: RuleInfo[] = rules.map(({ name, place, condition }) => {
      return { policyKey, name, place, leaves: leavesOf(condition) };
    });
    const shape = this.#shape(rows, infos, derivedRoles);
    return { rules: infos, rows, uses, derivedRoles, outputs: [...outputs], shape };
  }

  /** Derived roles count by what they are: equal ones of different policies come to one entry of the image. */
  #shape(rows: readonly AnyRow[], rules: readonly RuleInfo[], derivedRoles: readonly number[]): object {
    const contents = new Map(derivedRoles.map((id) => [id, this.#derivedRoleContent(id)]));
    const key = JSON.stringify(
      [
        [...contents.values()],
        rows.map((row) => [
          row,
          contents.get(row.derivedRole ?? NONE),
          // Outputs name their rule.
          row.outputs.activated === NONE && row.outputs.notMet === NONE ? "" : rules[row.rule]?.name,
        ]),
      ],
      (name, value: unknown) => (name === "derivedRole" && typeof value === "number" ? value >= 0 : value),
    );
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      shape = {};
      this.#shapes.set(key, shape);
    }
    return shape;
  }

  #derivedRoleContent(id: number): number {
    const role = this.derivedRoles[id];
    const key = JSON.stringify([role?.name, role?.parentRoles, role?.condition]);
    const content = this.#contents.get(key) ?? this.#contents.size;
    this.#contents.set(key, content);
    return content;
  }

  #derivedRole(role: DerivedRole): number {
    const known = this.#derivedRoleIds.get(role);
    if (known !== undefined) {
      for (const use of known.uses) this.graph.uses.push(use);
      return known.id;
    }
    const start = this.graph.uses.length;
    const id = this.derivedRoles.length;
    this.derivedRoles.push({
      name: role.name,
      origin: role.origin,
      parentRoles: role.parentRoles,
      condition: this.#condition(role.condition),
      place: role.place,
      leaves: leavesOf(role.condition),
    });
    this.#derivedRoleIds.set(role, { id, uses: distinct(this.graph.uses.slice(start)) });
    return id;
  }

  #condition(match: Match | undefined): ConditionId {
    if (match === undefined) return NONE;
    if (match.kind === "expr") {
      return this.graph.leaf(this.#expressions.source(match.expr), match.expr.text, match.expr.place);
    }
    const members = match.of.map((member) => this.#condition(member));
    return this.graph.tree(match.kind, members, match.place);
  }

  #outputs(outputs: Outputs): OutputIds {
    return { activated: this.#output(outputs.ruleActivated), notMet: this.#output(outputs.conditionNotMet) };
  }

  #output(source: CelSource | undefined): ExprId {
    return source === undefined ? NONE : this.#expressions.source(source);
  }
}

function once<Policy extends object, Lowered>(
  kept: WeakMap<Policy, Lowered>,
  policy: Policy,
  make: () => Lowered,
): Lowered {
  let lowered = kept.get(policy);
  if (lowered === undefined) {
    lowered = make();
    kept.set(policy, lowered);
  }
  return lowered;
}

/** The first use of every expression and condition. */
function distinct(uses: readonly Use[]): Use[] {
  const expressions = new Set<ExprId>();
  const conditions = new Set<ConditionId>();
  return uses.filter((use) => {
    const seen = typeof use === "number" ? expressions : conditions;
    const id = typeof use === "number" ? use : use.condition;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
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
