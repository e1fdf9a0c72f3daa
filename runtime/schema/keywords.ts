/**
 * The keywords of one schema, read into its node. A document has passed its meta-schema by now, so that values have the types that
 * their keywords need; what still has not (a keyword that the draft does not know) is refused. Which keywords count depends on the
 * draft, and on the vocabularies of a custom meta-schema.
 */
import { RE2JS } from "@bufbuild/re2";
import { Budget } from "./budget.ts";
import type { Compiler, Stack } from "./compile-schema.ts";
import { BASE64, JSON_TYPE } from "./content.ts";
import { findDraft } from "./dialects.ts";
import { canonical } from "./equality.ts";
import { FORMATS } from "./formats.ts";
import { goScalar } from "./go-text.ts";
import { splitUrl } from "./go-url.ts";
import { isObject, type Place, type Resource, SchemaError } from "./resources.ts";
import type { ArrayRules, ObjectRules, Pattern, SchemaNode } from "./schema-node.ts";

export interface Filling {
  readonly compiler: Compiler;
  readonly resource: Resource;
  readonly place: Place;
  readonly node: SchemaNode;
  readonly schema: Readonly<Record<string, unknown>>;
  /** The schemas that look at the same value, this one included. */
  readonly stack: Stack;
}

/** Reads every keyword. Throws `SchemaError`. */
export function fill(filling: Filling): void {
  const { node, schema, resource } = filling;
  const { version } = resource.draft;
  readDialect(filling);
  const target = text(schema, "$ref");
  if (target !== undefined) {
    node.ref = referTo(filling, "$ref", target);
    // Before 2019 nothing else counts beside a reference.
    if (version < 2019) return;
  }
  readDynamicReferences(filling);
  const has = vocabularyTest(resource);
  const validates = has("validation");
  const applies = has("applicator");
  const evaluates = version >= 2020 ? has("unevaluated") : version === 2019 && applies;
  if (validates) readFixedValues(filling);
  if (version >= 6 && "const" in schema) readConstant(node, schema["const"]);
  readFormat(filling);
  if (applies) readCombinations(filling);
  if (evaluates && ("unevaluatedProperties" in schema || "unevaluatedItems" in schema)) {
    filling.compiler.tracks = true;
  }
  node.objects = objectRules(filling, validates, applies, evaluates);
  node.arrays = arrayRules(filling, validates, applies, evaluates);
  readStrings(filling, validates);
  if (validates) readNumbers(filling);
}

/** The meta-schema of a root and, from it, the vocabularies. */
function readDialect(filling: Filling): void {
  const { compiler, resource, place, node, schema, stack } = filling;
  if (place !== resource.root) return;
  const dialect = text(schema, "$schema");
  if (dialect !== undefined && findDraft(dialect) === undefined) {
    const meta = compiler.reference(resource, place, stack, "$schema", dialect);
    node.dialect = meta.vocabularies;
  }
  const asked = schema["$vocabulary"];
  if (resource.draft.version < 2019 || !isObject(asked)) return;
  const names = [];
  for (const [url, required] of Object.entries(asked)) {
    if (required === false) continue;
    if (!resource.draft.vocabularies.includes(url)) {
      throw new SchemaError(`unsupported vocab "${url}" in ${resource.url}#`);
    }
    names.push(url.slice(url.lastIndexOf("/") + 1));
  }
  node.vocabularies = names;
}

/** Whether keywords of a vocabulary count in a document. */
function vocabularyTest({ draft, root }: Resource): (name: string) => boolean {
  const names = root.node?.dialect ?? null;
  return (name) => draft.version < 2019 || names === null || names.includes(name);
}

function referTo({ compiler, resource, place, stack }: Filling, step: string, target: string): SchemaNode {
  return compiler.reference(resource, place, stack, step, target);
}

function readDynamicReferences(filling: Filling): void {
  const { node, schema, resource } = filling;
  const { version } = resource.draft;
  const recursive = version >= 2019 ? text(schema, "$recursiveRef") : undefined;
  if (recursive !== undefined) node.recursiveRef = referTo(filling, "$recursiveRef", recursive);
  const dynamic = version >= 2020 ? text(schema, "$dynamicRef") : undefined;
  if (dynamic === undefined) return;
  node.dynamicRef = referTo(filling, "$dynamicRef", dynamic);
  const [, fragment] = splitUrl(dynamic);
  if (fragment !== "#" && !fragment.startsWith("#/")) node.dynamicRefAnchor = fragment.slice(1);
}

function readFixedValues({ node, schema }: Filling): void {
  const types = schema["type"];
  node.types = typeof types === "string" ? [types] : (texts(schema, "type") ?? []);
  const values = schema["enum"];
  if (!Array.isArray(values) || values.length === 0) return;
  const keys = new Set(values.map(keyOf));
  const isPlain = values.every((value) => typeof value !== "object" || value === null);
  const shown = isPlain ? values.map(goScalar).join(", ") : "";
  const message = !isPlain ? "enum failed" : `value must be ${values.length === 1 ? "" : "one of "}${shown}`;
  node.enumeration = { keys, message };
}

function readConstant(node: SchemaNode, value: unknown): void {
  const isPlain = typeof value !== "object" || value === null;
  node.constant = {
    key: keyOf(value),
    message: isPlain ? `value must be ${goScalar(value)}` : "const failed",
  };
}

function keyOf(value: unknown): string {
  return canonical(value, new Budget(Number.MAX_SAFE_INTEGER));
}

function readFormat({ node, schema }: Filling): void {
  const name = text(schema, "format");
  const test = name === undefined ? undefined : FORMATS.get(name);
  if (name !== undefined && test !== undefined) node.format = { name, test };
}

function readCombinations(filling: Filling): void {
  const { node, schema, resource } = filling;
  node.not = one(filling, "not");
  node.allOf = several(filling, "allOf");
  node.anyOf = several(filling, "anyOf");
  node.oneOf = several(filling, "oneOf");
  if (resource.draft.version < 7 || (schema["if"] ?? null) === null) return;
  node.condition = one(filling, "if");
  node.then = one(filling, "then");
  node.otherwise = one(filling, "else");
}

function objectRules(
  filling: Filling,
  validates: boolean,
  applies: boolean,
  evaluates: boolean,
): ObjectRules | null {
  const { schema, resource } = filling;
  const { version } = resource.draft;
  const additional = schema["additionalProperties"];
  const rules: ObjectRules = {
    minimum: validates ? count(schema, "minProperties") : null,
    maximum: validates ? count(schema, "maxProperties") : null,
    required: (validates ? texts(schema, "required") : undefined) ?? [],
    properties: new Map(applies ? members(filling, "properties", []) : []),
    names: applies && version >= 6 ? inner(filling, "propertyNames") : null,
    namesAreRegex: applies && schema["regexProperties"] === true,
    patterns: (applies ? members(filling, "patternProperties", []) : []).map(
      ([name, node]) => [patternOf(name), node] as const,
    ),
    additional: !applies
      ? null
      : typeof additional === "boolean"
        ? additional
        : inner(filling, "additionalProperties"),
    dependencies: applies ? dependencies(filling) : [],
    dependentRequired: validates && version >= 2019 ? dependentRequired(schema) : [],
    dependentSchemas: applies && version >= 2019 ? members(filling, "dependentSchemas", filling.stack) : [],
    unevaluated: evaluates ? inner(filling, "unevaluatedProperties") : null,
  };
  const asks =
    rules.additional === false ||
    Object.values(rules).some((rule) => rule !== null && rule !== false && !isEmpty(rule));
  return asks ? rules : null;
}

function isEmpty(rule: unknown): boolean {
  return (Array.isArray(rule) && rule.length === 0) || (rule instanceof Map && rule.size === 0);
}

function dependencies(filling: Filling): ObjectRules["dependencies"] {
  const { schema, compiler, resource, place, stack } = filling;
  return Object.entries(object(schema, "dependencies")).map(([name, rule]) => [
    name,
    Array.isArray(rule) ? rule.map(String) : compiler.below(resource, place, stack, "dependencies", name),
  ]);
}

function dependentRequired(schema: Filling["schema"]): ObjectRules["dependentRequired"] {
  const names = object(schema, "dependentRequired");
  return Object.keys(names).map((name) => [name, texts(names, name) ?? []]);
}

function arrayRules(
  filling: Filling,
  validates: boolean,
  applies: boolean,
  evaluates: boolean,
): ArrayRules | null {
  const { schema, resource } = filling;
  const { version } = resource.draft;
  const isList = version < 2020 && Array.isArray(schema["items"]);
  const restKeyword = isList ? "additionalItems" : "items";
  const others = isList ? schema["additionalItems"] : undefined;
  const rules: ArrayRules = {
    minimum: validates ? count(schema, "minItems") : null,
    maximum: validates ? count(schema, "maxItems") : null,
    unique: validates && schema["uniqueItems"] === true,
    prefix: applies ? several(filling, version >= 2020 ? "prefixItems" : isList ? "items" : "", []) : [],
    prefixKeyword: version >= 2020 ? "prefixItems" : "items",
    rest: applies && typeof others !== "boolean" ? inner(filling, restKeyword) : null,
    restKeyword,
    additional: applies && typeof others === "boolean" ? others : null,
    contains: applies && version >= 6 ? inner(filling, "contains") : null,
    minContains: (validates && version >= 2019 ? count(schema, "minContains") : null) ?? 1,
    maxContains: validates && version >= 2019 ? count(schema, "maxContains") : null,
    containsEvaluates: evaluates && version >= 2020,
    unevaluated: evaluates ? inner(filling, "unevaluatedItems") : null,
  };
  const { minimum, maximum, unique, prefix, rest, additional, contains, unevaluated } = rules;
  const asks =
    unique ||
    prefix.length > 0 ||
    [minimum, maximum, rest, additional, contains, unevaluated].some((rule) => rule !== null);
  return asks ? rules : null;
}

function readStrings(filling: Filling, validates: boolean): void {
  const { node, schema, resource } = filling;
  const minimum = validates ? count(schema, "minLength") : null;
  const maximum = validates ? count(schema, "maxLength") : null;
  const pattern = validates ? text(schema, "pattern") : undefined;
  const hasContent = resource.draft.version >= 7;
  const encoding = (hasContent ? text(schema, "contentEncoding") : undefined) ?? null;
  const mediaType = (hasContent ? text(schema, "contentMediaType") : undefined) ?? null;
  const isKnown = encoding === BASE64 || mediaType === JSON_TYPE;
  if (minimum === null && maximum === null && pattern === undefined && !isKnown) return;
  node.strings = {
    minimum,
    maximum,
    pattern: pattern === undefined ? null : patternOf(pattern),
    encoding,
    mediaType,
    content: mediaType === null ? null : inner(filling, "contentSchema"),
  };
}

/** Draft 4 has booleans that make the bounds exclusive, later drafts bounds of their own. */
function readNumbers({ node, schema }: Filling): void {
  const bounds = (plain: string, exclusive: string): readonly [number | null, number | null] => {
    const bound = number(schema, plain);
    const other = schema[exclusive];
    if (typeof other === "boolean") return other ? [null, bound] : [bound, null];
    return [bound, number(schema, exclusive)];
  };
  const [minimum, exclusiveMinimum] = bounds("minimum", "exclusiveMinimum");
  const [maximum, exclusiveMaximum] = bounds("maximum", "exclusiveMaximum");
  const rules = {
    minimum,
    exclusiveMinimum,
    maximum,
    exclusiveMaximum,
    multipleOf: number(schema, "multipleOf"),
  };
  if (Object.values(rules).some((rule) => rule !== null)) node.numbers = rules;
}

function one(filling: Filling, keyword: string, stack: Stack = filling.stack): SchemaNode | null {
  const { compiler, resource, place, schema } = filling;
  return Object.hasOwn(schema, keyword) ? compiler.below(resource, place, stack, keyword) : null;
}

/** As `one`, for a schema of members or items. */
function inner(filling: Filling, keyword: string): SchemaNode | null {
  return one(filling, keyword, []);
}

function several(filling: Filling, keyword: string, stack: Stack = filling.stack): readonly SchemaNode[] {
  const { compiler, resource, place, schema } = filling;
  const values = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
  if (!Array.isArray(values)) return [];
  return values.map((_, index) => compiler.below(resource, place, stack, keyword, String(index)));
}

function members(
  filling: Filling,
  keyword: string,
  stack: Stack,
): readonly (readonly [string, SchemaNode])[] {
  const { compiler, resource, place, schema } = filling;
  return Object.keys(object(schema, keyword)).map(
    (name) => [name, compiler.below(resource, place, stack, keyword, name)] as const,
  );
}

function patternOf(source: string): Pattern {
  try {
    const expression = RE2JS.compile(source);
    // The matcher runs all branches at once: a character costs in proportion to the pattern.
    return { text: source, expression, cost: 0.25 + source.length / 32 };
  } catch {
    throw new SchemaError(`${source} is not a valid regular expression`);
  }
}

function text(schema: Filling["schema"], keyword: string): string | undefined {
  const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
  return typeof value === "string" ? value : undefined;
}

function texts(schema: Filling["schema"], keyword: string): readonly string[] | undefined {
  const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
  return Array.isArray(value) ? value.map(String) : undefined;
}

function number(schema: Filling["schema"], keyword: string): number | null {
  const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
  return typeof value === "number" ? value : null;
}

/** A number of characters, items or members. What no 64-bit integer holds is the least one, as on Cerbos's machines. */
function count(schema: Filling["schema"], keyword: string): number | null {
  const value = number(schema, keyword);
  return value !== null && value >= 2 ** 63 ? -(2 ** 63) : value;
}

function object(schema: Filling["schema"], keyword: string): Filling["schema"] {
  const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
  return isObject(value) ? value : {};
}
