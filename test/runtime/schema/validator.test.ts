/** runtime/schema/validator.ts, messages.ts and action-globs.ts */
import { describe, expect, it } from "vitest";
import { SchemaValidator } from "../../../runtime/schema/validator.ts";

const errorsOf = (schema: unknown, value: unknown): string[] => {
  const validator = new SchemaValidator({
    sets: [{ resource: { ref: "cerbos:///a.json", ignoreActions: [] } }],
    documents: new Map([["a.json", schema]]),
  });
  return validator.validate(0, ["view"], {}, value).map(({ path, message }) => `${path ?? ""} ${message}`);
};

describe("the words of an error", () => {
  it.each<readonly [string, unknown, unknown, readonly string[]]>([
    ["a type", { properties: { a: { type: "string" } } }, { a: 1 }, ["/a expected string, but got number"]],
    [
      "types",
      { properties: { a: { type: ["string", "null"] } } },
      { a: [] },
      ["/a expected string or null, but got array"],
    ],
    ["missing properties, together", { required: ["a", "b"] }, {}, ["/ missing properties: 'a', 'b'"]],
    [
      "additional properties, together",
      { additionalProperties: false },
      { a: 1, b: 1 },
      ["/ additionalProperties 'a', 'b' not allowed"],
    ],
    [
      "an enum",
      { properties: { a: { enum: ["x", "y"] } } },
      { a: "z" },
      ['/a value must be one of "x", "y"'],
    ],
    ["a constant", { properties: { a: { const: "x" } } }, { a: "z" }, ['/a value must be "x"']],
    ["a minimum", { properties: { a: { minimum: 1.5 } } }, { a: 1 }, ["/a must be >= 1.5 but found 1"]],
    [
      "a length",
      { properties: { a: { minLength: 3 } } },
      { a: "é😀" },
      ["/a length must be >= 3, but got 2"],
    ],
    ["a pattern", { properties: { a: { pattern: "^x" } } }, { a: "y" }, ["/a does not match pattern '^x'"]],
    ["a format", { properties: { a: { format: "email" } } }, { a: "y" }, ["/a 'y' is not valid 'email'"]],
    [
      "an item count",
      { properties: { a: { minItems: 2 } } },
      { a: [1] },
      ["/a minimum 2 items required, but found 1 items"],
    ],
    ["no valid request", { properties: { a: false } }, { a: 1 }, ["/a not allowed"]],
    [
      "only the members of anyOf",
      { anyOf: [{ required: ["a"] }, { required: ["b"] }] },
      {},
      ["/ missing properties: 'a'", "/ missing properties: 'b'"],
    ],
    ["nothing", { type: "object" }, { a: 1 }, []],
  ])("says %s", (_, schema, value, expected) => {
    expect(errorsOf(schema, value)).toEqual(expected);
  });
});

const validate = (reference: string): string[] =>
  new SchemaValidator({
    sets: [{ resource: { ref: "cerbos:///dir/a.json", ignoreActions: [] } }],
    documents: new Map<string, unknown>([
      ["dir/a.json", { properties: { x: { $ref: reference } } }],
      ["b.json", { type: "string" }],
    ]),
  })
    .validate(0, ["view"], {}, { x: 1 })
    .map(({ message }) => message);

describe("references", () => {
  it("lead to other documents of the bundle, and nowhere else", () => {
    expect(validate("cerbos:///b.json")).toEqual(["expected string, but got number"]);
    expect(validate("/b.json")).toEqual(["expected string, but got number"]);
    expect(validate("../b.json")).toEqual(["expected string, but got number"]);
    expect(validate("https://example.com/b.json")[0]).toMatch(
      /^Failed to load resource schema "cerbos:\/\/\/dir\/a.json": /,
    );
    expect(validate("cerbos:///c.json")[0]).toMatch(
      /schema _schemas\/c.json referenced by cerbos:\/\/\/dir\/a.json doesn't exist/,
    );
  });
});

it("ignores a schema only when every action matches", () => {
  const validator = new SchemaValidator({
    sets: [{ principal: { ref: "cerbos:///a.json", ignoreActions: ["view:*", "{list,count}"] } }],
    documents: new Map([["a.json", { required: ["x"] }]]),
  });
  const count = (...actions: string[]): number => validator.validate(0, actions, {}, {}).length;
  expect(count("view:public")).toBe(0);
  expect(count("view:public", "list")).toBe(0);
  expect(count("view:public", "edit")).toBe(1);
  expect(count("view:a:b")).toBe(1);
});

it("reads patterns as RE2, in linear time, and refuses what RE2 refuses", () => {
  const slow = { properties: { a: { pattern: "^(a+)+$" } } };
  expect(errorsOf(slow, { a: `${"a".repeat(5000)}!` })).toHaveLength(1);
  expect(errorsOf({ properties: { a: { pattern: "(?=a)" } } }, { a: "a" })[0]).toMatch(
    /Failed to load resource schema/,
  );
});

it("does not take what every object inherits for an attribute", () => {
  for (const name of ["toString", "constructor", "__proto__"]) {
    expect(errorsOf({ required: [name] }, {})).toEqual([`/ missing properties: '${name}'`]);
  }
});
