/**
 * Writes one expression as AssemblyScript: statements that compute it and a term that names the result. Every term is
 * a tagged value (u64). Errors are values, so control flow is needed only where CEL does not evaluate an operand.
 */
import { NONE, type Expr, type ExprId } from "../ir/program.ts";
import { invariant } from "../diagnostics/invariant.ts";
import type { Blob } from "./blob.ts";
import { json, list, literal, text } from "./literals.ts";
import type { MacroName } from "../cel/expression.ts";
import type { UnitText } from "./unit.ts";

/** What a writer needs to know about the program around it. */
export interface WriterContext {
  readonly expressions: readonly Expr[];
  /** Slot roots, to choose between `principalAttribute` and `resourceAttribute`. */
  readonly attributeRoots: readonly ("principal" | "resource")[];
  readonly attributeNames: readonly string[];
  /** Index of the shared function of an expression, or -1. */
  readonly shared: readonly number[];
  readonly blob: Blob;
}

/** Names of locals in force, by binding depth. */
type Locals = readonly string[];

export class ExpressionWriter {
  readonly #context: WriterContext;
  readonly #unit: UnitText;
  readonly #lines: string[] = [];
  #indent = 1;
  #counter = 0;

  /** @param unit where the function that is written keeps what it refers to */
  constructor(context: WriterContext, unit: UnitText) {
    this.#context = context;
    this.#unit = unit;
  }

  /** The statements written so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Writes the statements of `id` and returns its term; `root` writes it out even when it is shared. */
  term(id: ExprId, locals: Locals = [], root = false): string {
    const expression = this.#context.expressions[id];
    invariant(expression !== undefined, "operands are expressions of the program");
    const shared = this.#context.shared[id] ?? -1;
    if (shared >= 0 && !root) return this.#unit.shared(shared);
    return this.#write(expression, locals);
  }

  /** As `term`, for what `id` comes to as a condition (i32). A single `==` is one call, without values where it can be. */
  outcome(id: ExprId): string {
    const call = this.#own(id, "call");
    const [left, right] = call?.args ?? [];
    if (call?.guest !== "equals" || left === undefined || right === undefined)
      return this.#call("settle", [this.term(id)]);
    const slot = this.#resourceSlot(left);
    if (slot !== undefined && this.#isPrincipalId(right))
      return this.#call("resourceEqualsPrincipalId", [slot()]);
    const other = this.#resourceSlot(right);
    if (other !== undefined && this.#isPrincipalId(left))
      return this.#call("resourceEqualsPrincipalId", [other()]);
    if (slot !== undefined) return this.#call("resourceEquals", [slot(), this.term(right)]);
    return this.#call("settleEquals", [this.term(left), this.term(right)]);
  }

  /** The expression `id` if it is an `op` that is written where it stands. */
  #own<Op extends Expr["op"]>(id: ExprId, op: Op): (Expr & { op: Op }) | undefined {
    const expression = this.#context.expressions[id];
    if (expression?.op !== op || (this.#context.shared[id] ?? -1) >= 0) return undefined;
    return expression as Expr & { op: Op };
  }

  /** Writes the slot of `R.attr.<key>`, if `id` is that. */
  #resourceSlot(id: ExprId): (() => string) | undefined {
    const attribute = this.#own(id, "attribute");
    if (attribute === undefined || this.#context.attributeRoots[attribute.slot] !== "resource")
      return undefined;
    return () => this.#slot(attribute.slot);
  }

  #isPrincipalId(id: ExprId): boolean {
    return this.#own(id, "input")?.input === "principal.id";
  }

  #write(expression: Expr, locals: Locals): string {
    switch (expression.op) {
      case "literal":
        return this.#constantTerm(literal(this.#context.blob, expression.value), describe(expression.value));
      case "json":
        return this.#constantTerm(
          json(this.#context.blob, expression.value),
          JSON.stringify(expression.value),
        );
      case "input":
        return this.#call(inputFunction(expression.input), []);
      case "attribute":
      case "hasAttribute":
        return this.#attribute(expression);
      case "local": {
        const name = locals[expression.depth];
        invariant(name !== undefined, "locals are bound before they are used");
        return name;
      }
      case "select":
        return this.#field("selectField", expression.operand, expression.field, locals);
      case "optionalSelect":
        return this.#field("optionalSelectField", expression.operand, expression.field, locals);
      case "has":
        return this.#field("hasField", expression.operand, expression.field, locals);
      case "and":
      case "or":
        return this.#logic(expression.op, expression.args, locals);
      case "conditional":
        return this.#conditional(expression, locals);
      case "call":
        return this.#call(
          expression.guest,
          expression.args.map((arg) => this.term(arg, locals)),
        );
      case "list":
        return this.#list(expression, locals);
      case "map":
        return this.#map(expression, locals);
      case "macro":
        return this.#macro(expression, locals);
      case "bind": {
        const name = this.#let(this.term(expression.value, locals));
        return this.term(expression.body, bind(locals, expression.depth, [name]));
      }
    }
  }

  #attribute(expression: Expr & { op: "attribute" | "hasAttribute" }): string {
    const root = this.#context.attributeRoots[expression.slot] === "principal" ? "principal" : "resource";
    const read = expression.op === "attribute" ? "Attribute" : "HasAttribute";
    return this.#call(root + read, [this.#slot(expression.slot)]);
  }

  #slot(slot: number): string {
    const root = this.#context.attributeRoots[slot] === "principal" ? "P" : "R";
    return this.#unit.slot(slot, `${root}.attr.${this.#context.attributeNames[slot] ?? ""}`);
  }

  #field(read: string, operand: ExprId, field: string, locals: Locals): string {
    const key = this.#constantTerm(text(this.#context.blob, field), JSON.stringify(field));
    return this.#call(read, [this.term(operand, locals), key]);
  }

  #call(name: string, args: readonly string[]): string {
    this.#unit.use(name);
    return `${name}(${args.join(", ")})`;
  }

  /** `&&` and `||`: a decisive operand wins over errors on either side (cel-spec langdef, "Logical Operators"). */
  #logic(op: "and" | "or", args: readonly ExprId[], locals: Locals): string {
    const decisive = op === "and" ? "FALSE" : "TRUE";
    const [first, ...rest] = args;
    invariant(first !== undefined, "logical operators have operands");
    const result = this.#let(this.#call("asBool", [this.term(first, locals)]));
    for (const arg of rest) {
      this.#block(`if (${result} != ${decisive})`, () => {
        this.#line(`${result} = ${this.#call(op, [result, this.term(arg, locals)])};`);
      });
    }
    return result;
  }

  #conditional(expression: Expr & { op: "conditional" }, locals: Locals): string {
    const condition = this.#let(this.term(expression.condition, locals));
    const result = this.#let(this.#call("notABool", [condition]));
    this.#block(`if (${condition} == TRUE)`, () => {
      this.#line(`${result} = ${this.term(expression.then, locals)};`);
    });
    this.#block(`if (${condition} == FALSE)`, () => {
      this.#line(`${result} = ${this.term(expression.otherwise, locals)};`);
    });
    return result;
  }

  /** The value of an expression that is the same in every request, so that it can lie in the image. */
  #constant(id: ExprId): bigint | undefined {
    const expression = this.#context.expressions[id];
    if (expression?.op === "literal") return literal(this.#context.blob, expression.value);
    if (expression?.op === "json") return json(this.#context.blob, expression.value);
    return expression?.op === "list" ? this.#constantList(expression) : undefined;
  }

  #constantList(expression: Expr & { op: "list" }): bigint | undefined {
    const items: bigint[] = [];
    for (const { value, optional } of expression.items) {
      const item = optional ? undefined : this.#constant(value);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return list(this.#context.blob, items);
  }

  #list(expression: Expr & { op: "list" }, locals: Locals): string {
    const whole = this.#constantList(expression);
    if (whole !== undefined) return this.#constantTerm(whole, `list of ${expression.items.length}`);
    const result = this.#let(this.#call("listBuilder", [String(expression.items.length)]));
    for (const { value, optional } of expression.items) {
      const append = optional ? "appendOptional" : "append";
      this.#line(`${result} = ${this.#call(append, [result, this.term(value, locals)])};`);
    }
    return result;
  }

  #map(expression: Expr & { op: "map" }, locals: Locals): string {
    const result = this.#let(this.#call("mapBuilder", [String(expression.entries.length)]));
    for (const { key, value, optional } of expression.entries) {
      const put = optional ? "putOptional" : "put";
      const name = this.#let(this.term(key, locals));
      this.#line(`${result} = ${this.#call(put, [result, name, this.term(value, locals)])};`);
    }
    return result;
  }

  /** A comprehension as a loop over a list or the entries of a map; every turn burns fuel. */
  #macro(expression: Expr & { op: "macro" }, locals: Locals): string {
    const pairs = expression.variables === 2;
    const goesOver = pairs ? "rangePairs" : expression.macro === "sortBy" ? "rangeItems" : "rangeList";
    const range = this.#let(this.#call(goesOver, [this.term(expression.range, locals)]));
    const result = this.#let(
      this.#call("isError", [range]) + ` ? ${range} : ${this.#start(expression.macro)}`,
    );
    const found = expression.macro === "existsOne" ? this.#let("0", "i32") : "";
    const keys = expression.macro === "sortBy" ? this.#let(this.#call("listBuilder", ["0"])) : "";
    const index = `i${this.#counter++}`;
    const length = `n${this.#counter++}`;
    const count = this.#call("count", [range]);
    this.#block(`for (let ${index} = 0, ${length} = ${count}; ${index} < ${length}; ${index}++)`, () => {
      this.#block(`if (${this.#call("tick", [])} == 0)`, () => {
        this.#line(`${result} = ${this.#call("fuelError", [])};`);
        this.#line("break;");
      });
      const names = pairs
        ? [
            this.#let(this.#call("pairKey", [range, index])),
            this.#let(this.#call("pairValue", [range, index])),
          ]
        : [this.#let(this.#call("item", [range, index]))];
      const inner = bind(locals, expression.depth, names);
      this.#turn(expression, inner, { result, found, keys, names });
    });
    if (expression.macro === "existsOne") {
      this.#block(`if (!${this.#call("isError", [result])})`, () => {
        this.#line(`${result} = ${found} == 1 ? TRUE : FALSE;`);
      });
    }
    if (expression.macro === "sortBy") this.#line(`${result} = ${this.#call("sortByKeys", [result, keys])};`);
    return result;
  }

  #start(macro: MacroName): string {
    switch (macro) {
      case "all":
        return "TRUE";
      case "exists":
      case "existsOne":
        return "FALSE";
      case "map":
      case "filter":
      case "transformList":
      case "sortBy":
        return this.#call("listBuilder", ["0"]);
      case "transformMap":
      case "transformMapEntry":
        return this.#call("mapBuilder", ["0"]);
    }
  }

  #turn(
    expression: Expr & { op: "macro" },
    locals: Locals,
    at: { result: string; found: string; keys: string; names: readonly string[] },
  ): void {
    const { result } = at;
    if (expression.macro === "all" || expression.macro === "exists") {
      const op = expression.macro === "all" ? "and" : "or";
      this.#line(`${result} = ${this.#call(op, [result, this.term(expression.body, locals)])};`);
      this.#line(`if (${result} == ${op === "and" ? "FALSE" : "TRUE"}) break;`);
      return;
    }
    if (expression.macro === "existsOne" || expression.macro === "filter") {
      const kept = expression.macro === "filter" ? this.#call("append", [result, at.names[0] ?? ""]) : "";
      const keep = kept === "" ? `${at.found}++;` : `${result} = ${kept};`;
      this.#predicate(expression.body, locals, result, () => this.#line(keep));
      return;
    }
    if (expression.filter === NONE) this.#collect(expression, locals, at);
    else this.#predicate(expression.filter, locals, result, () => this.#collect(expression, locals, at));
  }

  /** Runs `accepted` when the predicate is true; anything but a bool ends the loop with an error. */
  #predicate(id: ExprId, locals: Locals, result: string, accepted: () => void): void {
    const outcome = this.#let(this.term(id, locals));
    this.#block(`if (${outcome} == TRUE)`, accepted);
    this.#block(`else if (${outcome} != FALSE)`, () => {
      this.#line(`${result} = ${this.#call("notABool", [outcome])};`);
      this.#line("break;");
    });
  }

  #collect(
    expression: Expr & { op: "macro" },
    locals: Locals,
    at: { result: string; keys: string; names: readonly string[] },
  ): void {
    const { result } = at;
    const value = this.term(expression.body, locals);
    if (expression.macro === "transformMap") {
      // Keys of the range are distinct already.
      this.#line(`${result} = ${this.#call("putNew", [result, at.names[0] ?? "", value])};`);
    } else if (expression.macro === "transformMapEntry") {
      this.#line(`${result} = ${this.#call("putEntry", [result, value])};`);
    } else if (expression.macro === "sortBy") {
      this.#line(`${result} = ${this.#call("append", [result, at.names[0] ?? ""])};`);
      this.#line(`${at.keys} = ${this.#call("append", [at.keys, value])};`);
    } else this.#line(`${result} = ${this.#call("append", [result, value])};`);
    this.#line(`if (${this.#call("isError", [result])}) break;`);
  }

  #constantTerm(value: bigint, description: string): string {
    if (description === "true") return "TRUE";
    if (description === "false") return "FALSE";
    return this.#unit.constant(value, description);
  }

  #let(value: string, type = "u64"): string {
    const name = `v${this.#counter++}`;
    this.#line(`let ${name}: ${type} = ${value};`);
    return name;
  }

  #line(statement: string): void {
    this.#lines.push("  ".repeat(this.#indent) + statement);
  }

  #block(head: string, body: () => void): void {
    this.#line(`${head} {`);
    this.#indent += 1;
    body();
    this.#indent -= 1;
    this.#line("}");
  }
}

function bind(locals: Locals, depth: number, names: readonly string[]): Locals {
  return [...locals.slice(0, depth), ...names];
}

/** `principal.policyVersion` -> `inputPrincipalPolicyVersion`. */
function inputFunction(input: string): string {
  return `input${input
    .split(".")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("")}`;
}

function describe(value: {
  readonly kind: string;
  readonly value?: unknown;
  readonly name?: string;
}): string {
  switch (value.kind) {
    case "string":
      return JSON.stringify(value.value);
    case "uint":
      return `${String(value.value)}u`;
    case "bytes":
      return "bytes";
    case "type":
      return value.name ?? "";
    case "null":
      return "null";
    default:
      return String(value.value);
  }
}
