/** compiler/policy/rules/invalid-schema.ts, with what schema-documents.ts and schema-shape.ts find. */
import { describe, expect, it } from "vitest";
import { plan } from "../../../../compiler/index.ts";
import { messages, problems, resourcePolicy } from "../policies.ts";

const POLICY = resourcePolicy(
  "album",
  "  schemas:\n    principalSchema:\n      ref: cerbos:///p.json\n    resourceSchema:\n      ref: cerbos:///sub/r%20x.json#/$defs/a\n",
);
const GOOD = '{"$defs": {"a": {"type": "object"}}}';

/** What is wrong with a set whose principal schema is this text. */
function withSchema(text: string, more: Readonly<Record<string, string>> = {}): string[] {
  const files = { "a.yaml": POLICY, "_schemas/p.json": text, "_schemas/sub/r x.json": GOOD, ...more };
  return messages(files).map((message) => message.replace(/^.*cannot be loaded: /, ""));
}

it("points at the reference to a schema that is missing", () => {
  expect(problems({ "a.yaml": POLICY })).toEqual([
    "EDICT2308 a.yaml:7:7 $.resourcePolicy.schemas.principalSchema.ref",
    "EDICT2308 a.yaml:9:7 $.resourcePolicy.schemas.resourceSchema.ref",
  ]);
});

it("accepts schemas that are there, with percent signs and fragments in the reference", () => {
  expect(withSchema(GOOD)).toEqual([]);
});

it("refuses a schema that is not JSON, beside the warning about the file", () => {
  expect(withSchema("{")).toContain("_schemas/p.json does not exist, or is not JSON");
});

it("is a warning where schemas are ignored", () => {
  const { diagnostics, program } = plan([{ path: "a.yaml", text: POLICY }], { ignoreSchemas: true });
  expect(diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
    "EDICT2308 warning",
    "EDICT2308 warning",
  ]);
  expect(program).toBeDefined();
});

it("follows references through the store, cycles included", () => {
  const inner = '{"properties": {"a": {"$ref": "/c.json"}}}';
  const schema = '{"properties": {"a": {"$ref": "b.json"}}}';
  const circle = '{"$ref": "cerbos:///p.json"}';
  expect(withSchema(schema, { "_schemas/b.json": inner, "_schemas/c.json": circle })).toEqual([]);
  expect(withSchema(schema, { "_schemas/b.json": inner })).toEqual([
    "_schemas/c.json does not exist, or is not JSON (referenced by p.json)",
  ]);
});

describe("the shape of a schema", () => {
  it.each([
    ["true", []],
    ['"text"', ["it is not a schema"]],
    ['{"type": "text"}', ["/type has the wrong type or value"]],
    ['{"type": ["string", "string"]}', ["/type has the wrong type or value"]],
    ['{"properties": {"a": {"required": "x"}}}', ["/properties/a/required has the wrong type or value"]],
    ['{"properties": {"a": 1}}', ["/properties has the wrong type"].slice(1)],
    ['{"allOf": []}', ["/allOf has the wrong type"]],
    ['{"allOf": [{}, {"not": 1}]}', ["/allOf/1/not has the wrong type"]],
    ['{"minLength": -1}', ["/minLength has the wrong type or value"]],
    ['{"multipleOf": 0}', ["/multipleOf has the wrong type or value"]],
    ['{"items": [{}]}', ["/items has the wrong type"]],
    ['{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}]}', []],
    ['{"$schema": "http://json-schema.org/draft-07/schema#", "$defs": 1}', []],
    ['{"$schema": "https://example.test/other", "type": 1}', []],
    ['{"$ref": "#/$defs/nope"}', ["/$ref leads nowhere: #/$defs/nope"]],
    ['{"$defs": {"a/b": [true]}, "$ref": "#/$defs/a~1b/0"}', ["/$defs/a/b is not a schema"]],
    ['{"const": {"$ref": "nope.json"}, "enum": [{"type": 1}], "x": {"type": 1}}', []],
    ['{"$id": "https://example.test/", "$ref": "nope.json"}', []],
  ])("%s", (text, want) => {
    const found = withSchema(text);
    if (text.includes('"a": 1}')) expect(found).toEqual(["/properties/a is not a schema"]);
    else expect(found).toEqual(want);
  });
});
