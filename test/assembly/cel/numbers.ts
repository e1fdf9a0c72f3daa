/** Numbers of all three CEL kinds for property tests, crowded where the kinds meet, and their order. */
import * as fc from "fast-check";
import type { Value } from "../support/values.ts";

const EDGES = [0n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 62n, 1n << 63n, 1n << 64n];
const near = fc
  .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -2, max: 2 }), fc.boolean())
  .map(([edge, step, negative]) => (negative ? -edge : edge) + BigInt(step));

/** Ints, many of them near the ends of the range and near powers of two. */
export const anyInt = fc.oneof(
  near.filter((value) => BigInt.asIntN(64, value) === value),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.bigInt({ min: -20n, max: 20n }),
);
export const anyUint = fc.oneof(
  near.filter((value) => BigInt.asUintN(64, value) === value),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 0n, max: 20n }),
);
export const anyDouble = fc.oneof(
  near.map(Number),
  fc.double(),
  fc.integer({ min: -20, max: 20 }).map((value) => value / 2),
);

/** An int, a uint or a double, as a `Value`. */
export const anyNumber: fc.Arbitrary<Value> = fc.oneof(
  anyInt,
  anyUint.map((uint) => ({ uint })),
  anyDouble,
);

/**
 * The order of two numbers: negative, 0, positive; undefined when one is NaN. Ints and uints are compared exactly, with
 * a double they are compared as the nearest double.
 */
export function celOrder(left: Value, right: Value): number | undefined {
  let first = plain(left);
  let second = plain(right);
  if (typeof first === "number") second = Number(second);
  if (typeof second === "number") first = Number(first);
  return first < second
    ? -1
    : first > second
      ? 1
      : Number.isNaN(first) || Number.isNaN(second)
        ? undefined
        : 0;
}

function plain(value: Value): bigint | number {
  if (typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value === "object" && value !== null && "uint" in value) return value.uint;
  throw new Error("not a number");
}
