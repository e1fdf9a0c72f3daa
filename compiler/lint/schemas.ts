/** Schemas as the findings see them: which document a reference names, and what it says of one attribute. */
import type { JsonValue, SchemaReference } from "../policy/policy-set.ts";

const STORE_PREFIX = "cerbos:///";

/** The id (path below `_schemas/`) that a reference names; undefined for references to elsewhere. */
export function schemaId(reference: string): string | undefined {
  if (!reference.startsWith(STORE_PREFIX)) return undefined;
  return reference.slice(STORE_PREFIX.length).split("#", 1)[0];
}

/** An object schema whose properties are all there is to say about it. */
export interface ObjectSchema {
  readonly id: string;
  readonly properties: ReadonlyMap<string, JsonValue>;
  readonly required: ReadonlySet<string>;
  /** Whether other properties are refused. */
  readonly closed: boolean;
}

/** Keywords that may add properties from elsewhere. */
const COMPOSING = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas"];

/** What a policy's schema says; undefined when there is none, or it is more than a list of properties. */
export function objectSchema(
  reference: SchemaReference | undefined,
  schemas: ReadonlyMap<string, JsonValue>,
): ObjectSchema | undefined {
  const id = reference === undefined ? undefined : schemaId(reference.ref);
  // A schema that some actions ignore says nothing certain.
  if (id === undefined || (reference?.ignoreActions.length ?? 0) > 0) return undefined;
  const document = schemas.get(id);
  if (!isObject(document) || COMPOSING.some((keyword) => Object.hasOwn(document, keyword))) return undefined;
  const { properties, required, additionalProperties, patternProperties, unevaluatedProperties } = document;
  const names = Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
  return {
    id,
    properties: new Map(isObject(properties) ? Object.entries(properties) : []),
    required: new Set(names),
    closed:
      (additionalProperties === false || unevaluatedProperties === false) && patternProperties === undefined,
  };
}

/** JSON Schema types that a property may have; undefined when it may be anything. */
export function typesOf(property: JsonValue | undefined): readonly string[] | undefined {
  if (!isObject(property) || COMPOSING.some((keyword) => Object.hasOwn(property, keyword))) return undefined;
  const { type } = property;
  if (typeof type === "string") return [type];
  return Array.isArray(type) ? type.filter((one) => typeof one === "string") : undefined;
}

/** The values that a property may have; undefined when they are not listed. */
export function valuesOf(property: JsonValue | undefined): readonly JsonValue[] | undefined {
  if (!isObject(property)) return undefined;
  if (Object.hasOwn(property, "const")) return [property["const"] ?? null];
  return Array.isArray(property["enum"]) ? property["enum"] : undefined;
}

export function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
