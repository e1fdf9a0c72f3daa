/** The texts that CEL `double()` takes beyond plain decimals, as Cerbos 0.55 answers them. */
import { beforeAll, describe, expect, it } from "vitest";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";

const OK = 0;
const SYNTAX = 1;
const RANGE = 2;

function read(guest: Guest, text: string): readonly [number, number] {
  guest.reset();
  const bytes = new TextEncoder().encode(text);
  const start = guest.allocate(bytes.length);
  guest.bytes.set(bytes, start);
  const value = Number(guest.function("parseGoDouble")(start, bytes.length));
  return [Number(guest.function("goDoubleStatus")()), value];
}

describe.each(BUILDS)("doubles in Go's spellings (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });

  it.each([
    ["1.5", 1.5],
    ["-0", -0],
    ["1.", 1],
    [".5", 0.5],
    ["1e-400", 0],
    ["inf", Infinity],
    ["+Inf", Infinity],
    ["-INFINITY", -Infinity],
    ["nan", NaN],
    ["NaN", NaN],
    ["1_000", 1000],
    ["1_0.5", 10.5],
    ["1_23.50_0_0e+1_2", 123.5e12],
    ["0x1p-2", 0.25],
    ["0X1P+1", 2],
    ["0x1.8p1", 3],
    ["0x.8p1", 1],
    ["0x1_0p3", 128],
    ["0x_1p0", 1],
    ["-0x1p0", -1],
    ["0x1.00000000000008p0", 1],
    ["0x1.0000000000000801p0", 1.0000000000000002],
    ["0x1.00000000000018p0", 1.0000000000000004],
    ["0x1.fffffffffffffp1023", Number.MAX_VALUE],
    ["0x1p-1074", 5e-324],
    ["0x1p-1075", 0],
    ["0x1.8p-1075", 5e-324],
    ["0x1.fffffffffffffp-1023", 2.2250738585072014e-308],
    ["0x0p99999999999", 0],
    ["0x00000000000000000000001p0", 1],
    ["0x100000000000000000000p-80", 1],
    ["0x0.000000000000000000001p84", 1],
    ["0x1p-99999999999", 0],
  ])("reads %j", (text, value) => {
    expect(read(guest, text)).toEqual([OK, value]);
  });

  it.each(["1e400", "0x1p1024", "0x1.fffffffffffff8p1023", "-0x1p99999999999"])(
    "is out of range for %j",
    (text) => {
      expect(read(guest, text)[0]).toBe(RANGE);
    },
  );

  it.each([
    "",
    "+",
    "-",
    "0x",
    "0x1",
    "0xp1",
    "0x.p1",
    "0x1p",
    "0x1p+",
    "0x1p_1",
    "0x1p1_",
    "0x1pa",
    "0b1",
    "0x1g",
    "1__0",
    "_1",
    "1_",
    "1_e5",
    "1e_5",
    "1._5",
    "+nan",
    "-nan",
    "infi",
    "infinit",
    "in",
    "i",
    "n",
    "na",
    "nano",
    "+-inf",
    " 1",
    "1\u0000",
    "0x1.8.p1",
    "١",
  ])("refuses %j", (text) => {
    expect(read(guest, text)[0]).toBe(SYNTAX);
  });
});
