/**
 * A tiny evaluator for tests: parses a CEL expression with npm `@bufbuild/cel`'s parser and runs every literal and
 * call of it through guest functions. It has no variables, no macros and no type checker, so what the compiler
 * would refuse is a run-time error here.
 */
import { parse } from "@bufbuild/cel";
import * as abi from "../../../assembly/abi.ts";
import type { Guest } from "../support/build-guest.ts";
import { encode, tagOf, type Value } from "../support/values.ts";

type Expression = ReturnType<typeof parse>["expr"];

const OPERATORS: Readonly<Record<string, string>> = {
  "_==_": "equals",
  "_!=_": "notEquals",
  "_<_": "less",
  "_<=_": "lessEquals",
  "_>_": "greater",
  "_>=_": "greaterEquals",
  "!_": "not",
  "@in": "isIn",
  "_+_": "add",
  "_-_": "subtract",
  "_*_": "multiply",
  "_/_": "divide",
  "_%_": "modulo",
  "-_": "negate",
  "_[_]": "index",
  "base64.decode": "base64Decode",
  "base64.encode": "base64Encode",
  "optional.of": "optionalOf",
  "optional.none": "optionalNone",
  "optional.ofNonZeroValue": "optionalOfNonZero",
  "strings.quote": "quote",
  "lists.range": "listsRange",
  "sets.contains": "setsContains",
  "sets.equivalent": "setsEquivalent",
  "sets.intersects": "setsIntersects",
  hasValue: "optionalHasValue",
  value: "optionalValue",
  or: "optionalOr",
  orValue: "optionalOrValue",
  has_intersection: "hasIntersection",
  is_subset: "isSubset",
  id: "identity",
  int: "toInt",
  uint: "toUint",
  double: "toDouble",
  bool: "toBool",
  bytes: "toBytes",
  string: "toText",
  timestamp: "toTimestamp",
  duration: "toDuration",
  dyn: "toDyn",
  type: "typeOf",
};
const TYPES: Readonly<Record<string, string>> = {
  int: "int",
  uint: "uint",
  double: "double",
  bool: "bool",
  string: "string",
  bytes: "bytes",
  list: "list",
  map: "map",
  null_type: "null_type",
  type: "type",
  "google.protobuf.Timestamp": "google.protobuf.Timestamp",
  "google.protobuf.Duration": "google.protobuf.Duration",
};
const BY_ARITY = new Set(
  ["indexOf", "lastIndexOf", "replace", "split", "substring", "join", "flatten", "hierarchy"].concat(
    ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours"],
    ["getMinutes", "getSeconds", "getMilliseconds"],
  ),
);
/** Operations that other files hand on to hierarchy.ts. */
const OF_HIERARCHIES: Readonly<Record<string, string>> = {
  equals: "hierarchyEquals",
  index: "hierarchyAt",
  size: "hierarchySize",
};
/** What `now()` answers: 2026-01-01T00:00:00Z. */
const NOW: Value = { timestamp: [1_767_225_600n, 0] };

/** Raised for what this evaluator does not know; tests skip such expressions. */
export class Unsupported extends Error {}

/** Evaluates an expression in an empty arena; the bits of its value, which may be an error value. */
export function evaluate(guest: Guest, expression: string): bigint {
  guest.reset();
  let parsed: Expression;
  try {
    parsed = parse(expression).expr;
  } catch (cause) {
    throw new Unsupported(`cannot parse \`${expression}\``, { cause });
  }
  return walk(guest, parsed);
}

function walk(guest: Guest, expression: Expression): bigint {
  const kind = expression.exprKind;
  if (kind.case === "constExpr") return encode(guest, constant(kind.value.constantKind));
  if (kind.case === "callExpr") return call(guest, kind.value.function, kind.value.target, kind.value.args);
  if (kind.case === "listExpr") {
    const items = kind.value.elements.map((item) => walk(guest, item));
    return container(guest, abi.TAG_LIST, items, 1);
  }
  if (kind.case === "structExpr") {
    const items = kind.value.entries.flatMap((entry) => {
      if (entry.keyKind.case !== "mapKey" || entry.value === undefined) throw new Unsupported("message");
      return [walk(guest, entry.keyKind.value), walk(guest, entry.value)];
    });
    return container(guest, abi.TAG_MAP, items, 2);
  }
  const name = qualifiedName(expression);
  const type = name === undefined ? undefined : TYPES[name];
  if (type === undefined) throw new Unsupported(name ?? kind.case);
  return encode(guest, { type });
}

function constant(kind: { readonly case: string | undefined; readonly value?: unknown }): Value {
  const { value } = kind;
  if (kind.case === "nullValue") return null;
  if (kind.case === "uint64Value" && typeof value === "bigint") return { uint: value };
  if (typeof value === "boolean" || typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw new Unsupported(String(kind.case));
}

/** A list or map cell over values that are there already; the first error among them instead. */
function container(guest: Guest, tag: number, items: readonly bigint[], width: number): bigint {
  const failed = items.find((item) => tagOf(item) === abi.TAG_ERROR);
  if (failed !== undefined) return failed;
  const cell = guest.allocate(8 + 8 * items.length);
  guest.view.setBigUint64(cell, BigInt(items.length / width), true);
  items.forEach((item, index) => guest.view.setBigUint64(cell + 8 + 8 * index, item, true));
  return 0xfff8_0000_0000_0000n | (BigInt(tag) << 32n) | BigInt(cell);
}

function qualifiedName(expression: Expression): string | undefined {
  const kind = expression.exprKind;
  if (kind.case === "identExpr") return kind.value.name;
  if (kind.case !== "selectExpr" || kind.value.operand === undefined || kind.value.testOnly) return undefined;
  const operand = qualifiedName(kind.value.operand);
  return operand === undefined ? undefined : `${operand}.${kind.value.field}`;
}

function call(
  guest: Guest,
  name: string,
  target: Expression | undefined,
  args: readonly Expression[],
): bigint {
  const namespace = target === undefined ? undefined : qualifiedName(target);
  const isNamespace =
    namespace !== undefined && ["base64", "math", "sets", "lists", "strings", "optional"].includes(namespace);
  const full = isNamespace ? `${namespace}.${name}` : name;
  if (full === "math.greatest" || full === "math.least") return extreme(guest, full, args);
  if (name === "_&&_" || name === "_||_" || name === "_?_:_") return logic(guest, name, args);
  const values = [...(target === undefined || isNamespace ? [] : [target]), ...args].map((item) =>
    walk(guest, item),
  );
  if (full === "now") return encode(guest, NOW);
  if (full === "timeSince") values.push(encode(guest, NOW));
  const wanted = guestName(guest, full, values.length);
  const onHierarchies = values[0] !== undefined && tagOf(values[0]) === abi.TAG_HIERARCHY;
  return guest.call((onHierarchies ? OF_HIERARCHIES[wanted] : undefined) ?? wanted, ...values);
}

function guestName(guest: Guest, full: string, arity: number): string {
  let name = OPERATORS[full] ?? full;
  if (name.startsWith("math.")) name = `math${name.charAt(5).toUpperCase()}${name.slice(6)}`;
  if (BY_ARITY.has(name)) name += String(arity);
  try {
    guest.function(name);
  } catch (cause) {
    throw new Unsupported(name, { cause });
  }
  return name;
}

/** As the compiler passes them: one argument that is no literal as it is, several as a list. */
function extreme(guest: Guest, name: string, args: readonly Expression[]): bigint {
  const values = args.map((item) => walk(guest, item));
  const single = values.length === 1 ? values[0] : undefined;
  const guestFunction = name === "math.least" ? "mathLeast" : "mathGreatest";
  return guest.call(guestFunction, single ?? container(guest, abi.TAG_LIST, values, 1));
}

function logic(guest: Guest, name: string, args: readonly Expression[]): bigint {
  const values = args.map((item) => walk(guest, item));
  const [first, second, third] = values;
  if (first === undefined || second === undefined) throw new Unsupported(name);
  const truth = encode(guest, true);
  if (name === "_?_:_") {
    if (tagOf(first) !== abi.TAG_BOOL) return first;
    return first === truth ? second : (third ?? first);
  }
  const decisive = encode(guest, name === "_||_");
  if (first === decisive || second === decisive) return decisive;
  return tagOf(first) === abi.TAG_ERROR ? first : second;
}
