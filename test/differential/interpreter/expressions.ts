/**
 * Evaluates expressions of a Program for one request: a direct walk of the graph, every operand evaluated anew.
 * Errors are values; which constructs absorb them is stated on each case. Functions are in functions/, conditions
 * (trees of expressions) in conditions.ts.
 */
import type { InputName } from "../../../compiler/cel/expression.ts";
import { NONE, type Expr, type ExprId, type Program } from "../../../compiler/ir/program.ts";
import { callFunction } from "./functions/index.ts";
import { sortBy } from "./functions/lists.ts";
import { itemAt } from "./functions/select.ts";
import {
  bool,
  error,
  findEntry,
  findSameKey,
  fromConstant,
  fromJson,
  list,
  noSuchKey,
  noSuchOverload,
  string,
  type MapEntry,
  type Value,
} from "./values.ts";

/** What one resource entry of a request offers to its expressions. */
export interface Inputs {
  /** The value of an input; an error for what this engine cannot give. */
  input(name: InputName): Value;
  /** An attribute of the principal or the resource, undefined when the request does not have it. */
  attribute(slot: number): Value | undefined;
}

/** Evaluates expression `id`; `locals` are the variables of the enclosing macros, outermost first. */
export function evaluate(program: Program, inputs: Inputs, id: ExprId, locals: readonly Value[] = []): Value {
  const expr = program.expressions[id];
  if (expr === undefined) throw new Error(`the program has no expression ${id}`);
  const at = (operand: ExprId): Value => evaluate(program, inputs, operand, locals);
  switch (expr.op) {
    case "literal":
      return fromConstant(expr.value);
    case "json":
      return fromJson(expr.value);
    case "input":
      return inputs.input(expr.input);
    case "attribute":
      return inputs.attribute(expr.slot) ?? noSuchKey(program.attributes[expr.slot]?.key ?? "");
    case "hasAttribute":
      return bool(inputs.attribute(expr.slot) !== undefined);
    case "local":
      return locals[expr.depth] ?? error(`unbound local ${expr.depth}`);
    case "select":
      return select(at(expr.operand), expr.field);
    case "optionalSelect":
      return optionalSelect(at(expr.operand), expr.field);
    case "has":
      return has(at(expr.operand), expr.field);
    case "and":
      return logic(expr.args, at, false);
    case "or":
      return logic(expr.args, at, true);
    case "conditional": {
      const condition = at(expr.condition);
      if (condition.kind === "error") return condition;
      if (condition.kind !== "bool") return noSuchOverload();
      return at(condition.value ? expr.then : expr.otherwise);
    }
    case "call":
      return alternative(expr, at) ?? callFunction(expr.guest, expr.args.map(at));
    case "list":
      return listOf(expr, at);
    case "map":
      return mapOf(expr, at);
    case "macro":
      return macro(program, inputs, expr, locals);
    // An error is bound like any value: it shows only where the body reads the variable.
    case "bind":
      return evaluate(program, inputs, expr.body, bind(locals, expr.depth, [at(expr.value)]));
  }
}

/**
 * Where the first argument decides, the other is not looked at, be it an error: `or` and `orValue` of a value that is there,
 * and whatever is asked of an optional without a value.
 */
function alternative(
  { guest, args: [first] }: Extract<Expr, { readonly op: "call" }>,
  at: (operand: ExprId) => Value,
): Value | undefined {
  const asks = guest === "index" || guest === "optionalIndex";
  if (first === undefined || !(asks || guest === "optionalOr" || guest === "optionalOrValue"))
    return undefined;
  const value = at(first);
  if (value.kind !== "optional") return undefined;
  if (asks) return value.value === undefined ? value : undefined;
  if (value.value === undefined) return undefined;
  return guest === "optionalOr" ? value : value.value;
}

function bind(locals: readonly Value[], depth: number, values: readonly Value[]): readonly Value[] {
  return [...locals.slice(0, depth), ...values];
}

/**
 * `&&` (decisive false) and `||` (decisive true): the decisive value wins over errors on either side, else the first
 * error, else the other bool. An operand that is not a bool is an error.
 */
function logic(args: readonly ExprId[], at: (id: ExprId) => Value, decisive: boolean): Value {
  let failed: Value | undefined;
  for (const arg of args) {
    const value = at(arg);
    if (value.kind === "bool") {
      if (value.value === decisive) return value;
    } else failed ??= value.kind === "error" ? value : noSuchOverload();
  }
  return failed ?? bool(!decisive);
}

/** `operand.field` on maps, messages and (chained) optionals. */
function select(operand: Value, field: string): Value {
  if (operand.kind === "error") return operand;
  if (operand.kind === "optional") return optionalSelect(operand, field);
  return itemAt(operand, string(field));
}

/** `operand.?field`: an optional, empty when the field is missing. */
function optionalSelect(operand: Value, field: string): Value {
  return callFunction("optionalSelectField", [operand, string(field)]);
}

/** `has(operand.field)`: what holds no field of that name at all (a string, a number) has none; a list cannot be asked. */
function has(operand: Value, field: string): Value {
  return callFunction("hasField", [operand, string(field)]);
}

function listOf(expr: Expr & { op: "list" }, at: (id: ExprId) => Value): Value {
  const items: Value[] = [];
  for (const { value: id, optional } of expr.items) {
    const value = at(id);
    if (value.kind === "error") return value;
    if (!optional) items.push(value);
    else if (value.kind !== "optional") return noSuchOverload();
    else if (value.value !== undefined) items.push(value.value);
  }
  return list(items);
}

/** What Go cannot hash. */
const NO_KEYS: ReadonlySet<Value["kind"]> = new Set(["bytes", "hierarchy", "spiffeMatcher"] as const);

/** Later entries with an equal key replace earlier ones (COMPAT.md section 7.2). */
function mapOf(expr: Expr & { op: "map" }, at: (id: ExprId) => Value): Value {
  let entries: MapEntry[] = [];
  for (const entry of expr.entries) {
    const key = at(entry.key);
    if (key.kind === "error") return key;
    let value = at(entry.value);
    if (value.kind === "error") return value;
    if (entry.optional) {
      if (value.kind !== "optional") return noSuchOverload();
      if (value.value === undefined) continue;
      value = value.value;
    }
    if (NO_KEYS.has(key.kind)) return error("internal error: runtime error: hash of unhashable type");
    const replaced = findSameKey(entries, key);
    entries = entries.filter((other) => other !== replaced);
    entries.push({ key, value });
  }
  return { kind: "map", entries };
}

/** One turn of a comprehension: the values of its one or two variables. */
type Turn = readonly Value[];

function turnsOf(range: Value, variables: 1 | 2): readonly Turn[] | undefined {
  if (range.kind === "list") {
    return range.items.map((item, index) =>
      variables === 1 ? [item] : [{ kind: "int", value: BigInt(index) }, item],
    );
  }
  if (range.kind === "map")
    return range.entries.map(({ key, value }) => (variables === 1 ? [key] : [key, value]));
  return undefined;
}

function macro(
  program: Program,
  inputs: Inputs,
  expr: Expr & { op: "macro" },
  locals: readonly Value[],
): Value {
  const range = evaluate(program, inputs, expr.range, locals);
  if (range.kind === "error") return range;
  const turns = turnsOf(range, expr.variables);
  if (turns === undefined || (expr.macro === "sortBy" && range.kind !== "list")) return noSuchOverload();
  const body = (turn: Turn): Value => evaluate(program, inputs, expr.body, bind(locals, expr.depth, turn));
  const keeps = (turn: Turn): Value =>
    expr.filter === NONE
      ? bool(true)
      : evaluate(program, inputs, expr.filter, bind(locals, expr.depth, turn));
  switch (expr.macro) {
    case "all":
      return quantifier(turns, body, false);
    case "exists":
      return quantifier(turns, body, true);
    case "existsOne":
      return existsOne(turns, body);
    case "filter":
      return filtered(range, turns, body);
    case "map":
    case "transformList":
      return collect(turns, keeps, body, (values) => list(values));
    case "transformMap":
      return collect(turns, keeps, body, (values, kept) => ({
        kind: "map",
        entries: values.map((value, index) => ({ key: kept[index]?.[0] ?? error("no key"), value })),
      }));
    case "transformMapEntry":
      return collect(turns, keeps, body, (values) => mergeEntries(values));
    case "sortBy":
      return collect(turns, keeps, body, (keys, kept) => sortBy(keys, kept.map(lastOf)));
  }
}

function lastOf(turn: Turn): Value {
  return turn.at(-1) ?? error("no variable");
}

/** `all` (decisive false) and `exists` (decisive true) absorb the errors of other elements, as `&&` and `||` do. */
function quantifier(turns: readonly Turn[], body: (turn: Turn) => Value, decisive: boolean): Value {
  let failed: Value | undefined;
  for (const turn of turns) {
    const value = body(turn);
    if (value.kind === "bool") {
      if (value.value === decisive) return value;
    } else failed ??= value.kind === "error" ? value : noSuchOverload();
  }
  return failed ?? bool(!decisive);
}

/** Exactly one: an error of any element is the result. */
function existsOne(turns: readonly Turn[], body: (turn: Turn) => Value): Value {
  let count = 0;
  for (const turn of turns) {
    const value = body(turn);
    if (value.kind === "error") return value;
    if (value.kind !== "bool") return noSuchOverload();
    if (value.value) count += 1;
  }
  return bool(count === 1);
}

/** `filter` keeps list items; over a map, the keys. */
function filtered(range: Value, turns: readonly Turn[], body: (turn: Turn) => Value): Value {
  const kept: Value[] = [];
  for (const turn of turns) {
    const value = body(turn);
    if (value.kind === "error") return value;
    if (value.kind !== "bool") return noSuchOverload();
    if (value.value) kept.push(range.kind === "map" ? (turn[0] ?? range) : lastOf(turn));
  }
  return list(kept);
}

function collect(
  turns: readonly Turn[],
  keeps: (turn: Turn) => Value,
  body: (turn: Turn) => Value,
  result: (values: readonly Value[], kept: readonly Turn[]) => Value,
): Value {
  const values: Value[] = [];
  const kept: Turn[] = [];
  for (const turn of turns) {
    const keep = keeps(turn);
    if (keep.kind === "error") return keep;
    if (keep.kind !== "bool") return noSuchOverload();
    if (!keep.value) continue;
    const value = body(turn);
    if (value.kind === "error") return value;
    values.push(value);
    kept.push(turn);
  }
  return result(values, kept);
}

/** transformMapEntry: every turn gives a map; the same key twice is an error. */
function mergeEntries(maps: readonly Value[]): Value {
  const entries: MapEntry[] = [];
  for (const map of maps) {
    if (map.kind !== "map") return noSuchOverload();
    for (const entry of map.entries) {
      if (findEntry(entries, entry.key) !== undefined) return error("insert failed: key already exists");
      entries.push(entry);
    }
  }
  return { kind: "map", entries };
}
