/** CEL `==` and `!=`: numbers across types, structures, and what cannot be compared. */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_BAD_ARGUMENT,
  ERROR_FUEL,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_HIERARCHY,
} from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, encode, failure, type Value } from "../support/values.ts";
import { anyNumber, celOrder } from "./numbers.ts";

const hierarchy = (guest: Guest, parts: string[]): Value => {
  const list = encode(guest, parts);
  return { tag: TAG_HIERARCHY, payload: Number(list & 0xffff_ffffn) };
};

const same: readonly (readonly [Value, Value])[] = [
  [null, null],
  [true, true],
  [1n, 1n],
  [1n, 1],
  [1n, { uint: 1n }],
  [{ uint: 1n }, 1],
  [0, -0],
  ["é😀", "é😀"],
  ["", ""],
  [new Uint8Array([0, 255]), new Uint8Array([0, 255])],
  [[], []],
  [
    [1n, [2n]],
    [1, [{ uint: 2n }]],
  ],
  [{ map: [] }, { map: [] }],
  [
    {
      map: [
        ["a", 1n],
        ["b", 2n],
      ],
    },
    {
      map: [
        ["b", 2],
        ["a", { uint: 1n }],
      ],
    },
  ],
  [{ map: [[1n, "x"]] }, { map: [[{ uint: 1n }, "x"]] }],
  [{ timestamp: [5n, 6] }, { timestamp: [5n, 6, 3600] }],
  [{ duration: -1n }, { duration: -1n }],
  [{ type: "int" }, { type: "int" }],
  [{ optional: undefined }, { optional: undefined }],
  [{ optional: 1n }, { optional: 1 }],
  [2 ** 63, { uint: 1n << 63n }],
  [-(2 ** 63), -(1n << 63n)],
  // With a double, as the nearest double.
  [9007199254740993n, 9007199254740992],
  [(1n << 63n) - 1n, 2 ** 63],
  [{ uint: (1n << 64n) - 1n }, 2 ** 64],
  ["x".repeat(100), "x".repeat(100)],
];
const different: readonly (readonly [Value, Value])[] = [
  [null, false],
  [null, 0n],
  [true, false],
  [true, 1n],
  [1n, "1"],
  [1n, 2n],
  [1n, 1.5],
  [-1n, { uint: (1n << 64n) - 1n }],
  // Ints and uints are never rounded.
  [9007199254740993n, { uint: 9007199254740992n }],
  [[9007199254740993n], [9007199254740992n]],
  [NaN, NaN],
  [NaN, 1n],
  [1n, NaN],
  [Infinity, -Infinity],
  ["a", "b"],
  ["a", "ab"],
  ["a", new Uint8Array([97])],
  [[1n], [1n, 2n]],
  [[NaN], [NaN]],
  [[1n], [2n]],
  [[], { map: [] }],
  [{ map: [["a", 1n]] }, { map: [["b", 1n]] }],
  [{ map: [["a", 1n]] }, { map: [["a", 2n]] }],
  [{ map: [["1", 1n]] }, { map: [[1n, 1n]] }],
  [{ timestamp: [5n, 6] }, { timestamp: [5n, 7] }],
  [{ timestamp: [0n, 0] }, 0n],
  [{ duration: 0n }, 0n],
  [{ type: "int" }, "int"],
  [{ type: "int" }, { type: "uint" }],
  [{ optional: undefined }, { optional: 1n }],
  [{ optional: 1n }, 1n],
  [{ optional: null }, { optional: undefined }],
  [`${"x".repeat(100)}a`, `${"x".repeat(100)}b`],
];

/** `depth` lists around `value`. */
function nested(depth: number, value: Value): Value {
  return depth === 0 ? value : [nested(depth - 1, value)];
}

const json = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.integer({ min: -3, max: 3 }),
    fc.string({ maxLength: 3, unit: "grapheme" }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 2 }), tie("value")), {
        maxLength: 4,
        selector: ([key]) => key,
      })
      .map((map) => ({ map })),
  ),
})).value;

function isMap(value: Value): value is { readonly map: readonly (readonly [Value, Value])[] } {
  return typeof value === "object" && value !== null && "map" in value && typeof value.map !== "function";
}

/** JavaScript's idea of a JSON value, with the keys of objects in order. */
function canonical(value: Value): string {
  if (Array.isArray(value)) return `[${value.map((entry) => canonical(entry)).join()}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const entries = value.map.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`);
  return `{${entries.sort().join()}}`;
}

describe.each(BUILDS)("equality (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  it.each(same)("%o == %o", (left, right) => {
    expect(apply(guest, "equals", left, right)).toBe(true);
    expect(apply(guest, "equals", right, left)).toBe(true);
    expect(apply(guest, "notEquals", left, right)).toBe(false);
  });

  it.each(different)("%o != %o", (left, right) => {
    expect(apply(guest, "equals", left, right)).toBe(false);
    expect(apply(guest, "equals", right, left)).toBe(false);
    expect(apply(guest, "notEquals", left, right)).toBe(true);
  });

  it("compares numbers of all kinds as Cerbos does", () => {
    fc.assert(
      fc.property(anyNumber, anyNumber, (left, right) => {
        guest.reset();
        expect(apply(guest, "equals", left, right)).toBe(celOrder(left, right) === 0);
      }),
      { numRuns: 2000 },
    );
  });

  it("compares structures as JavaScript's JSON does, whatever the order of keys", () => {
    fc.assert(
      fc.property(json, json, (left, right) => {
        guest.reset();
        expect(apply(guest, "equals", left, right)).toBe(canonical(left) === canonical(right));
        expect(apply(guest, "equals", left, left)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("answers the leftmost error", () => {
    const error = failure(ERROR_NO_SUCH_KEY, "k");
    expect(apply(guest, "equals", error, failure(ERROR_FUEL))).toEqual(error);
    expect(apply(guest, "notEquals", 1n, error)).toEqual(error);
  });

  it("compares hierarchies with hierarchies only, and null with everything", () => {
    const left = hierarchy(guest, ["a", "b"]);
    expect(apply(guest, "equals", left, hierarchy(guest, ["a", "b"]))).toBe(true);
    expect(apply(guest, "equals", left, hierarchy(guest, ["a", "c"]))).toBe(false);
    expect(apply(guest, "equals", left, null)).toBe(false);
    expect(apply(guest, "equals", ["a", "b"], left)).toBe(false);
    expect(apply(guest, "equals", left, ["a", "b"])).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
  });

  it("bounds the depth", () => {
    expect(apply(guest, "equals", nested(256, 1n), nested(256, 1n))).toBe(true);
    expect(apply(guest, "equals", nested(257, 1n), nested(257, 1n))).toEqual(failure(ERROR_BAD_ARGUMENT));
    expect(apply(guest, "notEquals", nested(257, 1n), nested(257, 1n))).toEqual(failure(ERROR_BAD_ARGUMENT));
  });

  it("burns fuel by the number of values, the length of texts and the entries looked at", () => {
    const list = Array.from({ length: 1000 }, (_, at) => at);
    const keys = list.map((at) => [`k${at}`, at] as const);
    const cases: readonly (readonly [Value, Value, bigint])[] = [
      [list, list, 1000n],
      ["x".repeat(16_000), "x".repeat(16_000), 1000n],
      // In the other order every key is searched for.
      [{ map: keys }, { map: keys.toReversed() }, 100_000n],
    ];
    for (const [left, right, least] of cases) {
      guest.reset(least);
      expect(apply(guest, "equals", left, right)).toEqual(failure(ERROR_FUEL));
      guest.reset(least * 20n);
      expect(apply(guest, "equals", left, right)).toBe(true);
    }
  });
});
