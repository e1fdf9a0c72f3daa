/**
 * Validates attributes against the JSON schemas of a bundle (COMPAT.md section 9) as Cerbos does: dialect 2020-12 unless a document
 * names another, formats and contents asserted, regular expressions in linear time. Every schema is compiled once, when the engine
 * starts. Nothing is ever fetched: references lead to documents of the bundle, or the schema cannot be loaded. Whatever
 * cannot be validated is an error, never valid.
 */
import { globTest } from "./action-globs.ts";
import { Budget, Unfinished } from "./budget.ts";
import type { BundleSchemas, SchemaUse } from "./bundle-schemas.ts";
import { checkValue } from "./check-value.ts";
import { type CompiledSchema, Compiler } from "./compile-schema.ts";
import { doubleQuote } from "./go-text.ts";
import { SchemaError } from "./resources.ts";

export type Source = "SOURCE_PRINCIPAL" | "SOURCE_RESOURCE";

export interface ValidationError {
  /** JSON pointer into the attributes, `/` for all of them; absent when they could not be validated. */
  readonly path?: string;
  readonly message: string;
  readonly source: Source;
}

/** One schema of a policy: compiled, or why there is none. */
interface Loaded {
  readonly ignored: (actions: readonly string[]) => boolean;
  readonly schema: CompiledSchema | null;
  readonly failure: string;
}

const STORE = "cerbos:///";

export class SchemaValidator {
  readonly #sets: readonly { readonly principal?: Loaded; readonly resource?: Loaded }[];

  /** Compiles every schema that a policy names. Never throws for what is in them. */
  constructor({ sets, documents }: BundleSchemas) {
    const compiled = new Map<string, CompiledSchema | string>();
    const load = (use: SchemaUse, label: string): Loaded => {
      const found = compiled.get(use.ref) ?? compile(use.ref, documents);
      compiled.set(use.ref, found);
      const ignored = ignoredBy(use.ignoreActions);
      if (typeof found !== "string") return { ignored, schema: found, failure: "" };
      const failure = `Failed to load ${label} schema ${doubleQuote(use.ref)}: ${found}`;
      return { ignored, schema: null, failure };
    };
    this.#sets = sets.map(({ principal, resource }) => ({
      ...(principal === undefined ? {} : { principal: load(principal, "principal") }),
      ...(resource === undefined ? {} : { resource: load(resource, "resource") }),
    }));
  }

  /**
   * The errors of one resource of a request under the set with this index, principal's first. Empty when it is valid.
   * @param budget the work that is left for the request
   */
  validate(
    index: number,
    actions: readonly string[],
    principal: unknown,
    resource: unknown,
    budget: Budget = new Budget(),
  ): readonly ValidationError[] {
    const set = this.#sets[index];
    return [
      ...run(set?.principal, "SOURCE_PRINCIPAL", actions, principal, budget),
      ...run(set?.resource, "SOURCE_RESOURCE", actions, resource, budget),
    ];
  }
}

function ignoredBy(globs: readonly string[]): (actions: readonly string[]) => boolean {
  const tests = globs.map(globTest);
  return (actions) => tests.length > 0 && actions.every((action) => tests.some((test) => test(action)));
}

/** The compiled schema, or why it cannot be loaded. */
function compile(ref: string, documents: BundleSchemas["documents"]): CompiledSchema | string {
  try {
    return new Compiler((url) => documentAt(url, ref, documents)).compile(ref);
  } catch (error) {
    if (error instanceof MissingDocument) return error.message;
    const reason =
      error instanceof SchemaError || error instanceof Unfinished ? error.message : String(error);
    return `jsonschema ${ref} compilation failed: ${reason}`;
  }
}

class MissingDocument extends SchemaError {}

function documentAt(url: string, ref: string, documents: BundleSchemas["documents"]): unknown {
  const id = url.startsWith(STORE) ? decoded(url.slice(STORE.length)) : undefined;
  const document = id === undefined ? undefined : documents.get(id);
  if (document !== undefined) return document;
  const path = id === undefined ? url.replace(/^file:\/\//, "") : `_schemas/${id}`;
  const from = ref.split("#", 1)[0] === url ? "" : ` referenced by ${ref}`;
  throw new MissingDocument(`schema ${path}${from} doesn't exist`);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function run(
  loaded: Loaded | undefined,
  source: Source,
  actions: readonly string[],
  attributes: unknown,
  budget: Budget,
): readonly ValidationError[] {
  if (loaded === undefined || loaded.ignored(actions)) return [];
  const { schema, failure } = loaded;
  if (schema === null) return [{ message: failure, source }];
  try {
    const { root, tracks } = schema;
    return checkValue(root, attributes, { budget, tracks }).map(({ instance, message }) => ({
      path: instance === "" ? "/" : instance,
      message,
      source,
    }));
  } catch (error) {
    // What is no limit of ours is one of the machine (the stack of a regular expression): as little a reason to let it pass.
    const reason = error instanceof Unfinished ? error.message : "they cannot be validated";
    return [{ message: `Failed to validate the attributes: ${reason}`, source }];
  }
}
