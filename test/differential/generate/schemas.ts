/**
 * JSON schemas of generated sets: a few fixed documents about the usual attributes, attached to policies at random, and the
 * interpreter's settings for them. What is wrong with attributes is found by edict's own validator, which has a table of its own
 * (../schemas.yaml); what errors do to a decision is the interpreter's and the real Cerbos's to say.
 */
import type { Program } from "../../../compiler/ir/program.ts";
import type { SourceFile } from "../../../compiler/load/index.ts";
import { SchemaValidator } from "../../../runtime/schema/validator.ts";
import { sourcesOf, type CaseEngine } from "../../support/cases.ts";
import type { EngineSettings } from "../interpreter/settings.ts";
import type { Random } from "../random.ts";

const DOCUMENTS: Readonly<Record<string, object>> = {
  "principal.json": {
    type: "object",
    properties: {
      word: { type: "string", maxLength: 5 },
      n: { type: "number", minimum: 0 },
      flag: { type: "boolean" },
      words: { type: "array", items: { type: "string" }, uniqueItems: true },
    },
    required: ["word", "n"],
  },
  "resource.json": {
    properties: {
      record: { $ref: "cerbos:///record.json" },
      ip: { anyOf: [{ format: "ipv4" }, { format: "ipv6" }] },
      instant: { format: "date-time" },
      mixed: { type: "array", maxItems: 2, contains: { type: "string" } },
      m: { type: "integer", exclusiveMaximum: 10 },
      none: { type: "null" },
      word: { pattern: "^[a-z]*$" },
    },
  },
  "record.json": {
    type: "object",
    properties: { k: { enum: ["a", "b", "", "hello"] } },
    additionalProperties: false,
  },
  "old.json": {
    $schema: "http://json-schema.org/draft-07/schema#",
    if: { properties: { flag: { const: true } } },
    then: { required: ["off"] },
    else: { properties: { numbers: { items: { maximum: 5 } } } },
    dependencies: { n: ["m"] },
  },
};

/** `record.json` is only referred to: Cerbos names the properties that must not be there in random order. */
const NAMES: readonly string[] = ["principal.json", "resource.json", "old.json"];

/** `schemas: {...}` of one policy, or nothing. */
export function schemasOf(random: Random): object {
  if (random.chance(0.5)) return {};
  const use = (): object => ({
    ref: `cerbos:///${random.pick(NAMES, "old.json")}`,
    ...(random.chance(0.4)
      ? { ignoreWhen: { actions: random.chance(0.5) ? ["view*", "view:*"] : ["*e*"] } }
      : {}),
  });
  return {
    schemas: {
      ...(random.chance(0.7) ? { principalSchema: use() } : {}),
      ...(random.chance(0.7) ? { resourceSchema: use() } : {}),
    },
  };
}

/** The policies of a set as files, with the schemas beside them. */
export function filesOf(policies: readonly object[]): readonly SourceFile[] {
  return [
    ...sourcesOf({ description: "", policies, checks: [] }),
    ...Object.entries(DOCUMENTS).map(([name, schema]) => ({
      path: `_schemas/${name}`,
      text: JSON.stringify(schema),
    })),
  ];
}

/** The interpreter's settings for a set: the engine's, and how attributes are validated. */
export function withSchemas(program: Program, settings: CaseEngine): Partial<EngineSettings> {
  if ((settings.schemaEnforcement ?? "none") === "none") return settings;
  const validator = VALIDATORS.get(program) ?? validatorOf(program);
  VALIDATORS.set(program, validator);
  return {
    ...settings,
    validate: (set, actions, principal, resource) => validator.validate(set, actions, principal, resource),
  };
}

const VALIDATORS = new WeakMap<Program, SchemaValidator>();

function validatorOf({ schemaSets: sets }: Program): SchemaValidator {
  return new SchemaValidator({ sets, documents: new Map(Object.entries(DOCUMENTS)) });
}
