/** List and set functions of cel-go ext and of Cerbos (COMPAT.md sections 7.3, 7.4). */
import {
  bool,
  compare,
  equal,
  error,
  isNumber,
  list,
  noSuchOverload,
  NONE_OPTIONAL,
  type Value,
} from "../values.ts";
import type { Family, Implementation } from "./family.ts";

function has(items: readonly Value[], item: Value): boolean {
  return items.some((other) => equal(item, other));
}

/** An implementation over two lists. */
function onLists(implementation: (a: readonly Value[], b: readonly Value[]) => Value): Implementation {
  return (a, b) =>
    a.kind === "list" && b.kind === "list" ? implementation(a.items, b.items) : noSuchOverload();
}

/** Items ordered by their keys; keys must all be of one comparable type. */
export function sortBy(keys: readonly Value[], items: readonly Value[]): Value {
  const [first] = keys;
  if (first === undefined) return list([]);
  const mixed = keys.find((key) => key.kind !== first.kind);
  if (mixed !== undefined) return error("list elements must have the same type");
  const self = compare(first, first);
  if (typeof self === "object") return error("list elements must be comparable");
  const order = keys.map((key, index) => ({ key, item: items[index] ?? key }));
  order.sort((a, b) => {
    const result = compare(a.key, b.key);
    return typeof result === "number" ? result : 0;
  });
  return list(order.map(({ item }) => item));
}

function flatten(items: readonly Value[], depth: number): readonly Value[] {
  if (depth === 0) return items;
  return items.flatMap((item) => (item.kind === "list" ? flatten(item.items, depth - 1) : [item]));
}

function distinct(items: readonly Value[]): Value {
  const kept: Value[] = [];
  for (const item of items) if (!has(kept, item)) kept.push(item);
  return list(kept);
}

/** Items of both: in the order of the shorter list, of the first when they are equally long. */
function intersect(a: readonly Value[], b: readonly Value[]): Value {
  const [kept, other] = a.length > b.length ? [b, a] : [a, b];
  return list(kept.filter((item) => has(other, item)));
}

function position(value: Value): number | undefined {
  return value.kind === "int" ? Number(value.value) : undefined;
}

const subset = (a: readonly Value[], b: readonly Value[]): boolean => a.every((item) => has(b, item));

export const LISTS: Family<
  | "slice"
  | "flatten1"
  | "flatten2"
  | "distinct"
  | "sort"
  | "listsRange"
  | "first"
  | "last"
  | "setsContains"
  | "setsEquivalent"
  | "setsIntersects"
  | "except"
  | "intersect"
  | "hasIntersection"
  | "isSubset"
> = {
  slice: (value, from, to) => {
    const [start, end] = [position(from), position(to)];
    if (value.kind !== "list" || start === undefined || end === undefined) return noSuchOverload();
    if (start < 0 || end < 0) return error(`cannot slice(${start}, ${end}), negative indexes not supported`);
    if (start > end)
      return error(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
    if (end > value.items.length)
      return error(`cannot slice(${start}, ${end}), list is length ${value.items.length}`);
    return list(value.items.slice(start, end));
  },
  flatten1: (value) => (value.kind === "list" ? list(flatten(value.items, 1)) : noSuchOverload()),
  flatten2: (value, levels) => {
    const depth = position(levels);
    if (value.kind !== "list" || depth === undefined) return noSuchOverload();
    return depth < 0 ? error("level must be non-negative") : list(flatten(value.items, depth));
  },
  distinct: (value) => (value.kind === "list" ? distinct(value.items) : noSuchOverload()),
  sort: (value) => (value.kind === "list" ? sortBy(value.items, value.items) : noSuchOverload()),
  listsRange: (value) => {
    const count = position(value);
    if (count === undefined) return noSuchOverload();
    if (count < 0) return error(`lists.range: size must be non-negative, got ${count}`);
    return list(Array.from({ length: count }, (_, at) => ({ kind: "int", value: BigInt(at) }) as const));
  },
  first: (value) => itemFrom(value, 0),
  last: (value) => itemFrom(value, -1),
  setsContains: onLists((a, b) => bool(subset(b, a))),
  setsEquivalent: onLists((a, b) => bool(subset(a, b) && subset(b, a))),
  setsIntersects: onLists((a, b) => bool(a.some((item) => has(b, item)))),
  except: onLists((a, b) => list(a.filter((item) => !has(b, item)))),
  intersect: onLists(intersect),
  hasIntersection: onLists((a, b) => bool(a.some((item) => has(b, item)))),
  isSubset: onLists((a, b) => bool(subset(a, b))),
};

function itemFrom(value: Value, at: number): Value {
  if (value.kind !== "list") return noSuchOverload();
  const item = value.items.at(at);
  return item === undefined ? NONE_OPTIONAL : { kind: "optional", value: item };
}

/** Whether `a` orders before `b`, for greatest and least; undefined when they cannot be compared. */
export function isLess(a: Value, b: Value): boolean | undefined {
  if (!isNumber(a) || !isNumber(b)) return undefined;
  const order = compare(a, b);
  return typeof order === "number" ? order < 0 : undefined;
}
