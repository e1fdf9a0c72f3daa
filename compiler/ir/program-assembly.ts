/** One program from lowered policies: numbers what they use by first use and lists their blocks and rules. */
import { invariant } from "../diagnostics/invariant.ts";
import type { PrincipalPolicy, ResourcePolicy, RolePolicy } from "../policy/policy-set.ts";
import { type AnyRow, LoweredBlock, type LoweredPolicy, Numbering } from "./lowered.ts";
import type { Entry, LoweredSet } from "./lowered-set.ts";
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

type Place<Row extends AnyRow> = ConstructorParameters<typeof LoweredBlock<Row>>;

/**
 * What a block says of its policy. It is made once and goes with the block from one program to the next, because policies lie far apart
 * in memory and looking at 40,000 of them takes longer than anything else about moving their blocks.
 */
interface Head {
  readonly key: string;
  readonly version: string;
  readonly scope: string;
}

type ResourceHead = Head & Pick<ResourceBlock, "requireParentalConsent" | "resource" | "schemaSet">;
type PrincipalHead = Head & Pick<PrincipalBlock, "requireParentalConsent" | "principal">;
type RoleHead = Head & Pick<RoleBlock, "role" | "parentRoles">;

function resourceHead(policy: ResourcePolicy, schemaSet: number): ResourceHead {
  const { key, resource, version, scope, scopePermissions } = policy;
  const requireParentalConsent = scopePermissions === "require-parental-consent";
  return { key, resource, version, scope, requireParentalConsent, schemaSet };
}

function principalHead(policy: PrincipalPolicy): PrincipalHead {
  const { key, principal, version, scope, scopePermissions } = policy;
  const requireParentalConsent = scopePermissions === "require-parental-consent";
  return { key, principal, version, scope, requireParentalConsent };
}

function roleHead({ key, role, version, scope, parentRoles }: RolePolicy): RoleHead {
  return { key, role, version, scope, parentRoles };
}

/** A block and what it says of its policy. */
abstract class HeadedBlock<Row extends AnyRow, H extends Head> extends LoweredBlock<Row> {
  protected readonly head: H;

  constructor(head: H, ...place: Place<Row>) {
    super(...place);
    this.head = head;
  }

  get key(): string {
    return this.head.key;
  }

  get version(): string {
    return this.head.version;
  }

  get scope(): string {
    return this.head.scope;
  }
}

class Resource extends HeadedBlock<ResourceRow, ResourceHead> implements ResourceBlock {
  /** The same block where its first rule has another id. */
  at(firstRule: number, numbering = this.numbering): Resource {
    return new Resource(this.head, this.lowered, firstRule, numbering);
  }

  get resource(): string {
    return this.head.resource;
  }

  get requireParentalConsent(): boolean {
    return this.head.requireParentalConsent;
  }

  get schemaSet(): number {
    return this.head.schemaSet;
  }
}

class Principal extends HeadedBlock<PrincipalRow, PrincipalHead> implements PrincipalBlock {
  at(firstRule: number, numbering = this.numbering): Principal {
    return new Principal(this.head, this.lowered, firstRule, numbering);
  }

  get principal(): string {
    return this.head.principal;
  }

  get requireParentalConsent(): boolean {
    return this.head.requireParentalConsent;
  }
}

class Role extends HeadedBlock<RoleRow, RoleHead> implements RoleBlock {
  at(firstRule: number, numbering = this.numbering): Role {
    return new Role(this.head, this.lowered, firstRule, numbering);
  }

  get role(): string {
    return this.head.role;
  }

  get parentRoles(): readonly string[] {
    return this.head.parentRoles;
  }
}

/** A program whose blocks can be moved. */
type MovableProgram = Program & {
  readonly resources: readonly Resource[];
  readonly principals: readonly Principal[];
  readonly roles: readonly Role[];
};

/** A program and what it was put together from. */
export interface Assembled {
  readonly program: MovableProgram;
  readonly lowered: LoweredSet;
  readonly numbering: Numbering;
}

/**
 * Puts a program together.
 * @param last over the same graph: what does not depend on what has changed since is taken over
 */
export function assembleProgram(
  lowering: PolicyLowering,
  lowered: LoweredSet,
  last: Assembled | undefined,
): Assembled {
  const edited =
    last !== undefined && lowered.usesWhat(last.lowered) ? assembleEdit(lowered, last) : undefined;
  return edited ?? assembleAll(lowering, lowered, last);
}

function assembleAll(lowering: PolicyLowering, lowered: LoweredSet, last: Assembled | undefined): Assembled {
  const numbering = numberAll(lowering, lowered);
  const schemas = new SchemaSets();
  const rules: RuleInfo[] = [];
  const place = <Row extends AnyRow>(policy: LoweredPolicy<Row>): Place<Row> => {
    const first = rules.length;
    for (const rule of policy.rules) rules.push(rule);
    return [policy, first, numbering];
  };
  const program = {
    ...graphOf(lowering, numbering),
    resources: lowered.resources.map((entry, index) => {
      const [own, first] = place(entry.lowered);
      const schemaSet = schemas.id(entry.schemas);
      const block = last?.lowered.resources[index] === entry ? last.program.resources[index] : undefined;
      return block?.schemaSet === schemaSet
        ? block.at(first, numbering)
        : new Resource(resourceHead(entry.policy, schemaSet), own, first, numbering);
    }),
    principals: lowered.principals.map((entry, index) => {
      const [own, first] = place(entry.lowered);
      const block = last?.lowered.principals[index] === entry ? last.program.principals[index] : undefined;
      return block?.at(first, numbering) ?? new Principal(principalHead(entry.policy), own, first, numbering);
    }),
    roles: lowered.roles.map((entry) => new Role(roleHead(entry.policy), ...place(entry.lowered))),
    rules,
    schemaSets: schemas.list,
  };
  return { program, lowered, numbering };
}

/** The last program with other rules in some blocks, all of which use what they used; nothing when their schemas are others. */
function assembleEdit(lowered: LoweredSet, last: Assembled): Assembled | undefined {
  const { program: before, numbering } = last;
  const former = last.lowered;
  const hasOtherSchemas = lowered.resources.some((entry, index) => {
    const one = former.resources[index];
    return entry !== one && entry.schemas?.key !== one?.schemas?.key;
  });
  if (hasOtherSchemas) return undefined;
  const edit = new RuleEdit(before.rules);
  const program = {
    ...before,
    resources: edit.blocks(
      before.resources,
      former.resources,
      lowered.resources,
      ({ policy, lowered: own }, first, { schemaSet }) =>
        new Resource(resourceHead(policy, schemaSet), own, first, numbering),
    ),
    principals: edit.blocks(
      before.principals,
      former.principals,
      lowered.principals,
      ({ policy, lowered: own }, first) => new Principal(principalHead(policy), own, first, numbering),
    ),
    roles: edit.blocks(
      before.roles,
      former.roles,
      lowered.roles,
      ({ policy, lowered: own }, first) => new Role(roleHead(policy), own, first, numbering),
    ),
    rules: edit.rules(),
  };
  return { program, lowered, numbering };
}

/** Puts the rules of edited policies in the place of what they had, and moves all blocks behind them. */
class RuleEdit {
  readonly #before: readonly RuleInfo[];
  /** What has been copied of `#before`, with edits. */
  #rules: readonly RuleInfo[] = [];
  #copied = 0;
  /** By how much ids of rules behind here are larger than before. */
  #shift = 0;

  constructor(before: readonly RuleInfo[]) {
    this.#before = before;
  }

  /** @param blocks of the entries in `former`; to be called in the order in which blocks have their rules */
  blocks<
    One extends Entry,
    Moved extends { readonly firstRule: number; readonly ruleCount: number; at(first: number): Moved },
  >(
    blocks: readonly Moved[],
    former: readonly One[],
    entries: readonly One[],
    make: (entry: One, firstRule: number, before: Moved) => Moved,
  ): readonly Moved[] {
    return blocks.map((block, index) => {
      const entry = entries[index];
      if (entry === undefined || entry === former[index]) {
        return this.#shift === 0 ? block : block.at(block.firstRule + this.#shift);
      }
      const made = make(entry, block.firstRule + this.#shift, block);
      this.#rules = this.#rules.concat(
        this.#before.slice(this.#copied, block.firstRule),
        entry.lowered.rules,
      );
      this.#copied = block.firstRule + block.ruleCount;
      this.#shift += made.ruleCount - block.ruleCount;
      return made;
    });
  }

  rules(): readonly RuleInfo[] {
    return this.#rules.concat(this.#before.slice(this.#copied));
  }
}

type ProgramGraph = Pick<Program, "expressions" | "conditions" | "attributes" | "derivedRoles">;

function numberAll({ graph, derivedRoles }: PolicyLowering, lowered: LoweredSet): Numbering {
  const numbering = new Numbering({
    expressions: graph.expressions.length,
    conditions: graph.conditions.length,
    derivedRoles: derivedRoles.length,
  });
  for (const entries of [lowered.resources, lowered.principals, lowered.roles]) {
    for (const entry of entries) numbering.add(entry.lowered);
  }
  return numbering;
}

/** What of a graph the policies use, with the ids of the program. */
function graphOf(lowering: PolicyLowering, numbering: Numbering): ProgramGraph {
  const { graph, attributes, derivedRoles } = lowering;
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
  };
}
