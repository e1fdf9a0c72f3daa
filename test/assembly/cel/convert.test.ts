/** CEL type conversions; every row is an answer of Cerbos 0.55. */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ERROR_BAD_CONVERSION,
  ERROR_FUEL,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  ERROR_OVERFLOW,
  TAG_CIDR,
  TAG_HIERARCHY,
  TAG_IP,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_MATCHER,
  TAG_SPIFFE_TRUST_DOMAIN,
} from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, failure, type Value } from "../support/values.ts";
import { anyDouble, anyInt, anyUint } from "./numbers.ts";

const MIN = -(1n << 63n);
const MAX_UINT = (1n << 64n) - 1n;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const rows: readonly (readonly [string, Value, Value])[] = [
  ...["1", "t", "T", "true", "True", "TRUE"].map((text) => ["toBool", text, true] as const),
  ...["0", "f", "F", "false", "False", "FALSE"].map((text) => ["toBool", text, false] as const),
  ...["tRue", "tRUE", "yes", "", "2", " true", "fALSE", "truee", "tru"].map(
    (text) => ["toBool", text, failure(ERROR_BAD_CONVERSION, text)] as const,
  ),
  ["toBool", true, true],
  ["toInt", "+5", 5n],
  ["toInt", "-5", -5n],
  ["toInt", "-0", 0n],
  ["toInt", "00012", 12n],
  ["toInt", "9223372036854775807", -MIN - 1n],
  ["toInt", "-9223372036854775808", MIN],
  ["toInt", `${"0".repeat(100)}7`, 7n],
  ...[
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "1_000",
    "0x10",
    "",
    "+",
    "-",
    "--1",
    "1.0",
    " 1",
    "١",
    "1a",
  ].map((text) => ["toInt", text, failure(ERROR_BAD_CONVERSION, text)] as const),
  ["toInt", 1.9, 1n],
  ["toInt", -1.9, -1n],
  ["toInt", -0.5, 0n],
  ["toInt", 9223372036854774784, 9223372036854774784n],
  ["toInt", -9223372036854774784, -9223372036854774784n],
  ["toInt", -(2 ** 63), failure(ERROR_OVERFLOW)],
  ["toInt", 2 ** 63, failure(ERROR_OVERFLOW)],
  ["toInt", NaN, failure(ERROR_OVERFLOW)],
  ["toInt", Infinity, failure(ERROR_OVERFLOW)],
  ["toInt", { uint: 5n }, 5n],
  ["toInt", { uint: 1n << 63n }, failure(ERROR_OVERFLOW)],
  ["toInt", { timestamp: [1577836800n, 900_000_000] }, 1577836800n],
  ["toInt", { timestamp: [-1n, 500_000_000] }, -1n],
  ["toInt", { duration: 1_500_000_000n }, 1_500_000_000n],
  ["toUint", "5", { uint: 5n }],
  ["toUint", "007", { uint: 7n }],
  ["toUint", String(MAX_UINT), { uint: MAX_UINT }],
  ...[
    "18446744073709551616",
    "18446744073709551620",
    "99999999999999999999",
    "-1",
    "-0",
    "+5",
    "",
    "1.0",
  ].map((text) => ["toUint", text, failure(ERROR_BAD_CONVERSION, text)] as const),
  ["toUint", 1.9, { uint: 1n }],
  ["toUint", -0, { uint: 0n }],
  ["toUint", -0.5, failure(ERROR_OVERFLOW)],
  ["toUint", 2 ** 64, failure(ERROR_OVERFLOW)],
  ["toUint", 18446744073709549568, { uint: 18446744073709549568n }],
  ["toUint", NaN, failure(ERROR_OVERFLOW)],
  ["toUint", -1n, failure(ERROR_OVERFLOW)],
  ["toUint", 7n, { uint: 7n }],
  ["toDouble", 9223372036854775807n, 2 ** 63],
  ["toDouble", { uint: MAX_UINT }, 2 ** 64],
  ["toDouble", "1_0.5", 10.5],
  ["toDouble", "0x1p-2", 0.25],
  ["toDouble", "-inf", -Infinity],
  ["toDouble", "nan", NaN],
  ["toDouble", "1e-400", 0],
  ...["1e400", "", " 1", "0x1", "1_"].map(
    (text) => ["toDouble", text, failure(ERROR_BAD_CONVERSION, text)] as const,
  ),
  ["toBytes", "é", bytes("é")],
  ["toBytes", new Uint8Array([255]), new Uint8Array([255])],
  ["toText", true, "true"],
  ["toText", false, "false"],
  ["toText", bytes("aé😀"), "aé😀"],
  ["toText", -5n, "-5"],
  ["toText", MIN, "-9223372036854775808"],
  ["toText", { uint: MAX_UINT }, "18446744073709551615"],
  ["toText", 1, "1"],
  ["toText", 1e6, "1e+06"],
  ["toText", NaN, "NaN"],
  ["toText", "x", "x"],
  ...[[255], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [97, 0x80]].map(
    (malformed) => ["toText", new Uint8Array(malformed), failure(ERROR_BAD_CONVERSION)] as const,
  ),
  ["toText", { duration: 5_400_000_000_000n }, "5400s"],
  ["toText", { timestamp: [1577836800n, 500_000_000] }, "2020-01-01T00:00:00.5Z"],
];

const REFUSED: Readonly<Record<string, readonly Value[]>> = {
  toBool: [1n, 1, null, new Uint8Array([49]), [true]],
  toInt: [true, null, new Uint8Array([49]), [1n], { type: "int" }, { optional: 1n }],
  toUint: [true, null, { timestamp: [0n, 0] }, { duration: 0n }, new Uint8Array([49])],
  toDouble: [true, null, { timestamp: [0n, 0] }, { duration: 0n }, new Uint8Array([49])],
  toBytes: [1n, null, true, ["a"]],
  toText: [null, [1n], { map: [] }, { type: "int" }, { optional: "a" }],
};

const TYPES: readonly (readonly [Value, string])[] = [
  [1n, "int"],
  [{ uint: 1n }, "uint"],
  [1, "double"],
  [NaN, "double"],
  ["", "string"],
  [new Uint8Array(), "bytes"],
  [null, "null_type"],
  [true, "bool"],
  [[], "list"],
  [{ map: [] }, "map"],
  [{ timestamp: [0n, 0] }, "google.protobuf.Timestamp"],
  [{ duration: 0n }, "google.protobuf.Duration"],
  [{ type: "int" }, "type"],
  [{ optional: undefined }, "optional_type"],
  [{ tag: TAG_HIERARCHY, payload: 0 }, "cerbos.lib.hierarchy"],
  [{ tag: TAG_SPIFFE_ID, payload: 0 }, "cerbos.lib.spiffeID"],
  [{ tag: TAG_SPIFFE_TRUST_DOMAIN, payload: 0 }, "cerbos.lib.spiffeTrustDomain"],
  [{ tag: TAG_SPIFFE_MATCHER, payload: 0 }, "cerbos.lib.spiffeMatcher"],
  [{ tag: TAG_IP, payload: 0 }, "net.IP"],
  [{ tag: TAG_CIDR, payload: 0 }, "net.CIDR"],
];

describe.each(BUILDS)("conversions (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  it.each(rows)("%s(%o) is %o", (name, value, wanted) => {
    expect(apply(guest, name, value)).toEqual(wanted);
  });

  it.each(Object.entries(REFUSED))("%s has no overload for other kinds", (name, values) => {
    for (const value of values) expect(apply(guest, name, value)).toEqual(failure(ERROR_NO_SUCH_OVERLOAD));
  });

  it.each(TYPES)("type(%o) is %s", (value, type) => {
    expect(apply(guest, "typeOf", value)).toEqual({ type });
  });

  it.each([...Object.keys(REFUSED), "typeOf", "toDyn", "toTimestamp", "toDuration"])(
    "%s answers an error as it is",
    (name) => {
      const error = failure(ERROR_NO_SUCH_KEY, "k");
      expect(apply(guest, name, error)).toEqual(error);
    },
  );

  it.each(["toInt", "toUint", "toDouble", "toText"])("%s burns fuel by the length of its text", (name) => {
    guest.reset(1000n);
    const text = "0".repeat(100_000);
    expect(apply(guest, name, name === "toText" ? bytes(text) : text)).toEqual(failure(ERROR_FUEL));
    guest.reset(40_000n);
    expect(apply(guest, name, name === "toText" ? bytes(text) : text)).not.toEqual(failure(ERROR_FUEL));
  });

  it("reads back the numbers that it writes", () => {
    const numbers = fc.tuple(anyInt, anyUint, anyDouble);
    fc.assert(
      fc.property(numbers, ([int, uint, double]) => {
        guest.reset();
        expect(apply(guest, "toInt", apply(guest, "toText", int))).toBe(int);
        expect(apply(guest, "toText", int)).toBe(String(int));
        expect(apply(guest, "toUint", apply(guest, "toText", { uint }))).toEqual({ uint });
        expect(apply(guest, "toDouble", apply(guest, "toText", double))).toBe(double);
        expect(apply(guest, "toDouble", int)).toBe(Number(int));
        expect(apply(guest, "toDouble", { uint })).toBe(Number(uint));
      }),
    );
  });
});
