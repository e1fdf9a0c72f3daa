/**
 * The shape of a JSON schema: what each keyword of drafts 7 to 2020-12 demands of its value. A table of keywords; other drafts
 * are taken as they are.
 */
import type { JsonValue } from "./policy-set.ts";

type Check = (value: JsonValue) => boolean;

/** Levels below which nothing is looked at: the daemon refuses schemas that are nested deeper. */
const MAX_DEPTH = 200;

const TYPES: ReadonlySet<JsonValue> = new Set([
  "array",
  "boolean",
  "integer",
  "null",
  "number",
  "object",
  "string",
]);

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number";
const isCount: Check = (value) => typeof value === "number" && Number.isInteger(value) && value >= 0;
const isList: Check = (value) => Array.isArray(value);
const isDistinctTexts: Check = (value) =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const isType: Check = (value) =>
  TYPES.has(value) ||
  (isDistinctTexts(value) &&
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => TYPES.has(one)));
const isMap = (value: JsonValue): value is { [key: string]: JsonValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSchema: Check = (value) => isMap(value) || isFlag(value);

/** Keywords with plain values. */
const VALUES: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...["$ref", "$schema", "$id", "$comment", "title", "description", "pattern", "format"].map(
    (key) => [key, isText] as const,
  ),
  ...["maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"].map((key) => [key, isNumber] as const),
  ...["maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"].map(
    (key) => [key, isCount] as const,
  ),
  ...["uniqueItems", "readOnly", "writeOnly"].map((key) => [key, isFlag] as const),
  ["multipleOf", (value) => typeof value === "number" && value > 0],
  ["required", isDistinctTexts],
  ["enum", isList],
  ["examples", isList],
  ["type", isType],
]);

const ONE = ["additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"];
const LISTS = ["allOf", "anyOf", "oneOf"];
const MAPS = ["properties", "patternProperties", "definitions"];
const NEWER_ONE = ["unevaluatedItems", "unevaluatedProperties"];
const NEWER_MAPS = ["$defs", "dependentSchemas"];

/** By draft: keywords with one schema, with a list of them, with a map of them. */
interface Places {
  readonly one: ReadonlySet<string>;
  readonly lists: ReadonlySet<string>;
  readonly maps: ReadonlySet<string>;
  /** Whether `items` may be a list. */
  readonly itemLists: boolean;
}

const DRAFT_7: Places = {
  one: new Set(ONE),
  lists: new Set(LISTS),
  maps: new Set(MAPS),
  itemLists: true,
};
const DRAFT_2019: Places = {
  one: new Set([...ONE, ...NEWER_ONE]),
  lists: new Set(LISTS),
  maps: new Set([...MAPS, ...NEWER_MAPS]),
  itemLists: true,
};
const DRAFT_2020: Places = {
  ...DRAFT_2019,
  lists: new Set([...LISTS, "prefixItems"]),
  itemLists: false,
};

function placesOf(document: JsonValue): Places | undefined {
  const dialect = isMap(document) ? document["$schema"] : undefined;
  if (typeof dialect !== "string") return DRAFT_2020;
  if (/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/.test(dialect)) return DRAFT_7;
  if (/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/.test(dialect)) return DRAFT_2019;
  return /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(dialect) ? DRAFT_2020 : undefined;
}

/** What is wrong with a document, as `/properties/a/type has the wrong type`; undefined when its shape is right. */
export function schemaProblem(document: JsonValue): string | undefined {
  const places = placesOf(document);
  return places === undefined ? undefined : problemAt(document, document, "", places, 0);
}

function problemAt(
  schema: JsonValue,
  document: JsonValue,
  at: string,
  places: Places,
  depth: number,
): string | undefined {
  if (typeof schema === "boolean" || depth > MAX_DEPTH) return undefined;
  if (!isMap(schema)) return `${at === "" ? "it" : at} is not a schema`;
  for (const [key, value] of Object.entries(schema)) {
    const here = `${at}/${key}`;
    if (VALUES.get(key)?.(value) === false) return `${here} has the wrong type or value`;
    if (key === "$ref" && typeof value === "string" && isDangling(value, document)) {
      return `${here} leads nowhere: ${value}`;
    }
    const inner = innerSchemas(key, value, places);
    if (inner === undefined) return `${here} has the wrong type`;
    for (const [step, below] of inner) {
      const problem = problemAt(below, document, step === "" ? here : `${here}/${step}`, places, depth + 1);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

type Steps = readonly (readonly [step: string, schema: JsonValue])[];

/** The schemas in the value of a keyword; undefined when the value cannot hold them. */
function innerSchemas(key: string, value: JsonValue, places: Places): Steps | undefined {
  if (key === "items") {
    if (Array.isArray(value)) return places.itemLists ? numbered(value) : undefined;
    return isSchema(value) ? [["", value]] : undefined;
  }
  if (places.one.has(key)) return isSchema(value) ? [["", value]] : undefined;
  if (places.lists.has(key)) return Array.isArray(value) && value.length > 0 ? numbered(value) : undefined;
  if (places.maps.has(key)) return isMap(value) ? Object.entries(value) : undefined;
  return [];
}

function numbered(values: readonly JsonValue[]): Steps {
  return values.map((value, index) => [String(index), value]);
}

/** Whether a JSON pointer into the same document has no target. */
function isDangling(reference: string, document: JsonValue): boolean {
  if (!reference.startsWith("#/") || (isMap(document) && document["$id"] !== undefined)) return false;
  let value: JsonValue | undefined = document;
  for (const token of reference.slice(2).split("/")) {
    const key = decoded(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = /^\d+$/.test(key) ? value[Number(key)] : undefined;
    else value = value !== undefined && isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (value === undefined) return true;
  }
  return false;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
