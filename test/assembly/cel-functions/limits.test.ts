/**
 * What the guest's CEL functions do with arguments of any type, little fuel and little memory: they answer a value
 * or an error, never trap, and never write outside the arena.
 */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { GUEST_FUNCTIONS } from "../../../compiler/cel/builtins/guest-functions.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, box, decode, encode, failure, tagOf, type Value } from "../support/values.ts";

/**
 * Operators, selection, conversion and size, which test/assembly/cel covers; regular expressions
 * (test/differential/regex.test.ts); and `json.encode`, which needs the
 * output region of a whole core (test/differential/expressions.yaml).
 */
const ELSEWHERE = new Set(
  [
    "equals",
    "notEquals",
    "less",
    "lessEquals",
    "greater",
    "greaterEquals",
    "not",
    "isIn",
    "add",
    "subtract",
  ].concat(
    [
      "multiply",
      "divide",
      "modulo",
      "negate",
      "index",
      "selectField",
      "hasField",
      "optionalIndex",
      "optionalSelectField",
    ],
    [
      "toBool",
      "toBytes",
      "toDouble",
      "toInt",
      "toText",
      "toUint",
      "typeOf",
      "toDyn",
      "size",
      "contains",
      "startsWith",
    ],
    [
      "endsWith",
      "jsonEncode",
      "matches",
      "regexReplace3",
      "regexReplace4",
      "regexExtract",
      "regexExtractAll",
    ],
  ),
);
const FUNCTIONS = Object.entries(GUEST_FUNCTIONS).filter(([name]) => !ELSEWHERE.has(name));

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    false,
    "",
    "é",
    "UTC",
    "1.2.3.4",
    "1.2.3.0/24",
    "%s %d %.3f",
    "1h",
    "a.b",
  ),
  fc.constantFrom<Value>(-1n, 0n, 1n, 2n, 64n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n),
  fc.constantFrom<Value>(
    0,
    -0,
    1.5,
    Number.NaN,
    Infinity,
    1e300,
    { uint: 0n },
    { uint: 18_446_744_073_709_551_615n },
  ),
  fc.constantFrom<Value>({ duration: -9_223_372_036_854_775_808n }, { timestamp: [-62_135_596_800n, 0] }),
  fc.constantFrom<Value>(
    { timestamp: [253_402_300_799n, 999_999_999] },
    { type: "int" },
    { optional: undefined },
  ),
  fc.constantFrom<Value>({ error: abi.ERROR_NO_SUCH_KEY, detail: "key" }, { absent: true }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.uint8Array({ maxLength: 10 }),
);
const { value: anything } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { weight: 4, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 12 }) },
    { weight: 1, arbitrary: tie("value").map((optional) => ({ optional })) },
    {
      weight: 1,
      arbitrary: fc
        .uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), tie("value")), {
          maxLength: 4,
          selector: ([key]) => key,
        })
        .map((map) => ({ map })),
    },
  ),
}));

/** Largest arena of the memory tests, in bytes; the least one still holds every block of fixed size. */
const SMALL_ARENA = 4096;
/** What the arena keeps for allocations after it is exhausted (assembly/memory/arena.ts). */
const SCRATCH_SIZE = 1024;
/** What `fits` asks for beyond the blocks themselves. */
const ROUNDING = 16;
const CANARY = 0xa5;
const untouched = new Uint8Array(SMALL_ARENA).fill(CANARY);

/** Reads a result; a hierarchy as the list of its parts, because its address is nobody's business. */
function read(guest: Guest, bits: bigint): Value {
  const isHierarchy = tagOf(bits) === abi.TAG_HIERARCHY;
  return decode(guest, isHierarchy ? box(abi.TAG_LIST, Number(bits & 0xffff_ffffn)) : bits);
}

describe.each(BUILDS)("CEL functions keep their limits (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  it("covers the families", () => {
    expect(FUNCTIONS.length).toBeGreaterThan(90);
  });

  it("arguments of any type give a value or an error", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FUNCTIONS),
        fc.array(anything, { minLength: 4, maxLength: 4 }),
        ([name, arity], values) => {
          guest.reset();
          const result = apply(guest, name, ...values.slice(0, arity));
          expect(result).not.toBe(undefined);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("the leftmost error argument of a strict function is its result", () => {
    const lenient = new Set(["optionalNone", "optionalOr", "optionalOrValue", "spiffeMatchAny", "succeeds"]);
    for (const [name, arity] of FUNCTIONS) {
      if (lenient.has(name)) continue;
      guest.reset();
      const errors = Array.from({ length: arity }, (_, index) =>
        failure(abi.ERROR_NO_SUCH_KEY, `argument ${index}`),
      );
      expect([name, apply(guest, name, ...errors)]).toEqual([name, errors[0]]);
    }
  });

  it("little fuel gives ERROR_FUEL or the same answer, and never a wrong one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FUNCTIONS),
        fc.array(anything, { minLength: 4, maxLength: 4 }),
        fc.bigInt({ min: 0n, max: 40n }),
        ([name, arity], values, fuel) => {
          const used = values.slice(0, arity);
          guest.reset();
          const call = () => read(guest, guest.call(name, ...used.map((value) => encode(guest, value))));
          const wanted = call();
          guest.reset(fuel);
          const got = call();
          if (guest.function("outOfFuel")() === 0) expect(got).toEqual(wanted);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("a small arena gives ERROR_MEMORY, and nothing is written behind its end", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FUNCTIONS),
        fc.array(anything, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 600, max: SMALL_ARENA }),
        ([name, arity], values, size) => {
          guest.reset();
          const bits = values.slice(0, arity).map((value) => encode(guest, value));
          const before = Number(guest.function("mark")()) >>> 0;
          const wanted = read(guest, guest.call(name, ...bits));
          const start = Number(guest.function("mark")()) >>> 0;
          const needed = start - before;
          const end = start + SCRATCH_SIZE + size;
          guest.bytes.fill(CANARY, end, end + SMALL_ARENA);
          guest.function("setArena")(start, end);
          const got = guest.call(name, ...bits);
          const room = size - needed;
          expect(Buffer.compare(guest.bytes.subarray(end, end + SMALL_ARENA), untouched)).toBe(0);
          if (room >= ROUNDING) expect(read(guest, got)).toEqual(wanted);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("work on large lists stays near linear", () => {
    const count = 20_000;
    const left = Array.from({ length: count }, (_, index) => `user-${index}`);
    const right = Array.from({ length: count }, (_, index) => `user-${index + count}`);
    // Quadratic work would need 400 million units.
    const fuel = 2_000_000n;
    for (const [name, values] of [
      ["except", [left, right]],
      ["intersect", [left, right]],
      ["hasIntersection", [left, right]],
      ["isSubset", [left, left]],
      ["setsEquivalent", [left, left]],
      ["distinct", [left]],
      ["sort", [left.toReversed()]],
    ] as const) {
      guest.reset(fuel);
      const result = guest.call(name, ...values.map((value) => encode(guest, value)));
      expect([name, tagOf(result) === abi.TAG_ERROR]).toEqual([name, false]);
    }
  });

  it("work on long paths stays linear", () => {
    const size = 100_000;
    const deep = "a/".repeat(size / 2);
    const calls: readonly (readonly [name: string, values: readonly Value[]])[] = [
      ["basePath", [`a${"/..".repeat(size / 3)}`]],
      ["dirPath", [`${deep}${"..\\\\".repeat(size / 3)}`]],
      ["joinPath", [Array.from({ length: size }, (_, index) => (index % 2 === 0 ? "a" : ".."))]],
      ["pathHasPrefix", [`/${deep}b`, `/${deep}`]],
      ["relPath", [deep, `b/${deep}`]],
      ["pathMatch", [deep, "*/".repeat(size / 2)]],
      ["pathMatch", ["a".repeat(size), "*a".repeat(size / 2)]],
    ];
    for (const [name, values] of calls) {
      // Work with a square in it would need thousands of units for each byte.
      guest.reset(10n * BigInt(size));
      const result = guest.call(name, ...values.map((value) => encode(guest, value)));
      expect([name, tagOf(result) === abi.TAG_ERROR]).toEqual([name, false]);
    }
  });

  it("amplifying calls run out of fuel or memory, not out of time", () => {
    const long = "a".repeat(100_000);
    const calls: readonly (readonly [name: string, values: readonly Value[]])[] = [
      ["replace3", [long, "", long]],
      ["replace3", [long, "a", long]],
      ["join2", [Array.from({ length: 50_000 }, () => "x"), long]],
      ["indexOf2", [long, `${"a".repeat(50_000)}b`]],
      ["pathMatch", [long, `*${"a".repeat(50_000)}b`]],
      ["pathMatch", [long, `*${"[b-zA-Za]".repeat(5_000)}b`]],
      ["pathMatchAnyOf", [long, Array.from({ length: 1_000 }, () => `*${long.slice(0, 1_000)}b`)]],
      ["joinPath", [Array.from({ length: 1_000 }, () => long.slice(0, 10_000))]],
    ];
    for (const [name, values] of calls) {
      guest.reset(1_000_000n);
      const result = decode(guest, guest.call(name, ...values.map((value) => encode(guest, value))));
      const refused = [failure(abi.ERROR_FUEL), failure(abi.ERROR_MEMORY)].map((error) =>
        JSON.stringify(error),
      );
      expect(refused).toContain(JSON.stringify(result));
    }
  });

  it("without the database no name is a zone", () => {
    const timestamp: Value = { timestamp: [0n, 0] };
    expect(apply(guest, "getHours2", timestamp, "Europe/Berlin")).toEqual(
      failure(abi.ERROR_UNKNOWN_ZONE, "Europe/Berlin"),
    );
    expect(apply(guest, "getHours2", timestamp, "../Berlin")).toEqual(failure(abi.ERROR_ZONE_NAME));
  });

  it("a damaged database is refused, and then no name is a zone", () => {
    const start = guest.bytes.length - abi.ZONES_CAPACITY - 16;
    const place = (length: number, ...words: readonly number[]): unknown => {
      guest.function("placeZones")(start);
      const at = Number(guest.function("zonesStart")());
      words.forEach((word, index) => guest.view.setUint32(at + index * 4, word, true));
      return guest.function("useZones")(length);
    };
    const empty = [0, 0];
    const one = [1, 0, 24, 1, 32, 1];
    expect(place(40, ...one)).toBe(1);
    expect(place(8, ...empty)).toBe(1);
    for (const [length, words] of [
      [0, empty],
      [-1, empty],
      [abi.ZONES_CAPACITY + 1, empty],
      [23, one],
      [39, one],
      [40, [2, 0, 24, 1, 32, 1]],
      [40, [0xffffffff, 0]],
      [40, [1, 0, 40, 1, 32, 1]],
      [40, [1, 0, 0xffffffff, 0xffffffff, 32, 1]],
      [40, [1, 0, 24, 1, 32, 2]],
      [40, [1, 0, 24, 1, 32, 0x20000001]],
      [40, [1, 0, 24, 1, 32, 0]],
    ] satisfies readonly (readonly [number, readonly number[]])[]) {
      expect([length, words, place(length, ...words)]).toEqual([length, words, 0]);
    }
    expect(apply(guest, "getHours2", { timestamp: [0n, 0] }, "Europe/Berlin")).toEqual(
      failure(abi.ERROR_UNKNOWN_ZONE, "Europe/Berlin"),
    );
  });

  it("timeSince is limited to what a duration holds", () => {
    const first: Value = { timestamp: [-62_135_596_800n, 0] };
    const last: Value = { timestamp: [253_402_300_799n, 999_999_999] };
    expect(apply(guest, "timeSince", first, last)).toEqual({ duration: 9_223_372_036_854_775_807n });
    expect(apply(guest, "timeSince", last, first)).toEqual({ duration: -9_223_372_036_854_775_808n });
    expect(apply(guest, "timeSince", { timestamp: [1n, 999_999_999] }, { timestamp: [3n, 0] })).toEqual({
      duration: 1_000_000_001n,
    });
  });
});
