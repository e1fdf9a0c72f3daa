/**
 * Properties of the guest's CEL functions against JavaScript models: dates against `Date`, base64 against
 * `Buffer`, sets and strings against arrays, fixed decimals against exact BigInt arithmetic.
 */
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { apply, type Value } from "../support/values.ts";

const RUNS = { numRuns: 300 };
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z in seconds. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

const seconds = fc.integer({ min: FIRST_SECOND, max: LAST_SECOND });
/** Few different elements, so that lists overlap; 1, 1n and uint 1 are the same one. */
const element = fc.oneof(
  fc.integer({ min: 0, max: 30 }),
  fc.bigInt({ min: 0n, max: 30n }),
  fc.bigInt({ min: 0n, max: 30n }).map((uint) => ({ uint })),
  fc.integer({ min: 0, max: 30 }).map((number) => `item ${number}`),
  fc.constantFrom(true, false, null),
);
const elements = fc.array(element, { maxLength: 60 });
const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀", " "), maxLength: 12 });

/** What makes two elements the same. */
function identityOf(value: Value): string {
  if (typeof value === "bigint" || typeof value === "number") return `number ${value}`;
  if (value !== null && typeof value === "object" && "uint" in value) return `number ${value.uint}`;
  return JSON.stringify(value);
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}

/** `|value| * 10^power` rounded half to even, exactly. */
function exactScaled(value: number, power: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  const above = 2n ** BigInt(Math.max(exponent, 0)) * 10n ** BigInt(Math.max(power, 0));
  const below = 2n ** BigInt(Math.max(-exponent, 0)) * 10n ** BigInt(Math.max(-power, 0));
  const scaled = significand * above;
  const whole = scaled / below;
  const rest = 2n * (scaled % below);
  return rest > below || (rest === below && whole % 2n === 1n) ? whole + 1n : whole;
}

/** `value` as `%.Ne` shows it. */
function exactScientific(value: number, precision: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  // From below the power that the shortest digits have: those may be rounded up to it.
  let power = value === 0 ? 0 : Number(value.toExponential().split("e")[1]) - 1;
  let digits = exactScaled(value, precision - power).toString();
  while (digits.length > precision + 1) digits = exactScaled(value, precision - ++power).toString();
  digits = digits.padEnd(precision + 1, "0");
  const point = precision === 0 ? "" : ".";
  return `${sign}${digits.slice(0, 1)}${point}${digits.slice(1)}e${power < 0 ? "-" : "+"}${pad(Math.abs(power))}`;
}

describe.each(BUILDS)("CEL functions agree with models (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });
  beforeEach(() => guest.reset());

  function call(name: string, ...values: readonly Value[]): Value {
    guest.reset();
    return apply(guest, name, ...values);
  }

  it("getters give the fields of a UTC date", () => {
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 999_999_999 }), (second, nanos) => {
        const date = new Date(second * 1000);
        const timestamp: Value = { timestamp: [BigInt(second), nanos] };
        const year = date.getUTCFullYear();
        const newYear = new Date(0);
        newYear.setUTCFullYear(year, 0, 1);
        const fields: Record<string, number> = {
          getFullYear1: year,
          getMonth1: date.getUTCMonth(),
          getDate1: date.getUTCDate(),
          getDayOfMonth1: date.getUTCDate() - 1,
          getDayOfWeek1: date.getUTCDay(),
          getDayOfYear1: Math.floor((date.getTime() - newYear.getTime()) / 86_400_000),
          getHours1: date.getUTCHours(),
          getMinutes1: date.getUTCMinutes(),
          getSeconds1: date.getUTCSeconds(),
          getMilliseconds1: Math.floor(nanos / 1_000_000),
        };
        for (const [name, field] of Object.entries(fields))
          expect([name, call(name, timestamp)]).toEqual([name, BigInt(field)]);
      }),
      RUNS,
    );
  });

  it("a zone offset moves the date by that much", () => {
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(seconds, offset, (second, minutes) => {
        const size = Math.abs(minutes);
        const zone = `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
        const moved = new Date((second + minutes * 60) * 1000);
        const timestamp: Value = { timestamp: [BigInt(second), 0] };
        expect(call("getDate2", timestamp, zone)).toBe(BigInt(moved.getUTCDate()));
        expect(call("getHours2", timestamp, zone)).toBe(BigInt(moved.getUTCHours()));
        expect(call("getFullYear2", timestamp, zone)).toBe(BigInt(moved.getUTCFullYear()));
      }),
      RUNS,
    );
  });

  it("timestamps survive their text", () => {
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 999_999_999 }), (second, nanos) => {
        const timestamp: Value = { timestamp: [BigInt(second), nanos] };
        const written = call("timestampText", timestamp);
        const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
        expect(written).toBe(new Date(second * 1000).toISOString().replace(".000Z", `${fraction}Z`));
        expect(call("toTimestamp", written)).toEqual(timestamp);
      }),
      RUNS,
    );
  });

  it("durations up to 2^53 ns survive their text", () => {
    const limit = 9_007_199_254_740_991n;
    fc.assert(
      fc.property(fc.bigInt({ min: -limit / 10n, max: limit / 10n }), (duration) => {
        expect(call("toDuration", call("durationText", { duration }))).toEqual({ duration });
      }),
      RUNS,
    );
  });

  it("base64 is Buffer's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const encoded = Buffer.from(bytes).toString("base64");
        expect(call("base64Encode", bytes)).toBe(encoded);
        expect(call("base64Decode", encoded)).toEqual(bytes);
        expect(call("base64Decode", encoded.replace(/=+$/, ""))).toEqual(bytes);
      }),
      RUNS,
    );
  });

  it("set functions give what sets would", () => {
    fc.assert(
      fc.property(elements, elements, (left, right) => {
        const inLeft = new Set(left.map(identityOf));
        const inRight = new Set(right.map(identityOf));
        const [short, long] = left.length > right.length ? [right, inLeft] : [left, inRight];
        const subset = [...inLeft].every((item) => inRight.has(item));
        const superset = [...inRight].every((item) => inLeft.has(item));
        expect(call("except", left, right)).toEqual(left.filter((item) => !inRight.has(identityOf(item))));
        expect(call("intersect", left, right)).toEqual(short.filter((item) => long.has(identityOf(item))));
        expect(call("hasIntersection", left, right)).toBe([...inLeft].some((item) => inRight.has(item)));
        expect(call("setsIntersects", left, right)).toBe([...inLeft].some((item) => inRight.has(item)));
        expect(call("isSubset", left, right)).toBe(subset);
        expect(call("setsContains", left, right)).toBe(superset);
        expect(call("setsEquivalent", left, right)).toBe(subset && superset);
        const seen = new Set<string>();
        const firsts = left.filter(
          (item) => !seen.has(identityOf(item)) && seen.add(identityOf(item)).size > 0,
        );
        expect(call("distinct", left)).toEqual(firsts);
      }),
      RUNS,
    );
  });

  it("sorting puts items in order", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -50n, max: 50n }), { maxLength: 40 }), (numbers) => {
        expect(call("sort", numbers)).toEqual(numbers.toSorted((left, right) => (left < right ? -1 : 1)));
      }),
      RUNS,
    );
  });

  it("string functions count code points", () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 6 }), (whole, piece, from) => {
        const points = Array.from(whole);
        const starts = points
          .map((_, index) => index)
          .filter((index) => points.slice(index).join("").startsWith(piece));
        if (piece !== "") {
          expect(call("indexOf3", whole, piece, BigInt(from))).toBe(
            BigInt(starts.find((index) => index >= from) ?? -1),
          );
          expect(call("lastIndexOf2", whole, piece)).toBe(BigInt(starts.at(-1) ?? -1));
          const last = from >= points.length ? -1 : (starts.findLast((index) => index <= from) ?? -1);
          expect(call("lastIndexOf3", whole, piece, BigInt(from))).toBe(BigInt(last));
        }
        if (from <= points.length) {
          expect(call("substring2", whole, BigInt(from))).toBe(points.slice(from).join(""));
          expect(call("charAt", whole, BigInt(from))).toBe(points[from] ?? "");
        }
        expect(call("reverse", whole)).toBe(points.toReversed().join(""));
        expect(call("split2", whole, piece)).toEqual(piece === "" ? points : whole.split(piece));
        expect(call("replace3", whole, "a", piece)).toBe(whole.replaceAll("a", () => piece));
        expect(call("join2", whole.split(" "), " ")).toBe(whole);
        expect(call("trim", whole)).toBe(whole.trim());
      }),
      RUNS,
    );
  });

  it("fixed decimals are exact and round half to even", () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, fc.integer({ min: 0, max: 100 }), (value, precision) => {
        const digits = exactScaled(value, precision)
          .toString()
          .padStart(precision + 1, "0");
        const whole = digits.slice(0, digits.length - precision);
        const sign = value < 0 || Object.is(value, -0) ? "-" : "";
        const wanted = `${sign}${whole}${precision === 0 ? "" : `.${digits.slice(-precision)}`}`;
        expect(call("format", `%.${precision}f`, [value])).toBe(wanted);
      }),
      RUNS,
    );
  });

  it("scientific notation is exact and rounds half to even", () => {
    const double = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      // Ties: few binary digits behind the point.
      fc
        .tuple(fc.integer({ min: 2 ** 40, max: 2 ** 48 }), fc.integer({ min: 0, max: 31 }))
        .map(([whole, part]) => whole + part / 32),
    );
    fc.assert(
      fc.property(double, fc.integer({ min: 0, max: 100 }), (value, precision) => {
        expect(call("format", `%.${precision}e`, [value])).toBe(exactScientific(value, precision));
      }),
      { numRuns: 3000 },
    );
  });
});
