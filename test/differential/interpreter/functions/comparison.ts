/** Comparison and logic: `==`, `!=`, `<`, `<=`, `>`, `>=`, `!`, `in` (cel-spec langdef, "Equality", "Ordering"). */
import { bool, compare, equal, equality, findEntry, noSuchOverload, type Value } from "../values.ts";
import type { Family } from "./family.ts";

/** Applies `test` to the order of two values; with a NaN there is no order and the answer is false. */
function ordered(left: Value, right: Value, test: (order: number) => boolean): Value {
  const order = compare(left, right);
  if (typeof order === "object") return order;
  return bool(order !== undefined && test(order));
}

export const COMPARISON: Family<
  "equals" | "notEquals" | "less" | "lessEquals" | "greater" | "greaterEquals" | "not" | "isIn"
> = {
  equals: (left, right) => {
    const same = equality(left, right);
    return same === undefined ? noSuchOverload() : bool(same);
  },
  notEquals: (left, right) => bool(equality(left, right) !== true),
  less: (left, right) => ordered(left, right, (order) => order < 0),
  lessEquals: (left, right) => ordered(left, right, (order) => order <= 0),
  greater: (left, right) => ordered(left, right, (order) => order > 0),
  greaterEquals: (left, right) => ordered(left, right, (order) => order >= 0),
  not: (value) => (value.kind === "bool" ? bool(!value.value) : noSuchOverload()),
  isIn: (element, container) => {
    if (container.kind === "list") return bool(container.items.some((item) => equal(element, item)));
    if (container.kind === "map") return bool(findEntry(container.entries, element) !== undefined);
    return noSuchOverload();
  },
};
