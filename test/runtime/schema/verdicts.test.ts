/** runtime/schema/verdicts.ts */
import { pack } from "msgpackr";
import { expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { SchemaValidator } from "../../../runtime/schema/validator.ts";
import { verdictsFor } from "../../../runtime/schema/verdicts.ts";

const validator = new SchemaValidator({
  sets: [{ resource: { ref: "cerbos:///a.json", ignoreActions: [] } }],
  documents: new Map<string, unknown>([
    ["a.json", JSON.parse('{"properties":{"__proto__":{"type":"string"},"n":{"maximum":1}}}')],
  ]),
});
const request = (attr: string): string => `{"resources":[{"actions":["view"],"resource":{"attr":${attr}}}]}`;
const isRejected = (bytes: Uint8Array, input: number): boolean =>
  verdictsFor(validator, bytes, { input, output: FORMAT_JSON }, new Uint32Array([1]), true)[0] === 1;

it.each([
  ['{"__proto__":1}', true],
  ['{"__proto__":"x"}', false],
  ['{"n":9007199254740993}', true],
  ['{"n":1}', false],
])("reads %s alike in both formats", (attr, rejected) => {
  const text = request(attr);
  expect(isRejected(new TextEncoder().encode(text), FORMAT_JSON)).toBe(rejected);
  expect(isRejected(pack(JSON.parse(text)), FORMAT_MSGPACK)).toBe(rejected);
});

it("does not take resources that it cannot read for valid ones", () => {
  expect(() => isRejected(new TextEncoder().encode('{"resources":[]}'), FORMAT_JSON)).toThrow(TypeError);
});
