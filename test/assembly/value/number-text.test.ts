/**
 * Doubles and integers as text, both ways, against JavaScript, whose `Number()` and `String()` are exact: reading
 * must round correctly for every text, writing must give the shortest digits.
 */
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";

const RUNS = 3000;
const OK = 0;
const SYNTAX = 1;
const RANGE = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const scratch = new DataView(new ArrayBuffer(8));

const anyDouble = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((bits) => {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
});
const finite = anyDouble.filter((value) => Number.isFinite(value));
/** Numbers as they occur in requests, powers of two (whose lower neighbour is nearer), and the extremes. */
const telling = fc.oneof(
  finite,
  fc.integer().map((value) => value / 100),
  fc.integer({ min: -1074, max: 1023 }).map((exponent) => 2 ** exponent),
  fc.constantFrom(
    0,
    -0,
    5e-324,
    2.2250738585072014e-308,
    2.225073858507201e-308,
    Number.MAX_VALUE,
    1e21,
    1e-7,
    0.1,
    1e22,
    1e23,
  ),
);

function read(guest: Guest, text: string): { value: number; status: number } {
  guest.reset();
  const bytes = encoder.encode(text);
  const start = guest.allocate(bytes.length);
  guest.bytes.set(bytes, start);
  const value = Number(guest.function("parseDouble")(start, bytes.length));
  return { value, status: Number(guest.function("parseStatus")()) };
}

function write(guest: Guest, name: string, value: number | bigint): string {
  guest.reset();
  const out = guest.allocate(48);
  guest.bytes.fill(0xaa, out, out + 48);
  const length = Number(guest.function(name)(value, out));
  expect(guest.bytes.slice(out + 40, out + 48)).toEqual(new Uint8Array(8).fill(0xaa));
  return decoder.decode(guest.bytes.slice(out, out + length));
}

/** The exact middle between a positive double and the next one, as digits and a power of ten. */
function middle(value: number): { digits: string; power: number } {
  scratch.setFloat64(0, value);
  const bits = scratch.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const significand = 2n * (biased === 0 ? fraction : fraction | (1n << 52n)) + 1n;
  const exponent = (biased === 0 ? 1 : biased) - 1076;
  if (exponent >= 0) return { digits: String(significand << BigInt(exponent)), power: 0 };
  return { digits: String(significand * 5n ** BigInt(-exponent)), power: exponent };
}

/** The digits of a number's text, without zeros at either end. */
function significant(text: string): string {
  return text.replace(/e.*$/u, "").replaceAll(/[-.]/gu, "").replace(/^0+/u, "").replace(/0+$/u, "");
}

describe.each(BUILDS)("numbers as text (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });

  function expectRead(text: string): void {
    const { value, status } = read(guest, text);
    expect(value, text).toBe(Number(text));
    expect(status, text).toBe(Number.isFinite(value) ? OK : RANGE);
  }

  it("reads back what JavaScript writes", () => {
    fc.assert(
      fc.property(telling, (value) => expectRead(Object.is(value, -0) ? "-0" : String(value))),
      { numRuns: RUNS },
    );
  });

  it("reads decimals of any length and exponent", () => {
    const digits = fc.stringMatching(/^[0-9]{1,40}$/);
    const number = fc.tuple(
      fc.constantFrom("", "-", "+"),
      digits,
      fc.option(digits),
      fc.option(fc.integer({ min: -400, max: 400 })),
    );
    const text = number.map(
      ([sign, whole, fraction, exponent]) =>
        `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`,
    );
    fc.assert(fc.property(text, expectRead), { numRuns: RUNS });
  });

  it("rounds exact ties to even, and what is a hair above or below to its side", () => {
    const positive = telling.map((value) => Math.abs(value)).filter((value) => value < Number.MAX_VALUE);
    fc.assert(
      fc.property(positive, (value) => {
        const { digits, power } = middle(value);
        expectRead(`${digits}e${power}`);
        expectRead(`${digits}${"0".repeat(30)}1e${power - 31}`);
        expectRead(`${String(BigInt(digits) - 1n)}${"9".repeat(30)}e${power - 30}`);
        for (const length of [17, 18, 19, 20, 25]) {
          if (length < digits.length)
            expectRead(`${digits.slice(0, length)}e${power + digits.length - length}`);
        }
      }),
      { numRuns: RUNS / 5 },
    );
  });

  it("reads digits beyond the 769 that can matter", () => {
    const { digits, power } = middle(2.2250738585072014e-308);
    expect(digits.length).toBeGreaterThan(760);
    expectRead(`${digits}${"0".repeat(2000)}e${power - 2000}`);
    expectRead(`${digits}${"0".repeat(2000)}1e${power - 2001}`);
  });

  it.each([
    "1e400",
    "-1e400",
    "1e-400",
    "-1e-400",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    `0.${"0".repeat(400)}1e401`,
    `1${"0".repeat(400)}e-400`,
    "0e99999999999999999999",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "9007199254740993",
    "1.",
    ".5",
    "+7",
    "00012",
    "5E3",
  ])("reads %s", (text) => {
    expectRead(text);
  });

  it.each([
    "",
    "+",
    "-",
    ".",
    "-.",
    "e5",
    "1e",
    "1e+",
    "1x",
    "1e5x",
    "1e5.",
    "1..2",
    "1.2.3",
    " 1",
    "1 ",
    "0x1",
    "NaN",
    "Inf",
    "1_0",
    "--1",
    "+-1",
    "１",
  ])("refuses %j", (text) => {
    expect(read(guest, text)).toEqual({ value: 0, status: SYNTAX });
  });

  it("writes doubles for JSON as JavaScript does", () => {
    fc.assert(
      fc.property(telling, (value) => {
        expect(write(guest, "writeDoubleJson", value)).toBe(Object.is(value, -0) ? "-0" : String(value));
      }),
      { numRuns: RUNS },
    );
  });

  it("writes what JSON has no number for as protojson's strings", () => {
    expect([NaN, Infinity, -Infinity].map((value) => write(guest, "writeDoubleJson", value))).toEqual([
      '"NaN"',
      '"Infinity"',
      '"-Infinity"',
    ]);
  });

  // What Cerbos 0.55 answers for `string(x)`.
  it.each([
    [1, "1"],
    [20, "20"],
    [100000, "100000"],
    [1e6, "1e+06"],
    [123456789, "1.23456789e+08"],
    [1234567.5, "1.2345675e+06"],
    [12345678, "1.2345678e+07"],
    [1e20, "1e+20"],
    [1e21, "1e+21"],
    [0.0001, "0.0001"],
    [1e-5, "1e-05"],
    [0.00001234, "1.234e-05"],
    [-0, "-0"],
    [0.1, "0.1"],
    [-1.5, "-1.5"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
    [5e-324, "5e-324"],
    [NaN, "NaN"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
  ])("writes %d for CEL string() as %s", (value, text) => {
    expect(write(guest, "writeDoubleGo", value)).toBe(text);
  });

  it("writes doubles for CEL string() with the digits of JavaScript", () => {
    fc.assert(
      fc.property(telling, (value) => {
        const text = write(guest, "writeDoubleGo", value);
        expect(Number(text)).toBe(value);
        expect(significant(text)).toBe(significant(String(value)));
      }),
      { numRuns: RUNS },
    );
  });

  it("writes integers", () => {
    const edges = fc.constantFrom(0n, 9n, 10n, 9999n, 10000n, (1n << 63n) - 1n);
    fc.assert(
      fc.property(fc.oneof(edges, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })), (value) => {
        expect(write(guest, "writeUint", BigInt.asIntN(64, value))).toBe(String(value));
        const signed = BigInt.asIntN(64, value);
        expect(write(guest, "writeInt", signed)).toBe(String(signed));
      }),
    );
    expect(write(guest, "writeInt", -(1n << 63n))).toBe("-9223372036854775808");
    expect(write(guest, "writeUint", -1n)).toBe("18446744073709551615");
  });
});
