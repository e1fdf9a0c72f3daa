/**
 * The rules that schemas themselves must keep, per draft, as schemas. Only what can fail is written down; titles, defaults and
 * comments are not. The places of keywords are those of the published meta-schemas, because errors name them.
 */

type Json = Readonly<Record<string, unknown>>;

const STRING = { type: "string" };
const BOOLEAN = { type: "boolean" };
const NUMBER = { type: "number" };
const REGEX = { type: "string", format: "regex" };
const URI = { type: "string", format: "uri" };
const URI_REFERENCE = { type: "string", format: "uri-reference" };
const SCHEMA_TYPES = { type: ["object", "boolean"] };
const SIMPLE_TYPES = { enum: ["array", "boolean", "integer", "null", "number", "object", "string"] };
const COUNT = { type: "integer", minimum: 0 };

/** Object whose members keep `rule`. */
const each = (rule: Json): Json => ({ type: "object", additionalProperties: rule });
const all = (names: readonly string[], rule: unknown): Json =>
  Object.fromEntries(names.map((name) => [name, rule]));
const ref = ($ref: string): Json => ({ $ref });

const LISTS = ["allOf", "anyOf", "oneOf"];
const LIMITS = ["maximum", "minimum"];
const EXCLUSIVE = ["exclusiveMaximum", "exclusiveMinimum"];
const MAXIMA = ["maxLength", "maxItems", "maxProperties"];
const MINIMA = ["minLength", "minItems", "minProperties"];

/** What the drafts 4, 6 and 7 share; `definitions` of 4 have other names. */
function early(version: 4 | 6 | 7, texts: Json): Json {
  const four = version === 4;
  const count = four ? "positiveInteger" : "nonNegativeInteger";
  const root = ref("#");
  const names = ref("#/definitions/stringArray");
  const rootOrBoolean = four ? { anyOf: [BOOLEAN, root] } : root;
  const types = ref("#/definitions/simpleTypes");
  return {
    definitions: {
      schemaArray: { type: "array", minItems: 1, items: root },
      [count]: COUNT,
      [`${count}Default0`]: { allOf: [ref(`#/definitions/${count}`), {}] },
      simpleTypes: SIMPLE_TYPES,
      stringArray: { type: "array", items: STRING, uniqueItems: true, ...(four ? { minItems: 1 } : {}) },
    },
    ...(four ? { type: "object" } : SCHEMA_TYPES),
    properties: {
      ...texts,
      $schema: URI,
      ...all(["title", "description", "format"], STRING),
      multipleOf: four
        ? { type: "number", minimum: 0, exclusiveMinimum: true }
        : { type: "number", exclusiveMinimum: 0 },
      ...all(LIMITS, NUMBER),
      ...all(EXCLUSIVE, four ? BOOLEAN : NUMBER),
      ...all(MAXIMA, ref(`#/definitions/${count}`)),
      ...all(MINIMA, ref(`#/definitions/${count}Default0`)),
      pattern: REGEX,
      ...all(["additionalItems", "additionalProperties"], rootOrBoolean),
      items: { anyOf: [root, ref("#/definitions/schemaArray")] },
      uniqueItems: BOOLEAN,
      required: names,
      ...all(["definitions", "properties"], each(root)),
      patternProperties: {
        ...each(root),
        ...(version === 7 ? { propertyNames: { format: "regex" } } : { regexProperties: true }),
      },
      dependencies: each({ anyOf: [root, names] }),
      enum: { type: "array", ...(version === 7 ? { items: true } : {}), minItems: 1, uniqueItems: true },
      type: { anyOf: [types, { type: "array", items: types, minItems: 1, uniqueItems: true }] },
      ...all(LISTS, ref("#/definitions/schemaArray")),
      not: root,
      ...(four ? { regexProperties: BOOLEAN } : all(["contains", "propertyNames"], root)),
    },
    ...(four ? { dependencies: { exclusiveMaximum: ["maximum"], exclusiveMinimum: ["minimum"] } } : {}),
  };
}

/** The vocabularies of 2019 and 2020; `self` leads to the whole meta-schema. */
function vocabularies(base: string, version: 2019 | 2020): readonly (readonly [string, Json])[] {
  const modern = version === 2020;
  const self = modern ? { $dynamicRef: "#meta" } : { $recursiveRef: "#" };
  const anchor = modern ? { $dynamicAnchor: "meta" } : { $recursiveAnchor: true };
  const part = (name: string, properties: Json, $defs?: Json): readonly [string, Json] => [
    `meta/${name}`,
    {
      $schema: `${base}schema`,
      $id: `${base}meta/${name}`,
      $vocabulary: { [`${base}vocab/${name}`]: true },
      ...anchor,
      ...SCHEMA_TYPES,
      properties,
      ...($defs === undefined ? {} : { $defs }),
    },
  ];
  const schemas = ref("#/$defs/schemaArray");
  const unevaluated = all(["unevaluatedItems", "unevaluatedProperties"], self);
  const types = ref("#/$defs/simpleTypes");
  const count = ref("#/$defs/nonNegativeInteger");
  return [
    part("core", ...core(modern, self)),
    part(
      "applicator",
      {
        ...all(["contains", "additionalProperties", "propertyNames", "if", "then", "else", "not"], self),
        ...all(["properties", "dependentSchemas"], each(self)),
        patternProperties: { ...each(self), propertyNames: { format: "regex" } },
        ...all(LISTS, schemas),
        ...(modern
          ? { prefixItems: schemas, items: self }
          : { additionalItems: self, items: { anyOf: [self, schemas] }, ...unevaluated }),
      },
      { schemaArray: { type: "array", minItems: 1, items: self } },
    ),
    ...(modern ? [part("unevaluated", unevaluated)] : []),
    part(
      "validation",
      {
        type: { anyOf: [types, { type: "array", items: types, minItems: 1, uniqueItems: true }] },
        const: true,
        enum: { type: "array", items: true },
        multipleOf: { type: "number", exclusiveMinimum: 0 },
        ...all([...LIMITS, ...EXCLUSIVE], NUMBER),
        ...all([...MAXIMA, "maxContains", "minContains"], count),
        ...all(MINIMA, ref("#/$defs/nonNegativeIntegerDefault0")),
        pattern: REGEX,
        uniqueItems: BOOLEAN,
        required: ref("#/$defs/stringArray"),
        dependentRequired: each(ref("#/$defs/stringArray")),
      },
      {
        nonNegativeInteger: COUNT,
        nonNegativeIntegerDefault0: count,
        simpleTypes: SIMPLE_TYPES,
        stringArray: { type: "array", items: STRING, uniqueItems: true },
      },
    ),
    part("meta-data", {
      ...all(["title", "description"], STRING),
      ...all(["deprecated", "readOnly", "writeOnly"], BOOLEAN),
      examples: { type: "array", items: true },
    }),
    ...(modern ? ["format-annotation", "format-assertion"] : ["format"]).map((name) =>
      part(name, { format: STRING }),
    ),
    part("content", { ...all(["contentMediaType", "contentEncoding"], STRING), contentSchema: self }),
  ];
}

function core(modern: boolean, self: Json): readonly [Json, Json?] {
  const id = { pattern: "^[^#]*#?$" };
  if (!modern) {
    return [
      {
        $id: { ...URI_REFERENCE, ...id },
        $schema: URI,
        $anchor: { type: "string", pattern: "^[A-Za-z][-A-Za-z0-9.:_]*$" },
        ...all(["$ref", "$recursiveRef"], URI_REFERENCE),
        $recursiveAnchor: BOOLEAN,
        $vocabulary: { type: "object", propertyNames: URI, additionalProperties: BOOLEAN },
        $comment: STRING,
        $defs: each(self),
      },
    ];
  }
  const uri = ref("#/$defs/uriString");
  return [
    {
      $id: { ...ref("#/$defs/uriReferenceString"), ...id },
      $schema: uri,
      ...all(["$ref", "$dynamicRef"], ref("#/$defs/uriReferenceString")),
      ...all(["$anchor", "$dynamicAnchor"], ref("#/$defs/anchorString")),
      $vocabulary: { type: "object", propertyNames: uri, additionalProperties: BOOLEAN },
      $comment: STRING,
      $defs: each(self),
    },
    {
      anchorString: { type: "string", pattern: "^[A-Za-z_][-A-Za-z0-9._]*$" },
      uriString: URI,
      uriReferenceString: URI_REFERENCE,
    },
  ];
}

/** The meta-schema of 2019 or 2020 with its vocabularies. */
function late(base: string, version: 2019 | 2020): readonly (readonly [string, Json])[] {
  const modern = version === 2020;
  const self = modern ? { $dynamicRef: "#meta" } : { $recursiveRef: "#" };
  const parts = vocabularies(base, version);
  const named = parts.map(([name]) => name).filter((name) => !name.endsWith("format-assertion"));
  const root = {
    $schema: `${base}schema`,
    $id: `${base}schema`,
    $vocabulary: Object.fromEntries(
      named.map((name) => [`${base}${name.replace("meta/", "vocab/")}`, !name.endsWith("/format")]),
    ),
    ...(modern ? { $dynamicAnchor: "meta" } : { $recursiveAnchor: true }),
    allOf: named.map(ref),
    ...SCHEMA_TYPES,
    properties: {
      definitions: each(self),
      dependencies: each({ anyOf: [self, ref("meta/validation#/$defs/stringArray")] }),
      ...(modern
        ? {
            $recursiveAnchor: ref("meta/core#/$defs/anchorString"),
            $recursiveRef: ref("meta/core#/$defs/uriReferenceString"),
          }
        : {}),
    },
  };
  const documents: readonly (readonly [string, Json])[] = [["schema", root], ...parts];
  return documents.map(([name, json]) => [`${base}${name}`, json]);
}

const ids = { $id: URI_REFERENCE, $ref: URI_REFERENCE };
const SEVEN = {
  ...ids,
  ...all(["$comment", "contentMediaType", "contentEncoding"], STRING),
  ...all(["readOnly", "writeOnly"], BOOLEAN),
  examples: { type: "array", items: true },
  ...all(["if", "then", "else"], ref("#")),
};

/** The documents by address. */
export const META_SCHEMAS: ReadonlyMap<string, Json> = new Map<string, Json>([
  [
    "http://json-schema.org/draft-04/schema",
    {
      $schema: "http://json-schema.org/draft-04/schema#",
      ...early(4, { id: { type: "string", format: "uriref" }, $ref: STRING }),
    },
  ],
  [
    "http://json-schema.org/draft-06/schema",
    {
      $schema: "http://json-schema.org/draft-06/schema#",
      $id: "http://json-schema.org/draft-06/schema#",
      ...early(6, ids),
    },
  ],
  [
    "http://json-schema.org/draft-07/schema",
    {
      $schema: "http://json-schema.org/draft-07/schema#",
      $id: "http://json-schema.org/draft-07/schema#",
      ...early(7, SEVEN),
    },
  ],
  ...late("https://json-schema.org/draft/2019-09/", 2019),
  ...late("https://json-schema.org/draft/2020-12/", 2020),
]);
