/**
 * Typed expressions to graph nodes: variables are inlined (the graph shares what repeats), constants become literals,
 * `P.attr.x` and `R.attr.x` become attribute slots, locals become binding depths.
 */
import type { CelExpr } from "../cel/expression.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import { GUEST_FUNCTIONS, type GuestFunction } from "../cel/builtins/guest-functions.ts";
import { invariant } from "../diagnostics/invariant.ts";
import type { CelSource, Names } from "../policy/policy-set.ts";
import type { Attributes } from "./attributes.ts";
import { childrenOf } from "./expression-children.ts";
import type { Graph } from "./graph.ts";
import type { Use } from "./lowered.ts";
import { NONE, type Expr, type ExprId } from "./program.ts";

/** Binding depth of each local in scope. */
type Locals = ReadonlyMap<string, number>;

const NO_LOCALS: Locals = new Map();

/** What a source text refers to, found once per parsed expression. */
interface References {
  readonly variables: readonly string[];
  readonly constants: readonly string[];
  /** Whether `V` or `C` is used as a whole. */
  readonly whole: boolean;
}

/** A node, and what was asked of the graph to make it. */
interface Lowered {
  readonly id: ExprId;
  readonly uses: readonly Use[];
}

/** Lowers expressions of policy sets into one graph. */
export class ExpressionLowering {
  readonly #graph: Graph;
  readonly #attributes: Attributes;
  #expressions: ReadonlyMap<CelSource, CelExpr> = new Map();
  #used: ReadonlyMap<Names, UsedNames> = new Map();
  readonly #references = new Map<CelExpr, References>();
  /** Parsed expression and the ids of what its names stand for -> its node. */
  readonly #lowered = new Map<CelExpr, Map<string, Lowered>>();
  readonly #numbers = new Map<Names, number>();
  /** Variables being lowered; the CEL stage has already refused cycles. */
  readonly #open = new Set<CelSource>();

  /** Whether some expression used `V` or `C` as a whole. */
  hasWholes = false;

  constructor(graph: Graph, attributes: Attributes) {
    this.#graph = graph;
    this.#attributes = attributes;
  }

  /** Begins a policy set. */
  begin(expressions: ReadonlyMap<CelSource, CelExpr>, used: ReadonlyMap<Names, UsedNames>): void {
    this.#expressions = expressions;
    this.#used = used;
  }

  /** The node of `source`. A policy set with errors is never lowered, so stage 3 has typed every source. */
  source(source: CelSource): ExprId {
    const expr = this.#expressions.get(source);
    invariant(expr !== undefined, "stage 3 has typed every expression of a set without errors");
    const references = this.#referencesOf(expr);
    const signature = this.#signature(references, source.names);
    let bySignature = this.#lowered.get(expr);
    if (bySignature === undefined) {
      bySignature = new Map();
      this.#lowered.set(expr, bySignature);
    }
    const known = bySignature.get(signature);
    if (known !== undefined) {
      for (const use of known.uses) this.#graph.uses.push(use);
      return known.id;
    }
    const start = this.#graph.uses.length;
    const id = this.#lower(expr, source.names, NO_LOCALS);
    bySignature.set(signature, { id, uses: [...new Set(this.#graph.uses.slice(start))] });
    return id;
  }

  #signature(references: References, names: Names): string {
    if (references.whole) return `whole ${this.#numberOf(names)}`;
    if (references.variables.length === 0 && references.constants.length === 0) return "";
    const parts: string[] = [];
    for (const name of references.variables) parts.push(String(this.#variable(name, names)));
    for (const name of references.constants) parts.push(JSON.stringify(names.constants.get(name)));
    return parts.join("\u0000");
  }

  /** Expressions with `V` or `C` as a whole are lowered once per policy. */
  #numberOf(names: Names): number {
    const known = this.#numbers.get(names) ?? this.#numbers.size;
    this.#numbers.set(names, known);
    return known;
  }

  #variable(name: string, names: Names): ExprId {
    const source = names.variables.get(name);
    invariant(
      source !== undefined && !this.#open.has(source),
      "stage 3 refuses undefined and cyclical variables",
    );
    this.#open.add(source);
    const id = this.source(source);
    this.#open.delete(source);
    const expr = this.#expressions.get(source);
    if (expr === undefined || isNative(expr)) return id;
    return this.#add({ op: "call", guest: "variableValue", args: [id] });
  }

  #referencesOf(expr: CelExpr): References {
    const known = this.#references.get(expr);
    if (known !== undefined) return known;
    const variables = new Set<string>();
    const constants = new Set<string>();
    const whole = collectReferences(expr, variables, constants);
    const references = { variables: [...variables].sort(), constants: [...constants].sort(), whole };
    this.#references.set(expr, references);
    return references;
  }

  #add(expr: Expr): ExprId {
    return this.#graph.expression(expr);
  }

  #lower(expr: CelExpr, names: Names, locals: Locals): ExprId {
    switch (expr.kind) {
      case "literal":
        return this.#add({ op: "literal", value: expr.value });
      case "input":
        if (expr.input === "principal.attr") this.#attributes.whole.add("principal");
        if (expr.input === "resource.attr") this.#attributes.whole.add("resource");
        return this.#add({ op: "input", input: expr.input });
      case "variable":
        return this.#variable(expr.name, names);
      case "constant":
        return this.#add({ op: "json", value: names.constants.get(expr.name) ?? null });
      case "definitions":
        return this.#definitions(expr.of, names);
      case "local": {
        const depth = locals.get(expr.name);
        invariant(depth !== undefined, "the checker binds every local");
        return this.#add({ op: "local", depth });
      }
      case "select":
      case "has":
        return this.#select(expr, names, locals);
      case "and":
      case "or":
        return this.#add({ op: expr.kind, args: expr.args.map((arg) => this.#lower(arg, names, locals)) });
      case "conditional":
        return this.#add({
          op: "conditional",
          condition: this.#lower(expr.condition, names, locals),
          then: this.#lower(expr.then, names, locals),
          otherwise: this.#lower(expr.otherwise, names, locals),
        });
      case "call":
        return this.#call(expr, names, locals);
      case "list":
        return this.#add({
          op: "list",
          items: expr.items.map(({ value, optional }) => ({
            value: this.#lower(value, names, locals),
            optional,
          })),
        });
      case "map":
        return this.#add({
          op: "map",
          entries: expr.entries.map(({ key, value, optional }) => ({
            key: this.#lower(key, names, locals),
            value: this.#lower(value, names, locals),
            optional,
          })),
        });
      case "macro":
        return this.#macro(expr, names, locals);
      case "bind": {
        const value = this.#lower(expr.value, names, locals);
        const depth = locals.size;
        const body = this.#lower(expr.body, names, new Map(locals).set(expr.name, depth));
        return this.#add({ op: "bind", depth, value, body });
      }
    }
  }

  /** A map of the names in use; a variable that fails is not in it. */
  #definitions(of: "variable" | "constant", names: Names): ExprId {
    this.hasWholes = true;
    const { variables, constants } = this.#used.get(names) ?? { variables: [], constants: [] };
    const literal = (name: string): ExprId =>
      this.#add({ op: "literal", value: { kind: "string", value: name } });
    if (of === "constant") {
      const entries = constants.map((name) => {
        const value = this.#add({ op: "json", value: names.constants.get(name) ?? null });
        return { key: literal(name), value, optional: false };
      });
      return this.#add({ op: "map", entries });
    }
    const call = (guest: GuestFunction, args: readonly ExprId[]): ExprId =>
      this.#add({ op: "call", guest, args });
    const entries = variables.map((name) => {
      const variable = this.#variable(name, names);
      const value = this.#add({
        op: "conditional",
        condition: call("succeeds", [variable]),
        then: call("optionalOf", [variable]),
        otherwise: call("optionalNone", []),
      });
      return { key: literal(name), value, optional: true };
    });
    return this.#add({ op: "map", entries });
  }

  #select(expr: CelExpr & { kind: "select" | "has" }, names: Names, locals: Locals): ExprId {
    const { operand, field } = expr;
    const optional = expr.kind === "select" && expr.optional;
    if (operand.kind === "input" && !optional) {
      const root = attributeRoot(operand.input);
      if (root !== undefined) {
        const slot = this.#attributes.slot(root, field);
        return this.#add({ op: expr.kind === "has" ? "hasAttribute" : "attribute", slot });
      }
    }
    const lowered = this.#lower(operand, names, locals);
    const op = expr.kind === "has" ? "has" : optional ? "optionalSelect" : "select";
    return this.#add({ op, operand: lowered, field });
  }

  #call(expr: CelExpr & { kind: "call" }, names: Names, locals: Locals): ExprId {
    const guest = guestFunction(expr.guest);
    const [target, key] = expr.args;
    // `R.attr["x"]` reads the same slot as `R.attr.x`.
    if (
      guest === "index" &&
      target?.kind === "input" &&
      key?.kind === "literal" &&
      key.value.kind === "string"
    ) {
      const root = attributeRoot(target.input);
      if (root !== undefined)
        return this.#add({ op: "attribute", slot: this.#attributes.slot(root, key.value.value) });
    }
    return this.#add({ op: "call", guest, args: expr.args.map((arg) => this.#lower(arg, names, locals)) });
  }

  #macro(expr: CelExpr & { kind: "macro" }, names: Names, locals: Locals): ExprId {
    const range = this.#lower(expr.range, names, locals);
    const depth = locals.size;
    const inner = new Map(locals);
    expr.variables.forEach((name, index) => inner.set(name, depth + index));
    invariant(inner.size === depth + expr.variables.length, "the checker renames shadowed locals");
    return this.#add({
      op: "macro",
      macro: expr.macro,
      range,
      depth,
      variables: expr.variables.length === 2 ? 2 : 1,
      filter: expr.filter === undefined ? NONE : this.#lower(expr.filter, names, inner),
      body: this.#lower(expr.body, names, inner),
    });
  }
}

/** Whether a variable holds what its expression gives, whatever that is: see assembly/cel/variables.ts. */
function isNative(expr: CelExpr): boolean {
  const { kind } = expr.type;
  if (kind === "optional" || kind === "type") return false;
  if (expr.type.kind === "object") return !expr.type.name.startsWith("cerbos.lib.");
  if (kind !== "dyn" || expr.kind === "variable" || expr.kind === "constant") return true;
  // Requests hold none of the values in question.
  let root: CelExpr = expr;
  while (root.kind === "select" && !root.optional) root = root.operand;
  return root.kind === "input";
}

function attributeRoot(input: string): "principal" | "resource" | undefined {
  if (input === "principal.attr") return "principal";
  if (input === "resource.attr") return "resource";
  return undefined;
}

function guestFunction(name: string): GuestFunction {
  invariant(isGuestFunction(name), "the overload table names only guest functions");
  return name;
}

function isGuestFunction(name: string): name is GuestFunction {
  return Object.hasOwn(GUEST_FUNCTIONS, name);
}

function collectReferences(expr: CelExpr, variables: Set<string>, constants: Set<string>): boolean {
  let whole = false;
  const stack: CelExpr[] = [expr];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.kind === "variable") variables.add(node.name);
    else if (node.kind === "constant") constants.add(node.name);
    else if (node.kind === "definitions") whole = true;
    else stack.push(...childrenOf(node));
  }
  return whole;
}
