/** CEL arithmetic against exact integers and JavaScript's doubles; the refusals are those of Cerbos 0.55. */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_DIVISION_BY_ZERO,
  ERROR_FUEL,
  ERROR_MEMORY,
  ERROR_MODULUS_BY_ZERO,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  ERROR_OVERFLOW,
} from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, encode, decode, failure, type Value } from "../support/values.ts";
import { anyDouble, anyInt, anyUint } from "./numbers.ts";

const RUNS = { numRuns: 1000 };
const MIN = -(1n << 63n);
const NAMES = ["add", "subtract", "multiply", "divide", "modulo"] as const;
type Name = (typeof NAMES)[number];

const WHOLE: Readonly<Record<Name, (left: bigint, right: bigint) => bigint>> = {
  add: (left, right) => left + right,
  subtract: (left, right) => left - right,
  multiply: (left, right) => left * right,
  divide: (left, right) => left / right,
  modulo: (left, right) => left % right,
};
const REAL: Readonly<Partial<Record<Name, (left: number, right: number) => number>>> = {
  add: (left, right) => left + right,
  subtract: (left, right) => left - right,
  multiply: (left, right) => left * right,
  divide: (left, right) => left / right,
};

/** What an operator must answer for two whole numbers; `fit` says whether the result is in range. */
function exact(name: Name, left: bigint, right: bigint, fit: (value: bigint) => boolean): bigint | Value {
  if (right === 0n && name === "divide") return failure(ERROR_DIVISION_BY_ZERO);
  if (right === 0n && name === "modulo") return failure(ERROR_MODULUS_BY_ZERO);
  // cel-go refuses the remainder where the quotient overflows.
  if (name === "modulo" && left === MIN && right === -1n) return failure(ERROR_OVERFLOW);
  const result = WHOLE[name](left, right);
  return fit(result) ? result : failure(ERROR_OVERFLOW);
}

const isInt = (value: bigint): boolean => BigInt.asIntN(64, value) === value;
const isUint = (value: bigint): boolean => BigInt.asUintN(64, value) === value;

describe.each(BUILDS)("arithmetic (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  it.each(NAMES)("%s of ints is exact or an error", (name) => {
    fc.assert(
      fc.property(anyInt, anyInt, (left, right) => {
        guest.reset();
        expect(apply(guest, name, left, right)).toEqual(exact(name, left, right, isInt));
      }),
      RUNS,
    );
    expect(apply(guest, name, MIN, -1n)).toEqual(exact(name, MIN, -1n, isInt));
  });

  it.each(NAMES)("%s of uints is exact or an error", (name) => {
    fc.assert(
      fc.property(anyUint, anyUint, (left, right) => {
        guest.reset();
        const wanted = exact(name, left, right, isUint);
        expect(apply(guest, name, { uint: left }, { uint: right })).toEqual(
          typeof wanted === "bigint" ? { uint: wanted } : wanted,
        );
      }),
      RUNS,
    );
  });

  it.each(Object.entries(REAL))("%s of doubles is IEEE 754's", (name, operator) => {
    fc.assert(
      fc.property(anyDouble, anyDouble, (left, right) => {
        guest.reset();
        expect(apply(guest, name, left, right)).toBe(operator(left, right));
      }),
      RUNS,
    );
  });

  it("negates ints, doubles and durations", () => {
    expect([5n, 1.5, 0, { duration: 7n }].map((value) => apply(guest, "negate", value))).toEqual([
      -5n,
      -1.5,
      -0,
      { duration: -7n },
    ]);
    expect(apply(guest, "negate", MIN)).toEqual(failure(ERROR_OVERFLOW));
    expect(apply(guest, "negate", { duration: MIN })).toEqual(failure(ERROR_OVERFLOW));
    for (const value of [{ uint: 1n }, "a", null, true]) {
      expect(apply(guest, "negate", value)).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
    }
  });

  it.each([
    [1n, 1],
    [1n, { uint: 1n }],
    [1, { uint: 1n }],
    ["a", 1n],
    ["a", new Uint8Array([1])],
    [[1n], "a"],
    [null, null],
    [true, true],
    [{ map: [] }, { map: [] }],
    [{ timestamp: [0n, 0] }, 1n],
    [{ duration: 0n }, 1n],
    [{ type: "int" }, { type: "int" }],
  ] as const)("has no overload for %o and %o", (left, right) => {
    for (const name of NAMES)
      expect(apply(guest, name, left, right)).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
  });

  it.each([
    ["subtract", "a", "a"],
    ["multiply", [1n], [1n]],
    ["modulo", 1.5, 1],
    ["multiply", { duration: 1n }, { duration: 1n }],
    ["add", { timestamp: [0n, 0] }, { timestamp: [0n, 0] }],
    ["subtract", { duration: 1n }, { timestamp: [0n, 0] }],
  ] as const)("has no overload for %s of %o and %o", (name, left, right) => {
    expect(apply(guest, name, left, right)).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
  });

  it.each(NAMES)("%s answers the leftmost error", (name) => {
    const error = failure(ERROR_NO_SUCH_KEY, "k");
    expect(apply(guest, name, error, failure(ERROR_FUEL))).toEqual(error);
    expect(apply(guest, name, 1n, error)).toEqual(error);
    expect(apply(guest, name, error, 1n)).toEqual(error);
  });

  it("joins strings, bytes and lists", () => {
    expect(apply(guest, "add", "é", "😀x")).toBe("é😀x");
    expect(apply(guest, "add", "", "")).toBe("");
    expect(apply(guest, "add", new Uint8Array([1]), new Uint8Array([2, 3]))).toEqual(
      new Uint8Array([1, 2, 3]),
    );
    expect(apply(guest, "add", [1n, "a"], [null])).toEqual([1n, "a", null]);
    expect(apply(guest, "add", [], [1n])).toEqual([1n]);
    expect(apply(guest, "add", [1n], [])).toEqual([1n]);
  });

  it("does not touch its operands", () => {
    const left = encode(guest, [1n]);
    const right = encode(guest, [2n]);
    const sum = guest.call("add", left, right);
    expect([sum, guest.call("add", sum, right), left, right].map((bits) => decode(guest, bits))).toEqual([
      [1n, 2n],
      [1n, 2n, 2n],
      [1n],
      [2n],
    ]);
  });

  it("refuses what the fuel or the arena cannot hold", () => {
    for (const value of ["x".repeat(1 << 20), Array.from({ length: 1 << 17 }, () => null)]) {
      guest.reset();
      let sum = encode(guest, value);
      for (let turn = 0; turn < 8; turn++) sum = guest.call("add", sum, sum);
      expect(decode(guest, sum)).toEqual(failure(ERROR_MEMORY));
      expect(guest.global("exhausted")).toBe(1);
      guest.reset(100n);
      expect(apply(guest, "add", value, value)).toEqual(failure(ERROR_FUEL));
    }
  });

  // Year 1 to the end of year 9999; differences that fit a duration's 64 bits of nanoseconds.
  it.each([
    ["add", { timestamp: [1n, 999_999_999] }, { duration: 1n }, { timestamp: [2n, 0] }],
    ["add", { duration: -1n }, { timestamp: [0n, 0] }, { timestamp: [-1n, 999_999_999] }],
    ["add", { timestamp: [0n, 1, 7200] }, { duration: 3_000_000_000n }, { timestamp: [3n, 1, 7200] }],
    ["subtract", { timestamp: [0n, 1, -3600] }, { duration: 2n }, { timestamp: [-1n, 999_999_999, -3600] }],
    ["subtract", { timestamp: [5n, 1] }, { timestamp: [3n, 2] }, { duration: 1_999_999_999n }],
    ["subtract", { timestamp: [3n, 2] }, { timestamp: [5n, 1] }, { duration: -1_999_999_999n }],
    [
      "add",
      { timestamp: [253402300799n, 0] },
      { duration: 999_999_999n },
      { timestamp: [253402300799n, 999_999_999] },
    ],
    ["add", { timestamp: [253402300799n, 0] }, { duration: 1_000_000_000n }, failure(ERROR_OVERFLOW)],
    ["subtract", { timestamp: [-62135596800n, 0] }, { duration: 1n }, failure(ERROR_OVERFLOW)],
    ["subtract", { timestamp: [0n, 0] }, { duration: MIN }, failure(ERROR_OVERFLOW)],
    ["subtract", { timestamp: [0n, 0] }, { duration: MIN + 1n }, { timestamp: [9223372036n, 854775807] }],
    ["subtract", { timestamp: [0n, 0] }, { timestamp: [9223372036n, 854775808] }, { duration: MIN }],
    ["subtract", { timestamp: [0n, 0] }, { timestamp: [9223372036n, 854775809] }, failure(ERROR_OVERFLOW)],
    ["subtract", { timestamp: [-9223372037n, 999_999_999] }, { timestamp: [0n, 0] }, failure(ERROR_OVERFLOW)],
    [
      "subtract",
      { timestamp: [253402300799n, 0] },
      { timestamp: [-62135596800n, 0] },
      failure(ERROR_OVERFLOW),
    ],
    ["subtract", { timestamp: [9223372037n, 0] }, { timestamp: [0n, 0] }, failure(ERROR_OVERFLOW)],
    ["subtract", { timestamp: [0n, 0] }, { timestamp: [9223372037n, 0] }, failure(ERROR_OVERFLOW)],
    // Would fit, but cel-go multiplies the seconds first.
    ["subtract", { timestamp: [9223372037n, 0] }, { timestamp: [0n, 999_999_999] }, failure(ERROR_OVERFLOW)],
    ["add", { duration: 1n }, { duration: 2n }, { duration: 3n }],
    ["add", { duration: -MIN - 1n }, { duration: 1n }, failure(ERROR_OVERFLOW)],
    ["subtract", { duration: MIN }, { duration: 1n }, failure(ERROR_OVERFLOW)],
  ] as const)("%s of times: %o and %o is %o", (name, left, right, wanted) => {
    expect(apply(guest, name, left, right)).toEqual(wanted);
  });
});
