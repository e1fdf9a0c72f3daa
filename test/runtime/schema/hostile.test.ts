/** Attributes and schemas made to be slow or deep: what runtime/schema does with them is bounded, and never passes what it gave up. */
import { describe, expect, it } from "vitest";
import { Budget, MAX_STEPS } from "../../../runtime/schema/budget.ts";
import { SchemaValidator, type ValidationError } from "../../../runtime/schema/validator.ts";

const validator = (schema: unknown): SchemaValidator =>
  new SchemaValidator({
    sets: [{ resource: { ref: "cerbos:///a.json", ignoreActions: [] } }],
    documents: new Map([["a.json", schema]]),
  });
const errorsOf = (schema: unknown, value: unknown, budget = new Budget()): readonly ValidationError[] =>
  validator(schema).validate(0, ["view"], {}, value, budget);

const TOO_MUCH = "Failed to validate the attributes: validating the attributes takes too many steps";
const TOO_DEEP = "Failed to validate the attributes: the attributes are nested too deeply for the schema";

/** `levels` arrays around a number. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe("work", () => {
  it("for unique items grows with their size, not with its square", () => {
    const a = Array.from({ length: 20_000 }, (_, index) => ({ index, name: "same" }));
    expect(errorsOf({ properties: { a: { uniqueItems: true } } }, { a })).toEqual([]);
    expect(errorsOf({ properties: { a: { uniqueItems: true } } }, { a: [...a, ...a] })).toHaveLength(1);
  });

  it("is rejected where it exceeds the budget", () => {
    const many = Array.from({ length: 400 }, () => ({ type: "object" }));
    const schema = { properties: { a: { items: { oneOf: [{ type: "array" }, { allOf: many }] } } } };
    const a = Array.from({ length: 100_000 }, () => ({}));
    expect(errorsOf(schema, { a }).map(({ message }) => message)).toEqual([TOO_MUCH]);
  });

  it("that doubles with every level of the attributes is rejected", () => {
    const twice = { allOf: [{ items: { $ref: "#/$defs/t" } }, { items: { $ref: "#/$defs/t" } }] };
    const schema = { properties: { a: { $ref: "#/$defs/t" } }, $defs: { t: twice } };
    expect(errorsOf(schema, { a: nested(60) }).map(({ message }) => message)).toEqual([TOO_MUCH]);
  });

  it("for a text that is to be a regular expression is limited by its length", () => {
    const schema = { properties: { a: { format: "regex" } } };
    expect(errorsOf(schema, { a: "a".repeat(100_000) }).map(({ message }) => message)).toEqual([TOO_MUCH]);
    expect(errorsOf(schema, { a: "a".repeat(500) })).toEqual([]);
  });

  it("is counted for all resources of a request together", () => {
    const schema = { properties: { a: { items: { type: "number" } } } };
    const one = validator(schema);
    const budget = new Budget(MAX_STEPS);
    const a = Array.from({ length: 1_000_000 }, () => 1);
    const found = Array.from({ length: 4 }, () => one.validate(0, ["view"], {}, { a }, budget).length);
    expect(found[0]).toBe(0);
    expect(found.at(-1)).toBe(1);
  });

  it("ends with the hundredth error", () => {
    const budget = new Budget(5000);
    const a = Array.from({ length: 1_000_000 }, () => 1);
    const schema = { properties: { a: { items: { type: "string" } } } };
    expect(errorsOf(schema, { a }, budget)).toHaveLength(100);
  });

  it.each([
    "email",
    "uri",
    "uri-reference",
    "uri-template",
    "hostname",
    "date-time",
    "duration",
    "ipv6",
    "uuid",
  ])("for the format %s is linear", (format) => {
    for (const unit of ["a", "a.", "/%41", "{a}", "a-", "::", "1:", "(", "[", "\\", "é", '"']) {
      const a = `${unit.repeat(Math.floor(200_000 / unit.length))}!\n`;
      expect(errorsOf({ properties: { a: { format } } }, { a }, new Budget(60_000)).length).toBeLessThan(2);
    }
  });
});

describe("depth", () => {
  it("of attributes is limited where a schema follows it", () => {
    const schema = {
      properties: { a: { $ref: "#/$defs/t" } },
      $defs: { t: { items: { $ref: "#/$defs/t" } } },
    };
    expect(errorsOf(schema, { a: nested(100) })).toEqual([]);
    expect(errorsOf(schema, { a: nested(100_000) }).map(({ message }) => message)).toEqual([TOO_DEEP]);
  });

  it("of values that are compared never ends in an exception", () => {
    const [error] = errorsOf({ properties: { a: { const: 1 } } }, { a: nested(100_000) });
    expect(error?.message).toBeDefined();
  });

  it("of a schema is limited", () => {
    let schema: unknown = { type: "string" };
    for (let level = 0; level < 5000; level++) schema = { not: schema };
    expect(errorsOf(schema, {})[0]?.message).toMatch(
      /^Failed to load resource schema "cerbos:\/\/\/a.json": /,
    );
  });

  it("without end is refused when the schema is loaded, or when it is used", () => {
    expect(errorsOf({ $ref: "#" }, {})[0]?.message).toMatch(/infinite loop/);
    const dynamic = { $dynamicAnchor: "x", $ref: "#/$defs/y", $defs: { y: { $dynamicRef: "#x" } } };
    expect(errorsOf(dynamic, {})).toHaveLength(1);
  });
});

it("has no exception for what is no JSON", () => {
  for (const a of [1n, undefined, Number.NaN, new Date(0), new Map(), () => 1, Symbol("a")]) {
    expect(errorsOf({ properties: { a: { type: "number" } } }, { a })).toHaveLength(1);
  }
});
