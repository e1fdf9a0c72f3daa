/** CEL selection, `has`, indexing, optional selection and `in`; the odd answers are those of Cerbos 0.55. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_BAD_ARGUMENT,
  ERROR_FUEL,
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_HIERARCHY,
} from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, encode, failure, type Value } from "../support/values.ts";

const NONE: Value = { optional: undefined };
const map: Value = {
  map: [
    ["a", 1n],
    ["b", null],
    [1n, "one"],
    [{ uint: 2n }, "two"],
    [true, "yes"],
    [1.5, "half"],
  ],
};
const scalars: readonly Value[] = [
  "abc",
  1n,
  1.5,
  true,
  null,
  new Uint8Array([1]),
  { timestamp: [0n, 0] },
  { type: "int" },
];

/** `[operand, key, what index answers]`; a missing entry is written as the error that index gives. */
const lookups: readonly (readonly [Value, Value, Value])[] = [
  [map, "a", 1n],
  [map, "b", null],
  [map, "c", failure(ERROR_NO_SUCH_KEY, "c")],
  [map, "", failure(ERROR_NO_SUCH_KEY, "")],
  [map, 1n, "one"],
  [map, { uint: 1n }, "one"],
  [map, 1, "one"],
  [map, 2n, "two"],
  [map, 2, "two"],
  [map, { uint: 2n }, "two"],
  [map, true, "yes"],
  [map, false, failure(ERROR_NO_SUCH_KEY, false)],
  [map, 1.5, "half"],
  [map, -1n, failure(ERROR_NO_SUCH_KEY, -1n)],
  [map, 2.5, failure(ERROR_NO_SUCH_KEY, 2.5)],
  [map, NaN, failure(ERROR_NO_SUCH_KEY, NaN)],
  [map, "1", failure(ERROR_NO_SUCH_KEY, "1")],
  // A double key is found by that double only.
  [{ map: [[1, "x"]] }, 1n, failure(ERROR_NO_SUCH_KEY, 1n)],
  [{ map: [[1, "x"]] }, 1, "x"],
  [{ map: [[0n, "x"]] }, -0, "x"],
  // Keys are not rounded, and cel-go takes no double for the smallest int.
  [{ map: [[9007199254740993n, "x"]] }, 9007199254740992, failure(ERROR_NO_SUCH_KEY, 9007199254740992)],
  [{ map: [[-(1n << 63n), "x"]] }, -(2 ** 63), failure(ERROR_NO_SUCH_KEY, -(2 ** 63))],
  [{ map: [[{ uint: 1n << 63n }, "x"]] }, 2 ** 63, "x"],
  [{ map: [[{ uint: (1n << 64n) - 1n }, "x"]] }, -1n, failure(ERROR_NO_SUCH_KEY, -1n)],
  [["x", "y"], 0n, "x"],
  [["x", "y"], 1, "y"],
  [["x", "y"], -0, "x"],
  [["x", "y"], { uint: 1n }, "y"],
  [["x"], 1n, failure(ERROR_INDEX_OUT_OF_RANGE, 1n)],
  [["x"], -1n, failure(ERROR_INDEX_OUT_OF_RANGE, -1n)],
  [["x"], 1, failure(ERROR_INDEX_OUT_OF_RANGE, 1)],
  [["x"], -1, failure(ERROR_INDEX_OUT_OF_RANGE, -1)],
  [["x"], 1n << 32n, failure(ERROR_INDEX_OUT_OF_RANGE, 1n << 32n)],
  [["x"], 2 ** 32, failure(ERROR_INDEX_OUT_OF_RANGE, 2 ** 32)],
  ...scalars.map((scalar) => [scalar, "a", failure(ERROR_NO_SUCH_KEY, "a")] as const),
  ["abc", 0n, failure(ERROR_NO_SUCH_KEY, 0n)],
  [1n, 1.5, failure(ERROR_NO_SUCH_KEY, 1.5)],
  [null, true, failure(ERROR_NO_SUCH_KEY, true)],
];
/** Keys that cannot be asked for: an error even for `has` and optional selection. */
const refused: readonly (readonly [Value, Value, Value])[] = [
  [["x"], "a", failure(ERROR_NO_SUCH_OVERLOAD)],
  [["x"], true, failure(ERROR_NO_SUCH_OVERLOAD)],
  [["x"], 0.5, failure(ERROR_BAD_ARGUMENT, 0.5)],
  [["x"], NaN, failure(ERROR_BAD_ARGUMENT, NaN)],
  [["x"], 1e30, failure(ERROR_BAD_ARGUMENT, 1e30)],
  [["x"], -Infinity, failure(ERROR_BAD_ARGUMENT, -Infinity)],
  [["x"], { uint: 1n << 63n }, failure(ERROR_BAD_ARGUMENT, { uint: 1n << 63n })],
  [map, null, failure(ERROR_NO_SUCH_OVERLOAD)],
  [map, [1n], failure(ERROR_NO_SUCH_OVERLOAD)],
  [["x"], null, failure(ERROR_NO_SUCH_OVERLOAD)],
  ["abc", [1n], failure(ERROR_NO_SUCH_OVERLOAD)],
];

const isMissing = (value: Value): boolean => typeof value === "object" && value !== null && "error" in value;

describe.each(BUILDS)("selection (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  it.each(lookups)("%o [ %o ]", (operand, key, wanted) => {
    expect(apply(guest, "index", operand, key)).toEqual(wanted);
    const optional = isMissing(wanted) ? NONE : { optional: wanted };
    expect(apply(guest, "optionalIndex", operand, key)).toEqual(optional);
    // From an optional, plain indexing is optional indexing.
    expect(apply(guest, "index", { optional: operand }, key)).toEqual(optional);
    expect(apply(guest, "optionalIndex", { optional: operand }, key)).toEqual(optional);
    if (typeof key !== "string") return;
    expect(apply(guest, "selectField", operand, key)).toEqual(wanted);
    expect(apply(guest, "optionalSelectField", operand, key)).toEqual(optional);
    expect(apply(guest, "selectField", { optional: operand }, key)).toEqual(optional);
    expect(apply(guest, "hasField", operand, key)).toBe(!isMissing(wanted));
    expect(apply(guest, "hasField", { optional: { optional: operand } }, key)).toBe(!isMissing(wanted));
  });

  it.each(refused)("refuses %o [ %o ]", (operand, key, wanted) => {
    for (const name of ["index", "optionalIndex", "hasField", "selectField", "optionalSelectField"]) {
      expect(apply(guest, name, operand, key)).toEqual(wanted);
      expect(apply(guest, name, { optional: operand }, key)).toEqual(wanted);
    }
  });

  it("answers none for everything in optional.none()", () => {
    for (const key of ["a", 0n, true]) {
      expect(apply(guest, "index", NONE, key)).toEqual(NONE);
      expect(apply(guest, "optionalIndex", NONE, key)).toEqual(NONE);
      expect(apply(guest, "hasField", NONE, key)).toBe(false);
    }
  });

  it("wraps optionals that are found", () => {
    expect(apply(guest, "optionalIndex", { map: [["a", NONE]] }, "a")).toEqual({ optional: NONE });
    expect(apply(guest, "index", { map: [["a", NONE]] }, "a")).toEqual(NONE);
  });

  it("indexes hierarchies with ints only", () => {
    const parts = encode(guest, ["a", "b"]);
    const hierarchy: Value = { tag: TAG_HIERARCHY, payload: Number(parts & 0xffff_ffffn) };
    expect(apply(guest, "index", hierarchy, 1n)).toBe("b");
    expect(apply(guest, "index", hierarchy, 2n)).toEqual(failure(ERROR_INDEX_OUT_OF_RANGE, 2n));
    for (const key of [{ uint: 1n }, 1, "a"])
      expect(apply(guest, "index", hierarchy, key)).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
    expect(apply(guest, "hasField", hierarchy, "a")).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
  });

  it.each([
    ["b", ["a", "b"], true],
    ["c", ["a", "b"], false],
    ["", [], false],
    [1n, [1], true],
    [1, [2n, { uint: 1n }], true],
    [9007199254740993n, [9007199254740992], true],
    [null, [1n, null], true],
    [NaN, [NaN], false],
    [[1n], [[1]], true],
    ["1", [1n], false],
    [{ optional: 1n }, [1n, { optional: 1 }], true],
    ["a", map, true],
    ["c", map, false],
    [1, map, true],
    [{ uint: 1n }, map, true],
    [null, map, false],
    [[1n], map, false],
    [2.5, map, false],
  ] as const)("%o in %o is %s", (element, container, wanted) => {
    expect(apply(guest, "isIn", element, container)).toBe(wanted);
  });

  it("looks for elements in lists and maps only", () => {
    for (const container of [...scalars, { optional: [1n] }]) {
      expect(apply(guest, "isIn", 1n, container)).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
    }
  });

  it.each(["index", "optionalIndex", "selectField", "optionalSelectField", "hasField", "isIn"])(
    "%s answers the leftmost error",
    (name) => {
      const error = failure(ERROR_NO_SUCH_KEY, "k");
      expect(apply(guest, name, error, failure(ERROR_FUEL))).toEqual(error);
      expect(apply(guest, name, error, "x")).toEqual(error);
      expect(apply(guest, name, name === "isIn" ? "x" : map, error)).toEqual(error);
    },
  );

  it("burns fuel for every entry and item looked at", () => {
    const keys = Array.from({ length: 5000 }, (_, at) => at);
    const big: Value = { map: keys.map((at) => [`key${at}`, at]) };
    const cases: readonly (readonly [string, Value, Value])[] = [
      ["index", big, "key4999"],
      ["hasField", big, "missing"],
      ["isIn", "missing", big],
      ["isIn", "missing", keys.map((at) => `item${at}`)],
      ["isIn", 5000, keys],
      ["index", { map: keys.map((at) => [BigInt(at), at]) }, -1n],
    ];
    for (const [name, left, right] of cases) {
      guest.reset(4000n);
      expect(apply(guest, name, left, right)).toEqual(failure(ERROR_FUEL));
      guest.reset(12_000n);
      expect(apply(guest, name, left, right)).not.toEqual(failure(ERROR_FUEL));
    }
  });
});
