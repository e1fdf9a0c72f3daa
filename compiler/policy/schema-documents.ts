/**
 * Whether the JSON schemas that policies name can be loaded: the documents are there, every document has the shape that its
 * keywords demand, and references lead somewhere. Looks at what is certain only: documents with `$id` and dialects of
 * their own are left to the daemon, which compiles the schemas whole. Fetches nothing.
 */
import type { JsonValue } from "./policy-set.ts";
import { schemaProblem } from "./schema-shape.ts";

const STORE = "cerbos:///";

/** Documents that one schema may lead to. */
const MAX_DOCUMENTS = 1000;

export class SchemaDocuments {
  readonly #documents: ReadonlyMap<string, JsonValue>;
  readonly #known = new Map<string, string | undefined>();

  /** @param documents those that are JSON, by id, the path below `_schemas/` */
  constructor(documents: ReadonlyMap<string, JsonValue>) {
    this.#documents = documents;
  }

  /** Why the schema at a reference cannot be loaded; undefined when it can, or when only the daemon can tell. */
  problem(reference: string): string | undefined {
    // A path or another address: Cerbos would read files of the machine it runs on.
    if (!reference.startsWith("cerbos:")) return "only `cerbos:///`, which means `_schemas`, can be read";
    const id = storeId(reference, STORE);
    return id === undefined ? undefined : this.#problemBelow(id);
  }

  #problemBelow(start: string): string | undefined {
    const pending = [start];
    const seen = new Set(pending);
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const problem = this.#problemOf(id);
      if (problem !== undefined) return id === start ? problem : `${problem} (referenced by ${start})`;
      for (const other of this.#references(id)) {
        if (seen.has(other) || seen.size >= MAX_DOCUMENTS) continue;
        seen.add(other);
        pending.push(other);
      }
    }
    return undefined;
  }

  #problemOf(id: string): string | undefined {
    if (this.#known.has(id)) return this.#known.get(id);
    const document = this.#documents.get(id);
    const problem =
      document === undefined ? `_schemas/${id} does not exist, or is not JSON` : schemaProblem(document);
    this.#known.set(id, problem);
    return problem;
  }

  /** Ids of the documents of the store that a document refers to. */
  #references(id: string): readonly string[] {
    const found: string[] = [];
    const pending: JsonValue[] = [this.#documents.get(id) ?? null];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (typeof value !== "object" || value === null) continue;
      if (Array.isArray(value)) {
        for (const item of value) pending.push(item);
        continue;
      }
      // With a base of its own a document's references cannot be told by their text.
      if (typeof value["$id"] === "string" || typeof value["id"] === "string") return [];
      for (const [key, item] of Object.entries(value)) {
        // What `const`, `enum`, `default` and `examples` hold are values, not schemas.
        if (["const", "enum", "default", "examples"].includes(key)) continue;
        if (key === "$ref" && typeof item === "string" && !item.startsWith("#")) {
          const other = storeId(item, `${STORE}${id}`);
          if (other !== undefined) found.push(other);
        } else pending.push(item);
      }
    }
    return found;
  }
}

/** The id that a reference names, seen from a base; undefined when it leads out of the store. */
function storeId(reference: string, base: string): string | undefined {
  if (!URL.canParse(reference, base)) return undefined;
  const { protocol, host, pathname } = new URL(reference, base);
  if (protocol !== "cerbos:" || host !== "") return undefined;
  try {
    return decodeURIComponent(pathname.replace(/^\//, ""));
  } catch {
    return undefined;
  }
}
