/** What loops and literals of generated code are made of. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_BAD_ARGUMENT,
  ERROR_FUEL,
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_MEMORY,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_NULL,
} from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, box, decode, encode, failure, type Value } from "../support/values.ts";

const NO_OVERLOAD = failure(ERROR_NO_SUCH_OVERLOAD);
const KEY_ERROR = failure(ERROR_NO_SUCH_KEY, "k");
const map: Value = {
  map: [
    ["a", 1n],
    ["b", 2n],
  ],
};

describe.each(BUILDS)("comprehensions (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  function builder(name: string, capacity: number): bigint {
    return BigInt.asUintN(64, BigInt(String(guest.function(name)(capacity))));
  }
  function at(name: string, range: Value, index: number): Value {
    const bits = BigInt(String(guest.function(name)(BigInt.asIntN(64, encode(guest, range)), index)));
    return decode(guest, BigInt.asUintN(64, bits));
  }
  function count(range: Value): number {
    return Number(guest.function("count")(BigInt.asIntN(64, encode(guest, range))));
  }

  it("goes over lists, and over the keys of maps in order", () => {
    expect(apply(guest, "rangeList", [1n, "x"])).toEqual([1n, "x"]);
    expect(apply(guest, "rangeList", map)).toEqual(["a", "b"]);
    expect(apply(guest, "rangePairs", map)).toEqual(map);
    expect(apply(guest, "rangePairs", [1n])).toEqual([1n]);
  });

  it("refuses every other range and keeps errors", () => {
    for (const name of ["rangeList", "rangePairs"]) {
      for (const value of [1n, "abc", null, { optional: [1n] }, true])
        expect(apply(guest, name, value)).toEqual(NO_OVERLOAD);
      expect(apply(guest, name, KEY_ERROR)).toEqual(KEY_ERROR);
    }
  });

  it("counts turns; an error has none", () => {
    expect([[1n, 2n], map, [], KEY_ERROR, "abc"].map((range) => count(range))).toEqual([2, 2, 0, 0, 0]);
  });

  it("reads items and pairs, never past the end", () => {
    expect([0, 1].map((index) => at("item", ["x", "y"], index))).toEqual(["x", "y"]);
    expect(
      [0, 1].map((index) => [at("pairKey", ["x", "y"], index), at("pairValue", ["x", "y"], index)]),
    ).toEqual([
      [0n, "x"],
      [1n, "y"],
    ]);
    expect([0, 1].map((index) => [at("pairKey", map, index), at("pairValue", map, index)])).toEqual([
      ["a", 1n],
      ["b", 2n],
    ]);
    for (const name of ["item", "pairKey", "pairValue"]) {
      for (const index of [2, -1])
        expect(at(name, ["x", "y"], index)).toEqual(failure(ERROR_INDEX_OUT_OF_RANGE));
    }
  });

  it.each([0, 1, 3, 1000])("grows a list that started with room for %i", (capacity) => {
    let list = builder("listBuilder", capacity);
    const wanted = Array.from({ length: 1000 }, (_, index) => index);
    for (const value of wanted) list = guest.call("append", list, encode(guest, value));
    expect(decode(guest, list)).toEqual(wanted);
  });

  it("keeps one list apart from another that grows beside it", () => {
    let left = builder("listBuilder", 1);
    let right = builder("listBuilder", 1);
    for (let turn = 0; turn < 50; turn++) {
      left = guest.call("append", left, encode(guest, turn));
      right = guest.call("append", right, encode(guest, -turn));
    }
    expect(decode(guest, left)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(decode(guest, right)).toEqual(Array.from({ length: 50 }, (_, index) => -index));
  });

  it("grows a map, the last value of a key wins at the place of the first", () => {
    let built = builder("mapBuilder", 0);
    const put = (key: Value, value: Value): void => {
      built = guest.call("put", built, encode(guest, key), encode(guest, value));
    };
    for (let turn = 0; turn < 20; turn++) put(`k${turn}`, turn);
    put("k3", "again");
    // Kept apart, as Cerbos keeps them.
    put(1n, "int");
    put({ uint: 1n }, "uint");
    put(1, "double");
    put(1n, "int again");
    const wanted = Array.from({ length: 20 }, (_, index): [Value, Value] => [
      `k${index}`,
      index === 3 ? "again" : index,
    ]);
    expect(decode(guest, built)).toEqual({
      map: [...wanted, [1n, "int again"], [{ uint: 1n }, "uint"], [1, "double"]],
    });
  });

  it("refuses a second entry of the same key, in whatever numeric type", () => {
    const put = (entries: Value, added: Value): Value => apply(guest, "putEntry", entries, added);
    expect(
      put(map, {
        map: [
          ["c", 3n],
          ["d", 4n],
        ],
      }),
    ).toEqual({
      map: [
        ["a", 1n],
        ["b", 2n],
        ["c", 3n],
        ["d", 4n],
      ],
    });
    expect(put(map, { map: [] })).toEqual(map);
    expect(
      put(map, {
        map: [
          ["c", 3n],
          ["a", 4n],
        ],
      }),
    ).toEqual(failure(ERROR_BAD_ARGUMENT, "a"));
    expect(put({ map: [[1n, 0n]] }, { map: [[{ uint: 1n }, 0n]] })).toEqual(
      failure(ERROR_BAD_ARGUMENT, { uint: 1n }),
    );
    expect(put(map, 5n)).toEqual(NO_OVERLOAD);
    expect(put(KEY_ERROR, map)).toEqual(KEY_ERROR);
    expect(put(map, KEY_ERROR)).toEqual(KEY_ERROR);
    expect(apply(guest, "putUnique", map, "a", 1n)).toEqual(failure(ERROR_BAD_ARGUMENT, "a"));
    expect(apply(guest, "putUnique", map, "c", 1n)).toEqual({
      map: [
        ["a", 1n],
        ["b", 2n],
        ["c", 1n],
      ],
    });
    expect(apply(guest, "putNew", map, "c", 1n)).toEqual({
      map: [
        ["a", 1n],
        ["b", 2n],
        ["c", 1n],
      ],
    });
  });

  it("adds what optionals hold", () => {
    expect(apply(guest, "appendOptional", [1n], { optional: 2n })).toEqual([1n, 2n]);
    expect(apply(guest, "appendOptional", [1n], { optional: undefined })).toEqual([1n]);
    expect(apply(guest, "appendOptional", [1n], 2n)).toEqual(NO_OVERLOAD);
    expect(apply(guest, "putOptional", map, "c", { optional: 3n })).toEqual({
      map: [
        ["a", 1n],
        ["b", 2n],
        ["c", 3n],
      ],
    });
    expect(apply(guest, "putOptional", map, "c", { optional: undefined })).toEqual(map);
    expect(apply(guest, "putOptional", map, "c", 3n)).toEqual(NO_OVERLOAD);
  });

  it("ends in the first error", () => {
    const fuel = failure(ERROR_FUEL);
    expect(apply(guest, "append", [1n], KEY_ERROR)).toEqual(KEY_ERROR);
    expect(apply(guest, "append", KEY_ERROR, fuel)).toEqual(KEY_ERROR);
    expect(apply(guest, "appendOptional", KEY_ERROR, fuel)).toEqual(KEY_ERROR);
    for (const name of ["put", "putNew", "putUnique", "putOptional"]) {
      expect(apply(guest, name, KEY_ERROR, fuel, fuel)).toEqual(KEY_ERROR);
      expect(apply(guest, name, map, KEY_ERROR, fuel)).toEqual(KEY_ERROR);
      expect(apply(guest, name, map, "c", KEY_ERROR)).toEqual(KEY_ERROR);
    }
  });

  it("says when the arena is full", () => {
    let list = builder("listBuilder", 0);
    const nothing = box(TAG_NULL, 0);
    let turns = 0;
    while (Array.isArray(decode(guest, list)) && turns < 22) {
      // Doubles the list, then adds one, so the room must grow every turn.
      guest.reset();
      list = builder("listBuilder", 1 << turns);
      for (let index = 0; index <= Math.min(1 << turns, 8); index++)
        list = guest.call("append", list, nothing);
      turns++;
    }
    expect(decode(guest, list)).toEqual(failure(ERROR_MEMORY));
    expect(guest.global("exhausted")).toBe(1);
    for (const capacity of [1 << 27, -1, 0x7fff_ffff]) {
      guest.reset();
      expect(decode(guest, builder("listBuilder", capacity))).toEqual(failure(ERROR_MEMORY));
      expect(decode(guest, builder("mapBuilder", capacity))).toEqual(failure(ERROR_MEMORY));
    }
  });

  it("takes fuel for every turn", () => {
    guest.reset(2n);
    expect([1, 2, 3].map(() => guest.function("tick")())).toEqual([1, 1, 0]);
    expect(decode(guest, builder("fuelError", 0))).toEqual(failure(ERROR_FUEL));
    guest.reset(1000n);
    const many: Value = { map: Array.from({ length: 2000 }, (_, index) => [BigInt(index), null]) };
    expect(apply(guest, "rangeList", many)).toEqual(failure(ERROR_FUEL));
    guest.reset(1000n);
    expect(apply(guest, "put", many, -1n, null)).toEqual(failure(ERROR_FUEL));
  });
});
