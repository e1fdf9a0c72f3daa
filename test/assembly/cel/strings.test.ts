/** CEL `size`, `contains`, `startsWith`, `endsWith` and `!`. */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_FUEL,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_HIERARCHY,
} from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, encode, failure, type Value } from "../support/values.ts";

const TESTS = ["contains", "startsWith", "endsWith"] as const;
const NO_OVERLOAD = failure(ERROR_NO_SUCH_OVERLOAD);
const KEY_ERROR = failure(ERROR_NO_SUCH_KEY, "k");

describe.each(BUILDS)("string tests (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  it("finds what JavaScript finds", () => {
    const text = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "é", "😀") });
    fc.assert(
      fc.property(text, text, (whole, piece) => {
        guest.reset();
        const wanted = [whole.includes(piece), whole.startsWith(piece), whole.endsWith(piece)];
        expect(TESTS.map((name) => apply(guest, name, whole, piece))).toEqual(wanted);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(TESTS)("%s takes strings only, and answers the leftmost error", (name) => {
    for (const other of [1n, null, new Uint8Array([97]), ["a"]]) {
      expect(apply(guest, name, "a", other)).toEqual(NO_OVERLOAD);
      expect(apply(guest, name, other, "a")).toEqual(NO_OVERLOAD);
    }
    expect(apply(guest, name, KEY_ERROR, failure(ERROR_FUEL))).toEqual(KEY_ERROR);
    expect(apply(guest, name, "a", KEY_ERROR)).toEqual(KEY_ERROR);
  });

  it.each(TESTS)("%s burns fuel by the length looked at", (name) => {
    const long = "a".repeat(100_000);
    guest.reset(1000n);
    expect(apply(guest, name, long, `${"a".repeat(99_999)}${name === "contains" ? "b" : "a"}`)).toEqual(
      failure(ERROR_FUEL),
    );
  });

  it.each([
    ["", 0n],
    ["héllo😀", 6n],
    ["\u0000", 1n],
    [new Uint8Array([1, 2]), 2n],
    [[], 0n],
    [[1n, 2n], 2n],
    [{ map: [[1n, 2n]] }, 1n],
  ] as const)("size(%o) is %s", (value, wanted) => {
    expect(apply(guest, "size", value)).toBe(wanted);
  });

  it("counts the parts of hierarchies, and has no size for anything else", () => {
    const parts = encode(guest, ["a", "b", "c"]);
    expect(apply(guest, "size", { tag: TAG_HIERARCHY, payload: Number(parts & 0xffff_ffffn) })).toBe(3n);
    for (const value of [1n, 1.5, null, true, { optional: [1n] }, { type: "int" }] satisfies Value[]) {
      expect(apply(guest, "size", value)).toEqual(NO_OVERLOAD);
    }
    expect(apply(guest, "size", KEY_ERROR)).toEqual(KEY_ERROR);
    guest.reset(100n);
    expect(apply(guest, "size", "a".repeat(10_000))).toEqual(failure(ERROR_FUEL));
  });

  it("negates bools only", () => {
    expect([true, false].map((value) => apply(guest, "not", value))).toEqual([false, true]);
    for (const value of [1n, 0, null, "true", { absent: true }] satisfies Value[])
      expect(apply(guest, "not", value)).toEqual(NO_OVERLOAD);
    expect(apply(guest, "not", KEY_ERROR)).toEqual(KEY_ERROR);
  });
});
