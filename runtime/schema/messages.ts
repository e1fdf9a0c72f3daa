/**
 * The words of a failed validation as Cerbos users know them: those of the Go library that Cerbos validates with, written
 * from ajv's errors. One error per failing keyword; what only says that a part failed is left out.
 */
import type { ErrorObject } from "ajv";

export interface Violation {
  /** JSON pointer into the attributes, `/` for all of them. */
  readonly path: string;
  readonly message: string;
}

/** Keywords whose errors only repeat that something inside them failed. */
const WRAPPERS: ReadonlySet<string> = new Set(["anyOf", "if", "propertyNames"]);

/** Errors of one validation, in ajv's order. */
export function violations(errors: readonly ErrorObject[]): Violation[] {
  const found: Violation[] = [];
  const missing = new Map<string, string[]>();
  for (const error of errors) {
    const path = error.instancePath === "" ? "/" : error.instancePath;
    const grouped = GROUPED[error.keyword];
    if (grouped !== undefined) {
      const key = JSON.stringify([error.keyword, path, error.schemaPath]);
      const names = missing.get(key) ?? [];
      if (names.length === 0) found.push({ path, message: key });
      missing.set(key, [
        ...names,
        quote(String((error.params as Record<string, unknown>)[grouped.parameter])),
      ]);
      continue;
    }
    if (WRAPPERS.has(error.keyword) || isRepeated(error, errors)) continue;
    found.push({ path, message: messageOf(error) });
  }
  return found.map(({ path, message }) => {
    const names = missing.get(message);
    if (names === undefined) return { path, message };
    const [keyword] = JSON.parse(message) as [string];
    return { path, message: GROUPED[keyword]?.text(names.join(", ")) ?? "" };
  });
}

/** Keywords of which ajv reports each property by itself, and Go all of an object at once. */
const GROUPED: Readonly<
  Record<string, { readonly parameter: string; text(names: string): string } | undefined>
> = {
  required: { parameter: "missingProperty", text: (names) => `missing properties: ${names}` },
  additionalProperties: {
    parameter: "additionalProperty",
    text: (names) => `additionalProperties ${names} not allowed`,
  },
  unevaluatedProperties: {
    parameter: "unevaluatedProperty",
    text: (names) => `unevaluatedProperties ${names} not allowed`,
  },
};

/** `oneOf` with no match only repeats what its members say; with several matches it is the error. */
function isRepeated({ keyword, params }: ErrorObject, errors: readonly ErrorObject[]): boolean {
  return (
    keyword === "oneOf" &&
    (params as { passingSchemas: unknown }).passingSchemas === null &&
    errors.length > 1
  );
}

function messageOf({ keyword, params, data, schema, message }: ErrorObject): string {
  const values = params as Readonly<Record<string, unknown>>;
  switch (keyword) {
    case "type":
      return `expected ${listOf(schema).join(" or ")}, but got ${typeOf(data)}`;
    case "enum": {
      const allowed = listOf(schema);
      if (allowed.some((one) => typeof one === "object" && one !== null)) return "enum failed";
      return `value must be ${allowed.length === 1 ? "" : "one of "}${allowed.map(show).join(", ")}`;
    }
    case "const":
      return typeof schema === "object" && schema !== null ? "const failed" : `value must be ${show(schema)}`;
    case "minimum":
      return `must be >= ${goNumber(schema)} but found ${goNumber(data)}`;
    case "maximum":
      return `must be <= ${goNumber(schema)} but found ${goNumber(data)}`;
    case "exclusiveMinimum":
      return `must be > ${goNumber(schema)} but found ${goNumber(data)}`;
    case "exclusiveMaximum":
      return `must be < ${goNumber(schema)} but found ${goNumber(data)}`;
    case "multipleOf":
      return `${goNumber(data)} not multipleOf ${goNumber(schema)}`;
    case "minLength":
      return `length must be >= ${String(schema)}, but got ${codePoints(data)}`;
    case "maxLength":
      return `length must be <= ${String(schema)}, but got ${codePoints(data)}`;
    case "pattern":
      return `does not match pattern ${quote(String(schema))}`;
    case "format":
      return `${quote(String(data))} is not valid ${quote(String(schema))}`;
    case "minItems":
      return `minimum ${String(schema)} items required, but found ${sizeOf(data)} items`;
    case "maxItems":
      return `maximum ${String(schema)} items required, but found ${sizeOf(data)} items`;
    case "minProperties":
      return `minimum ${String(schema)} properties allowed, but found ${sizeOf(data)} properties`;
    case "maxProperties":
      return `maximum ${String(schema)} properties allowed, but found ${sizeOf(data)} properties`;
    case "uniqueItems":
      return `items at index ${String(values["j"])} and ${String(values["i"])} are equal`;
    case "dependentRequired":
    case "dependencies":
      return `property ${quote(String(values["missingProperty"]))} is required, if ${quote(String(values["property"]))} property exists`;
    case "false schema":
      return "not allowed";
    case "not":
      return "not failed";
    case "oneOf": {
      const [first, second] = (values["passingSchemas"] as readonly number[] | null) ?? [];
      return first === undefined
        ? "oneOf failed"
        : `valid against schemas at indexes ${first} and ${String(second)}`;
    }
    default:
      return message ?? `${keyword} failed`;
  }
}

function listOf(schema: unknown): readonly unknown[] {
  return Array.isArray(schema) ? (schema as readonly unknown[]) : [schema];
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Length of a string as JSON Schema counts it. */
function codePoints(value: unknown): number {
  return Array.from(typeof value === "string" ? value : "").length;
}

function sizeOf(value: unknown): number {
  return Array.isArray(value) ? value.length : Object.keys(value as object).length;
}

/** A value of `enum` or `const`, as Go prints it. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "number" ? goNumber(value) : value === null ? "<nil>" : JSON.stringify(value);
}

function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

/** A double as Go's `%v` prints it: exponents below -4 and from 21 on, two digits at least. */
function goNumber(value: unknown): string {
  const number = Number(value);
  const [digits = "", exponent = "0"] = number.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 21) return String(number);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
