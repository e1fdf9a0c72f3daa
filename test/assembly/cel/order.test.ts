/** CEL `<`, `<=`, `>`, `>=`. */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ERROR_FUEL, ERROR_NO_SUCH_KEY, ERROR_NO_SUCH_OVERLOAD } from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, encode, failure, type Value } from "../support/values.ts";
import { anyNumber, celOrder } from "./numbers.ts";

const OPERATORS = ["less", "lessEquals", "greater", "greaterEquals"] as const;
const UNORDERED = 2;
const INCOMPARABLE = 3;

/** Pairs whose first is smaller. */
const ascending: readonly (readonly [Value, Value])[] = [
  ["a", "b"],
  ["", "a"],
  ["a", "ab"],
  ["Z", "a"],
  ["z", "é"],
  ["\uffff", "😀"],
  [new Uint8Array([1]), new Uint8Array([2])],
  [new Uint8Array([127]), new Uint8Array([128])],
  [new Uint8Array(), new Uint8Array([0])],
  [false, true],
  [{ timestamp: [1n, 5] }, { timestamp: [1n, 6] }],
  [{ timestamp: [-2n, 9] }, { timestamp: [-1n, 0] }],
  [{ duration: -5n }, { duration: 4n }],
  [9007199254740992, 9007199254740994n],
  [9007199254740992n, { uint: 9007199254740993n }],
  [-0.5, 0n],
  [-1n, { uint: 0n }],
  [1n, 1.5],
  [-1.5, -1n],
];
const refused: readonly (readonly [Value, Value])[] = [
  [1n, "a"],
  ["a", 1n],
  [true, 1n],
  [null, null],
  [[1n], [2n]],
  [{ map: [] }, { map: [] }],
  [{ type: "int" }, { type: "int" }],
  ["a", new Uint8Array([97])],
  [{ timestamp: [0n, 0] }, { duration: 0n }],
  [{ duration: 0n }, 0n],
  [{ optional: 1n }, { optional: 2n }],
];

describe.each(BUILDS)("order (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  const answers = (left: Value, right: Value): Value[] =>
    OPERATORS.map((name) => apply(guest, name, left, right));

  it.each(ascending)("%o < %o", (left, right) => {
    expect(answers(left, right)).toEqual([true, true, false, false]);
    expect(answers(right, left)).toEqual([false, false, true, true]);
    expect(answers(left, left)).toEqual([false, true, false, true]);
  });

  it.each(refused)("has no overload for %o and %o", (left, right) => {
    const error = failure(ERROR_NO_SUCH_OVERLOAD);
    expect(answers(left, right)).toEqual([error, error, error, error]);
    expect(
      Number(
        guest.function("compareValues")(
          ...[left, right].map((value) => BigInt.asIntN(64, encode(guest, value))),
        ),
      ),
    ).toBe(INCOMPARABLE);
  });

  it("orders numbers of all kinds as Cerbos does, and nothing with NaN", () => {
    fc.assert(
      fc.property(anyNumber, anyNumber, (left, right) => {
        guest.reset();
        const order = celOrder(left, right);
        const wanted =
          order === undefined ? [false, false, false, false] : [order < 0, order <= 0, order > 0, order >= 0];
        expect(answers(left, right)).toEqual(wanted);
        const bits = [left, right].map((value) => BigInt.asIntN(64, encode(guest, value)));
        expect(Number(guest.function("compareValues")(...bits))).toBe(order ?? UNORDERED);
      }),
      { numRuns: 2000 },
    );
  });

  it("orders strings by code point", () => {
    const text = fc.string({ maxLength: 4, unit: "binary" });
    fc.assert(
      fc.property(text, text, (left, right) => {
        guest.reset();
        const order = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(answers(left, right)).toEqual([order < 0, order <= 0, order > 0, order >= 0]);
      }),
    );
  });

  it("answers the leftmost error", () => {
    const error = failure(ERROR_NO_SUCH_KEY, "k");
    expect(answers(error, failure(ERROR_FUEL))).toEqual([error, error, error, error]);
    expect(answers("x", error)).toEqual([error, error, error, error]);
  });

  it("burns fuel by the length of texts", () => {
    const text = "x".repeat(16_000);
    guest.reset(900n);
    expect(apply(guest, "less", text, text)).toEqual(failure(ERROR_FUEL));
  });
});
