/**
 * Validates attributes against the JSON schemas of a bundle (COMPAT.md section 9): library ajv, dialect 2020-12 unless a document
 * says draft-07 or older, formats asserted, regular expressions in linear time. Every schema is compiled once, when the engine
 * starts. Nothing is ever fetched: references lead to documents of the bundle, or the schema cannot be loaded.
 */
import { RE2JS } from "@bufbuild/re2";
import { Ajv, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { BundleSchemas, SchemaUse } from "./bundle-schemas.ts";
import { globTest } from "./action-globs.ts";
import { type Violation, violations } from "./messages.ts";

export type Source = "SOURCE_PRINCIPAL" | "SOURCE_RESOURCE";

export interface ValidationError {
  /** JSON pointer; absent when the schema itself is the problem. */
  readonly path?: string;
  readonly message: string;
  readonly source: Source;
}

/** One compiled schema of a policy: the violations of a value, or why there is no schema. */
interface Compiled {
  readonly ignored: (actions: readonly string[]) => boolean;
  readonly validate: ((attributes: unknown) => Violation[]) | null;
  readonly failure: string;
}

const STORE = "cerbos:///";
/** Most errors reported of one value: what follows does not help anybody. */
const MAX_ERRORS = 100;
const OLD_DIALECT = /^https?:\/\/json-schema\.org\/draft-0[4-7]\/schema#?$/u;

type Checker = Ajv | Ajv2020;

export class SchemaValidator {
  readonly #sets: readonly { readonly principal?: Compiled; readonly resource?: Compiled }[];

  /** Compiles every schema that a policy names. Never throws for what is in them. */
  constructor({ sets, documents }: BundleSchemas) {
    const modern = checker(new Ajv2020(OPTIONS), documents);
    const old = checker(new Ajv(OPTIONS), documents);
    const compile = (use: SchemaUse, label: string): Compiled => {
      const document = use.ref.startsWith(STORE) ? documents.get(use.ref.slice(STORE.length)) : undefined;
      const dialect = (document as { $schema?: unknown } | undefined)?.$schema;
      const ajv = typeof dialect === "string" && OLD_DIALECT.test(dialect) ? old : modern;
      return compileUse(use, label, ajv, documents);
    };
    this.#sets = sets.map(({ principal, resource }) => ({
      ...(principal === undefined ? {} : { principal: compile(principal, "principal") }),
      ...(resource === undefined ? {} : { resource: compile(resource, "resource") }),
    }));
  }

  /** The errors of one resource of a request under the set with this index, principal's first. Empty when it is valid. */
  validate(
    index: number,
    actions: readonly string[],
    principal: unknown,
    resource: unknown,
  ): readonly ValidationError[] {
    const set = this.#sets[index];
    return [
      ...run(set?.principal, "SOURCE_PRINCIPAL", actions, principal),
      ...run(set?.resource, "SOURCE_RESOURCE", actions, resource),
    ];
  }
}

const OPTIONS = {
  allErrors: true,
  // `required: ["toString"]` asks for an attribute, not for what every object inherits.
  ownProperties: true,
  verbose: true,
  strict: false,
  validateFormats: true,
  allowUnionTypes: true,
  code: { regExp: linear },
} as const;

/** Regular expressions as Cerbos reads them (RE2), which no input can make slow. */
function linear(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(pattern);
  // ajv tells expressions apart by their text.
  return { test: (text) => compiled.test(text), toString: () => `/${pattern}/` };
}
linear.code = "linear";

function checker(ajv: Checker, documents: BundleSchemas["documents"]): Checker {
  addFormats.default(ajv);
  for (const [id, document] of documents) {
    try {
      if (isObject(document)) ajv.addSchema({ ...document, $id: STORE + id }, STORE + id);
      else if (typeof document === "boolean") ajv.addSchema(document ? {} : { not: {} }, STORE + id);
    } catch {
      // Found again, with its message, when a policy names the document.
    }
  }
  return ajv;
}

function compileUse(
  { ref, ignoreActions }: SchemaUse,
  label: string,
  ajv: Checker,
  documents: BundleSchemas["documents"],
): Compiled {
  const tests = ignoreActions.map(globTest);
  const ignored = (actions: readonly string[]): boolean =>
    tests.length > 0 && actions.every((action) => tests.some((test) => test(action)));
  try {
    const check = load(ref, ajv, documents);
    const validate = (attributes: unknown): Violation[] => {
      return check(attributes) ? [] : violations((check.errors ?? []).slice(0, MAX_ERRORS));
    };
    return { ignored, validate, failure: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ignored, validate: null, failure: `Failed to load ${label} schema "${ref}": ${reason}` };
  }
}

function load(ref: string, ajv: Checker, documents: BundleSchemas["documents"]): ValidateFunction {
  if (!ref.startsWith(STORE)) {
    throw new Error(`schema ${ref.replace(/^file:\/\//u, "")} doesn't exist`);
  }
  const id = ref.slice(STORE.length).split("#", 1)[0] ?? "";
  if (!documents.has(id)) throw new Error(`schema _schemas/${id} doesn't exist`);
  try {
    const check = ajv.getSchema(ref);
    if (check === undefined) throw new Error(`_schemas/${id} is not a valid schema`);
    return check;
  } catch (error) {
    const missing = (error as { missingRef?: unknown }).missingRef;
    if (typeof missing === "string") {
      const path = missing
        .replace(/^cerbos:\/\/\//u, "_schemas/")
        .replace(/^file:\/\//u, "")
        .split("#", 1)[0];
      throw new Error(`schema ${path} referenced by ${ref} doesn't exist`, { cause: error });
    }
    throw error;
  }
}

function* run(
  schema: Compiled | undefined,
  source: Source,
  actions: readonly string[],
  attributes: unknown,
): Generator<ValidationError> {
  if (schema === undefined || schema.ignored(actions)) return;
  if (schema.validate === null) yield { message: schema.failure, source };
  else for (const { path, message } of schema.validate(attributes)) yield { path, message, source };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
