/**
 * Documents as addresses see them: a root, the schemas inside it by place, the ids that give some of them an address of their
 * own, and the anchors. Finds what a reference points at; compiles nothing.
 */
import { type Draft, findDraft } from "./dialects.ts";
import { resolveUrl, splitUrl } from "./go-url.ts";
import { pointerToken } from "./go-text.ts";
import type { SchemaNode } from "./schema-node.ts";

/** Why a schema cannot be loaded. */
export class SchemaError extends Error {}

/** A schema inside a document, or the document. */
export interface Place {
  /** Address of its own; empty when it has no id. */
  readonly url: string;
  /** `#` and a JSON pointer, percent-encoded. */
  readonly fragment: string;
  readonly schema: unknown;
  /** Set by the compiler. */
  node: SchemaNode | null;
}

/** Schemas nested more deeply are refused. */
const MAX_NESTING = 200;

export class Resource {
  readonly url: string;
  readonly draft: Draft;
  readonly root: Place;
  readonly #places = new Map<string, Place>();
  readonly #dynamic: Place[] = [];

  /** `location` is the address it was loaded from; an id of the document replaces it. */
  constructor(location: string, document: unknown, draft: Draft) {
    this.draft = draft;
    this.url = this.#idOf(location, document) || location;
    this.root = { url: this.url, fragment: "#", schema: document, node: null };
    this.#list(this.root, this.url, 0);
    this.#refuseEqualUrls();
  }

  /** The schema with this address: the document or one with an id. */
  withUrl(url: string): Place | undefined {
    if (url === this.url) return this.root;
    for (const place of this.#places.values()) if (place.url === url) return place;
    return undefined;
  }

  /** The address that references at a place are relative to. */
  baseOf(fragment: string): string {
    for (let at = fragment; ;) {
      const url = this.#places.get(at)?.url ?? "";
      if (url !== "") return url;
      const slash = at.lastIndexOf("/");
      if (slash < 0) return this.url;
      at = at.slice(0, slash);
    }
  }

  /** The schema that lies at `tokens` below a place, which the draft knows to be one. */
  below(place: Place, ...tokens: readonly string[]): Place | undefined {
    return this.#places.get([place.fragment, ...tokens.map(pointerToken)].join("/"));
  }

  /** Places at or below one whose schema has a `$dynamicAnchor`. */
  dynamicAnchors(place: Place): readonly Place[] {
    if (this.draft.version < 2020) return [];
    return this.#dynamic.filter(
      ({ fragment }) => fragment === place.fragment || fragment.startsWith(`${place.fragment}/`),
    );
  }

  /**
   * What a fragment (`#`, `#/pointer` or `#anchor`) points at from a place with an address; undefined when nothing is there.
   * A pointer may lead outside the places that the draft knows: `isNew` then says that nobody has checked the schema there.
   */
  resolve(from: Place, fragment: string): { readonly place: Place; readonly isNew: boolean } | undefined {
    if (fragment === "#") return { place: from, isNew: false };
    if (!fragment.startsWith("#/")) return this.#anchor(from, fragment.slice(1));
    const tokens = fragment.slice(2).split("/").map(readToken);
    let schema = from.schema;
    for (const token of tokens) {
      schema = Array.isArray(schema)
        ? /^\d+$/.test(token)
          ? (schema as readonly unknown[])[Number(token)]
          : undefined
        : isObject(schema) && Object.hasOwn(schema, token)
          ? schema[token]
          : undefined;
      if (schema === undefined) return undefined;
    }
    const target = [from.fragment, ...tokens.map(pointerToken)].join("/");
    const known = this.#places.get(target);
    if (known !== undefined) return { place: known, isNew: false };
    const base = this.baseOf(target);
    const place = { url: this.#idOf(base, schema), fragment: target, schema, node: null };
    this.#places.set(target, place);
    this.#list(place, place.url === "" ? base : place.url, 0);
    return { place, isNew: true };
  }

  #anchor(from: Place, name: string): { readonly place: Place; readonly isNew: boolean } | undefined {
    if (this.#anchorsOf(from.schema).includes(name)) return { place: from, isNew: false };
    for (const place of this.#places.values()) {
      const below = place.fragment.startsWith(`${from.fragment}/`);
      if (below && this.#anchorsOf(place.schema).includes(name) && this.baseOf(place.fragment) === from.url) {
        return { place, isNew: false };
      }
    }
    return undefined;
  }

  #list(place: Place, base: string, depth: number): void {
    if (depth > MAX_NESTING) throw new SchemaError(`more than ${MAX_NESTING} schemas inside each other`);
    const { schema } = place;
    if (!isObject(schema)) return;
    if (typeof schema["$dynamicAnchor"] === "string") this.#dynamic.push(place);
    const add = (value: unknown, ...tokens: readonly string[]): void => {
      const url = this.#idOf(base, value);
      const fragment = [place.fragment, ...tokens.map(pointerToken)].join("/");
      const inner = { url, fragment, schema: value, node: null };
      this.#places.set(fragment, inner);
      this.#list(inner, url === "" ? base : url, depth + 1);
    };
    for (const { keyword, self, items, members } of this.draft.subschemas) {
      if (!Object.hasOwn(schema, keyword)) continue;
      const value = schema[keyword];
      if (self === true && (isObject(value) || typeof value === "boolean")) add(value, keyword);
      if (items === true && Array.isArray(value)) {
        for (const [index, item] of value.entries()) add(item, keyword, String(index));
      }
      if (members === true && isObject(value)) {
        for (const [name, member] of Object.entries(value)) add(member, keyword, name);
      }
    }
  }

  #refuseEqualUrls(): void {
    const seen = new Map<string, string>();
    for (const { url, fragment } of this.#places.values()) {
      if (url === "") continue;
      const other = seen.get(url);
      if (other !== undefined) {
        throw new SchemaError(`"${other}" and "${fragment.slice(1)}" in ${this.url} have same canonical-uri`);
      }
      seen.set(url, fragment.slice(1));
    }
  }

  #rawId(schema: unknown): string {
    if (!isObject(schema)) return "";
    // Beside `$ref` an id says nothing before 2019.
    if (this.draft.version <= 7 && Object.hasOwn(schema, "$ref")) return "";
    const name = this.draft.id;
    const id = Object.hasOwn(schema, name) ? schema[name] : "";
    return typeof id === "string" ? id : "";
  }

  #idOf(base: string, schema: unknown): string {
    const [id] = splitUrl(this.#rawId(schema));
    if (id === "") return "";
    const url = resolveUrl(base, id);
    if (url === null) throw new SchemaError(`${id} is not a valid id`);
    return splitUrl(url)[0];
  }

  #anchorsOf(schema: unknown): readonly string[] {
    if (!isObject(schema)) return [];
    const anchors = [];
    const [, fragment] = splitUrl(this.#rawId(schema));
    if (fragment !== "#") anchors.push(fragment.slice(1));
    const { version } = this.draft;
    if (version >= 2019 && typeof schema["$anchor"] === "string") anchors.push(schema["$anchor"]);
    if (version >= 2020 && typeof schema["$dynamicAnchor"] === "string") {
      anchors.push(schema["$dynamicAnchor"]);
    }
    return anchors;
  }
}

/** The draft of a document by its `$schema`; the address when it is nobody's, null when it has none. */
export function draftOf(document: unknown, location: string): Draft | string | null {
  if (!isObject(document) || !Object.hasOwn(document, "$schema")) return null;
  const dialect = document["$schema"];
  if (typeof dialect !== "string") throw new SchemaError(`invalid $schema in ${location}`);
  const draft = findDraft(dialect);
  if (draft !== undefined) return draft;
  if (resolveUrl("", dialect) === null || !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(dialect)) {
    throw new SchemaError(`$schema must be uri in ${location}`);
  }
  const [url] = splitUrl(dialect);
  if (url === location) throw new SchemaError(`unsupported draft in ${location}`);
  return url;
}

function readToken(token: string): string {
  let text = token;
  try {
    text = decodeURIComponent(token);
  } catch {
    // Not percent-encoded: taken as it is.
  }
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
