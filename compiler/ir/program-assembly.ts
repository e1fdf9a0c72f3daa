/** One program from lowered policies: numbers what they use by first use and lists their blocks and rules. */
import { invariant } from "../diagnostics/invariant.ts";
import type { PrincipalPolicy, ResourcePolicy, RolePolicy } from "../policy/policy-set.ts";
import { LoweredBlock, Numbering, type LoweredPolicy } from "./lowered.ts";
import type { PolicyLowering } from "./policy-lowering.ts";
import type {
  Condition,
  PrincipalBlock,
  PrincipalRow,
  Program,
  ResourceBlock,
  ResourceRow,
  RoleBlock,
  RoleRow,
  RuleInfo,
} from "./program.ts";
import { renumber, Slots } from "./renumber.ts";
import { SchemaSets } from "./schema-sets.ts";

class Resource extends LoweredBlock<ResourceRow> implements ResourceBlock {
  readonly key: string;
  readonly resource: string;
  readonly version: string;
  readonly scope: string;
  readonly requireParentalConsent: boolean;
  readonly schemaSet: number;

  constructor(
    policy: ResourcePolicy,
    schemaSet: number,
    ...block: ConstructorParameters<typeof LoweredBlock<ResourceRow>>
  ) {
    super(...block);
    this.key = policy.key;
    this.resource = policy.resource;
    this.version = policy.version;
    this.scope = policy.scope;
    this.requireParentalConsent = policy.scopePermissions === "require-parental-consent";
    this.schemaSet = schemaSet;
  }
}

class Principal extends LoweredBlock<PrincipalRow> implements PrincipalBlock {
  readonly key: string;
  readonly principal: string;
  readonly version: string;
  readonly scope: string;
  readonly requireParentalConsent: boolean;

  constructor(policy: PrincipalPolicy, ...block: ConstructorParameters<typeof LoweredBlock<PrincipalRow>>) {
    super(...block);
    this.key = policy.key;
    this.principal = policy.principal;
    this.version = policy.version;
    this.scope = policy.scope;
    this.requireParentalConsent = policy.scopePermissions === "require-parental-consent";
  }
}

class Role extends LoweredBlock<RoleRow> implements RoleBlock {
  readonly key: string;
  readonly role: string;
  readonly version: string;
  readonly scope: string;
  readonly parentRoles: readonly string[];

  constructor(policy: RolePolicy, ...block: ConstructorParameters<typeof LoweredBlock<RoleRow>>) {
    super(...block);
    this.key = policy.key;
    this.role = policy.role;
    this.version = policy.version;
    this.scope = policy.scope;
    this.parentRoles = policy.parentRoles;
  }
}

/** Tells resource policies of one scope apart. */
export function rootKey({ version, resource }: ResourcePolicy): string {
  return `${version.length} ${version} ${resource}`;
}

export class ProgramAssembly {
  readonly #lowering: PolicyLowering;
  readonly #resources: (readonly [ResourcePolicy, LoweredPolicy<ResourceRow>, number])[] = [];
  readonly #principals: (readonly [PrincipalPolicy, LoweredPolicy<PrincipalRow>])[] = [];
  readonly #roles: (readonly [RolePolicy, LoweredPolicy<RoleRow>])[] = [];
  readonly #schemas: SchemaSets;
  readonly #rules: RuleInfo[] = [];

  constructor(lowering: PolicyLowering) {
    this.#lowering = lowering;
    this.#schemas = new SchemaSets(lowering.schemas);
  }

  /** @param roots resource policies of the root scope, by version and resource */
  resource(policy: ResourcePolicy, roots: ReadonlyMap<string, ResourcePolicy>): void {
    const lowered = this.#lowering.resource(policy);
    // The schemas of child scopes are ignored (COMPAT.md section 4).
    const root = roots.get(rootKey(policy));
    this.#resources.push([policy, lowered, this.#schemas.id(root ?? policy)]);
  }

  principal(policy: PrincipalPolicy): void {
    this.#principals.push([policy, this.#lowering.principal(policy)]);
  }

  role(policy: RolePolicy): void {
    this.#roles.push([policy, this.#lowering.role(policy)]);
  }

  program(): Program {
    const { graph, attributes, derivedRoles } = this.#lowering;
    const numbering = new Numbering({
      expressions: graph.expressions.length,
      conditions: graph.conditions.length,
      derivedRoles: derivedRoles.length,
    });
    const block = <Row extends ResourceRow | PrincipalRow | RoleRow>(
      lowered: LoweredPolicy<Row>,
    ): readonly [LoweredPolicy<Row>, number, Numbering] => {
      numbering.add(lowered);
      const first = this.#rules.length;
      for (const rule of lowered.rules) this.#rules.push(rule);
      return [lowered, first, numbering];
    };
    const resources = this.#resources.map(
      ([policy, lowered, schemaSet]) => new Resource(policy, schemaSet, ...block(lowered)),
    );
    const principals = this.#principals.map(([policy, lowered]) => new Principal(policy, ...block(lowered)));
    const roles = this.#roles.map(([policy, lowered]) => new Role(policy, ...block(lowered)));
    const slots = new Slots(attributes.list);
    const expressions = numbering.expressionOrder.map((id) => {
      const expr = graph.expressions[id];
      invariant(expr !== undefined, "policies use only what the graph has");
      return renumber(expr, (operand) => numbering.expression(operand), slots);
    });
    const conditions = numbering.conditionOrder.map(({ condition, text, place }): Condition => {
      const node = graph.conditions[condition];
      invariant(node !== undefined, "policies use only what the graph has");
      return node.kind === "expr"
        ? { kind: "expr", expr: numbering.expression(node.expr), text, place }
        : { kind: node.kind, of: node.of.map((member) => numbering.condition(member)), place };
    });
    return {
      expressions,
      conditions,
      attributes: slots.list,
      derivedRoles: numbering.derivedRoleOrder.map((id) => {
        const role = derivedRoles[id];
        invariant(role !== undefined, "policies refer to derived roles that were lowered");
        const { name, origin, parentRoles, place, leaves } = role;
        const condition = numbering.condition(role.condition);
        return { name, origin, parentRoles, condition, place, leaves };
      }),
      resources,
      principals,
      roles,
      rules: this.#rules,
      schemaSets: this.#schemas.list,
    };
  }
}
