/**
 * Requests made up from a decision program, for the decisions that a bundle is tested with before it serves. They go where
 * policies are: kinds, versions, scopes, roles and actions that rules name, and beside each something that none names. Same program,
 * same requests. What they come to is found out by whoever has a guest to run (runtime/bundle/record-self-test.ts).
 */
import { compareText } from "../diagnostics/codes.ts";
import { operandsOf } from "../ir/operands.ts";
import type { Attribute, ConditionId, Expr, ExprId, Program, ResourceBlock } from "../ir/program.ts";
import type { JsonValue } from "../policy/policy-set.ts";

type Attributes = Readonly<Record<string, JsonValue>>;

/** A check request with one resource. */
export interface SelfTestRequest {
  readonly principal: {
    readonly id: string;
    readonly roles: readonly string[];
    readonly attr: Attributes;
    readonly policyVersion?: string;
    readonly scope?: string;
  };
  readonly resources: readonly {
    readonly actions: readonly string[];
    readonly resource: {
      readonly kind: string;
      readonly id: string;
      readonly attr: Attributes;
      readonly policyVersion: string;
      readonly scope: string;
    };
  }[];
}

/** Policies of each kind that are asked about; those in between are like their neighbours. */
const MAX_RESOURCE_POLICIES = 24;
const MAX_PRINCIPAL_POLICIES = 8;
const MAX_ROLE_POLICIES = 8;

/** Roles and actions asked about per policy; one of them is one that nobody names. */
const MAX_ROLES = 4;
const MAX_ACTIONS = 7;

/** Attributes that a request has of each root; more make it long and seldom decide more. */
const MAX_ATTRIBUTES = 16;

/** What no policy is meant to name. As principal id and as attribute value it makes owners of principals. */
const NOBODY = "self-test";

/** Attributes of a request: as conditions want them first, as they want them last, or none. */
const VARIANTS = ["first", "last", "none"] as const;
type Variant = (typeof VARIANTS)[number];

/** Makes the requests, the most telling first, so that any beginning of the list is a good choice. */
export function selfTestRequests(program: Program): readonly SelfTestRequest[] {
  return [...madeUp(new Subject(program))];
}

function* madeUp(subject: Subject): Generator<SelfTestRequest> {
  const { program } = subject;
  const blocks = sampleOf(program.resources, MAX_RESOURCE_POLICIES).map((block) => ({
    target: { kind: block.resource, version: block.version, scope: block.scope },
    actions: named(block.rows.flatMap(({ actions }) => actions)),
    roles: [...sampleOf(rolesOf(program, block), MAX_ROLES - 1), NOBODY],
    slots: subject.slotsOf(
      block.rows.flatMap((row) => [row.condition, program.derivedRoles[row.derivedRole]?.condition ?? -1]),
    ),
  }));
  for (const variant of VARIANTS) {
    for (let turn = 0; turn < MAX_ROLES; turn++) {
      for (const { target, actions, roles, slots } of blocks) {
        const role = roles[turn];
        if (role !== undefined) yield subject.request(target, actions, { roles: [role], variant, slots });
      }
    }
    for (const block of sampleOf(program.principals, MAX_PRINCIPAL_POLICIES)) {
      const { principal: id, version, scope } = block;
      const kind = block.rows.find(({ resource }) => isPlain(resource))?.resource;
      if (kind === undefined) continue;
      const rows = block.rows.filter(({ resource }) => resource === kind);
      const slots = subject.slotsOf(rows.map(({ condition }) => condition));
      const actions = named(rows.map(({ action }) => action));
      yield subject.request({ kind, version, scope }, actions, {
        id,
        version,
        scope,
        roles: [NOBODY],
        variant,
        slots,
      });
    }
    for (const block of sampleOf(program.roles, MAX_ROLE_POLICIES)) {
      const { role, version, scope } = block;
      const row = block.rows.find(({ resource }) => isPlain(resource));
      if (row === undefined) continue;
      const slots = subject.slotsOf([row.condition]);
      const asker = { roles: [role], variant, slots };
      yield subject.request({ kind: row.resource, version, scope }, named(row.allowActions), asker);
    }
  }
}

interface Target {
  readonly kind: string;
  readonly version: string;
  readonly scope: string;
}

interface Asker {
  readonly id?: string;
  readonly version?: string;
  readonly scope?: string;
  readonly roles: readonly string[];
  readonly variant: Variant;
  /** Of the attributes that matter. */
  readonly slots: readonly number[];
}

/** A program, and what is worth remembering about it. */
class Subject {
  readonly program: Program;
  readonly #wanted: ReadonlyMap<number, readonly JsonValue[]>;

  constructor(program: Program) {
    this.program = program;
    this.#wanted = wantedValues(program);
  }

  request({ kind, version, scope }: Target, actions: readonly string[], asker: Asker): SelfTestRequest {
    return {
      principal: {
        id: asker.id ?? NOBODY,
        roles: asker.roles,
        attr: this.#attributes("principal", asker),
        ...(asker.version === undefined ? {} : { policyVersion: asker.version }),
        ...(asker.scope === undefined ? {} : { scope: asker.scope }),
      },
      resources: [
        {
          actions,
          resource: {
            kind,
            id: "1",
            attr: this.#attributes("resource", asker),
            policyVersion: version,
            scope,
          },
        },
      ],
    };
  }

  #attributes(root: Attribute["root"], { slots, variant }: Asker): Attributes {
    if (variant === "none") return {};
    const keyOf = (slot: number): string => this.program.attributes[slot]?.key ?? "";
    const own = slots.filter((slot) => this.program.attributes[slot]?.root === root);
    const sorted = own.sort((left, right) => compareText(keyOf(left), keyOf(right)));
    return Object.fromEntries(
      sampleOf(sorted, MAX_ATTRIBUTES).map((slot) => {
        const values = this.#wanted.get(slot) ?? [];
        return [keyOf(slot), (variant === "first" ? values[0] : values.at(-1)) ?? NOBODY];
      }),
    );
  }

  /** The attributes that conditions read, each once. */
  slotsOf(conditions: readonly ConditionId[]): readonly number[] {
    const { program } = this;
    const slots = new Set<number>();
    const expressions = new Set<ExprId>();
    const seen = new Set<ConditionId>();
    const left = [...conditions];
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const condition = seen.has(id) ? undefined : program.conditions[id];
      seen.add(id);
      if (condition?.kind === "expr") expressions.add(condition.expr);
      else if (condition !== undefined) left.push(...condition.of);
    }
    // A set yields what is added while it is walked.
    for (const id of expressions) {
      const expr = program.expressions[id];
      if (expr === undefined) continue;
      if (expr.op === "attribute" || expr.op === "hasAttribute") slots.add(expr.slot);
      for (const operand of operandsOf(expr)) expressions.add(operand);
    }
    return [...slots];
  }
}

/** Slot to the values that conditions compare the attribute with, in the order of the expressions. */
function wantedValues(program: Program): ReadonlyMap<number, readonly JsonValue[]> {
  const wanted = new Map<number, JsonValue[]>();
  const want = (expr: Expr | undefined, value: JsonValue | undefined): void => {
    if (expr?.op !== "attribute" || value === undefined) return;
    const values = wanted.get(expr.slot) ?? [];
    if (values.length < MAX_WANTED) wanted.set(expr.slot, [...values, value]);
  };
  const at = (id: number | undefined): Expr | undefined =>
    id === undefined ? undefined : program.expressions[id];
  for (const expr of program.expressions) {
    if (expr.op !== "call" || !COMPARISONS.has(expr.guest)) continue;
    const [left, right] = [at(expr.args[0]), at(expr.args[1])];
    if (expr.guest === "isIn") {
      want(left, right?.op === "list" ? constantOf(at(right.items[0]?.value)) : firstOf(constantOf(right)));
      const member = constantOf(left);
      want(right, member === undefined ? undefined : [member]);
    } else {
      want(left, constantOf(right));
      want(right, constantOf(left));
    }
  }
  // An attribute that is a condition by itself.
  for (const condition of program.conditions) {
    if (condition.kind === "expr") want(at(condition.expr), true);
  }
  return wanted;
}

/** Values remembered per attribute. */
const MAX_WANTED = 8;

const COMPARISONS: ReadonlySet<string> = new Set([
  "equals",
  "notEquals",
  "less",
  "lessEquals",
  "greater",
  "greaterEquals",
  "isIn",
]);

/** The JSON value that an expression is, undefined when it depends on the request or JSON has none for it. */
function constantOf(expr: Expr | undefined): JsonValue | undefined {
  if (expr?.op === "json") return expr.value;
  if (expr?.op !== "literal") return undefined;
  const { value } = expr;
  switch (value.kind) {
    case "bool":
    case "string":
      return value.value;
    case "double":
      return Number.isFinite(value.value) ? value.value : undefined;
    case "int":
    case "uint":
      return Number(value.value);
    case "null":
    case "bytes":
    case "type":
      return undefined;
  }
}

function firstOf(value: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(value) ? (value as readonly JsonValue[])[0] : undefined;
}

/** The roles that rules of a block name, their derived roles' parents among them. */
function rolesOf(program: Program, block: ResourceBlock): readonly string[] {
  const roles = block.rows.flatMap((row) =>
    row.derivedRole < 0 ? row.roles : (program.derivedRoles[row.derivedRole]?.parentRoles ?? []),
  );
  return [...new Set(roles.filter(isPlain))].sort(compareText);
}

/** A few of the names, globs with something in place of their stars, and one that nobody has. */
function named(names: readonly string[]): readonly string[] {
  const plain = names.map((name) => name.replaceAll(/\*+/g, NOBODY)).filter(isPlain);
  return [...new Set([...sampleOf([...new Set(plain)].sort(compareText), MAX_ACTIONS - 1), NOBODY])];
}

/** Whether a name means itself and is no glob. */
function isPlain(name: string): boolean {
  return name !== "" && !/[*?[\]{}\\]/.test(name);
}

/** At most `most` items, evenly spread from the first on. */
function sampleOf<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)]).filter(
    (item): item is T => item !== undefined,
  );
}
