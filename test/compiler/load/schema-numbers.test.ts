/** compiler/load/schema-numbers.ts */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keepNumbers } from "../../../compiler/load/schema-numbers.ts";
import type { JsonValue } from "../../../compiler/policy/policy-set.ts";

/** The schema as it is kept. */
function kept(text: string): JsonValue {
  const schema: JsonValue = JSON.parse(text);
  expect(keepNumbers(schema, text)).toBeUndefined();
  return schema;
}

/** An integer times 10^-400, so that decimals compare exactly. */
function exact(text: string): bigint {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
}

/** Doubles at and around a number. */
function around(value: number): readonly number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigInt64(0);
  const doubles = [-2n, -1n, 0n, 1n, 2n].map((step) => {
    view.setBigInt64(0, bits + step);
    return view.getFloat64(0);
  });
  return doubles.filter((double) => Number.isFinite(double) && (double === 0 || Math.abs(double) > 1e-300));
}

const HOLDS = {
  minimum: [
    (value: bigint, bound: bigint) => value >= bound,
    (value: number, bound: number) => value >= bound,
  ],
  maximum: [
    (value: bigint, bound: bigint) => value <= bound,
    (value: number, bound: number) => value <= bound,
  ],
  exclusiveMinimum: [
    (value: bigint, bound: bigint) => value > bound,
    (value: number, bound: number) => value > bound,
  ],
  exclusiveMaximum: [
    (value: bigint, bound: bigint) => value < bound,
    (value: number, bound: number) => value < bound,
  ],
} as const;

describe("bounds", () => {
  const integer = fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String);
  const decimal = fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.bigInt({ min: 10n ** 17n, max: 10n ** 22n }))
    .map(([whole, digits]) => `${whole}.${digits}`);
  const scientific = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 20n }), fc.integer({ min: -60, max: 60 }))
    .map(([digits, power]) => `${digits}e${power}`);
  const number = fc.oneof(integer, decimal, scientific);

  it("let in the same doubles as the number written does", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        number,
        (key, text) => {
          const schema = kept(`{"properties": {"a": [{"${key}": ${text}}]}}`) as {
            properties: { a: [Record<string, number>] };
          };
          const bound = schema.properties.a[0][key] ?? Number.NaN;
          const [isMeant, holds] = HOLDS[key];
          for (const value of around(Number(text))) {
            expect([value, holds(value, bound)]).toEqual([value, isMeant(exact(String(value)), exact(text))]);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("of draft 4 are exclusive beside a boolean", () => {
    expect(kept('{"maximum": 9007199254740993, "exclusiveMaximum": true}')).toEqual({
      maximum: 9007199254740994,
      exclusiveMaximum: true,
    });
    expect(kept('{"maximum": 9007199254740993, "exclusiveMaximum": false}')).toEqual({
      maximum: 9007199254740992,
      exclusiveMaximum: false,
    });
  });

  it("stay as they are where doubles have them", () => {
    const text =
      '{"maximum": 9007199254740992, "minimum": 0.1, "exclusiveMaximum": 1e21, "multipleOf": 0.01}';
    expect(kept(text)).toEqual(JSON.parse(text));
  });
});

describe("numbers that must be met", () => {
  it.each([
    ['{"const": 9007199254740993}', "9007199254740993"],
    ['{"enum": [1, {"a": [0.12345678901234567890]}]}', "0.12345678901234567890"],
    ['{"x": "9007199254740993", "items": {"multipleOf": 0.10000000000000000001}}', "0.10000000000000000001"],
    ['{"minimum": 1e400}', "1e400"],
    ['{"maximum": -1e400}', "-1e400"],
    [`{"maximum": ${"9".repeat(2000)}}`, "9".repeat(2000)],
  ])("are a problem when they are no doubles: %.60s", (text, number) => {
    const problem = keepNumbers(JSON.parse(text) as JsonValue, text);
    expect(problem).toEqual({ offset: text.lastIndexOf(number), text: number });
  });

  it("do not matter elsewhere", () => {
    kept('{"default": 9007199254740993, "a\\"b": [["1e5"], 12345678901234567890]}');
  });
});
