/**
 * The text of an entity to what the directory keeps: `{"kind", "type", "id", "properties"}`, the properties converted to msgpack once and for all.
 * Bad input is refused with its place.
 */
import { Packr } from "msgpackr";
import { DirectoryError } from "../errors.ts";
import { EntityCutter, type TextPlace } from "./entity-cutter.ts";
import type { Entity } from "./entity-set.ts";
import { jsonFault } from "./json-fault.ts";
import { MAX_ID_BYTES, MAX_PROPERTY_DEPTH, MAX_TYPE_BYTES } from "./options.ts";

const FIELDS = new Set(["kind", "type", "id", "properties"]);

/** Half of a surrogate pair, which has no UTF-8. */
const HALF_CHARACTER = /\p{Surrogate}/u;

const NONE = new Uint8Array(0);

const packr = new Packr({ useRecords: false, variableMapSize: true });
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Whether properties are read, or only who is meant. */
export type EntityFields = "all" | "key";

/** Reads entities from a stream of bytes; `take` gets each one. */
export class EntityReader {
  readonly #cutter: EntityCutter;
  readonly #name: string;
  readonly #fields: EntityFields;
  readonly #take: (entity: Entity) => void;

  /** `name` is what errors call the stream: a file, or `body`. */
  constructor(name: string, fields: EntityFields, take: (entity: Entity) => void) {
    this.#name = name;
    this.#fields = fields;
    this.#take = take;
    this.#cutter = new EntityCutter(name, (text, place) => this.#read(text, place));
  }

  /** Takes the next bytes. Throws `DirectoryError`. */
  push(chunk: Buffer): void {
    this.#cutter.push(chunk);
  }

  /** To be called at the end of the stream. */
  end(): void {
    this.#cutter.end();
  }

  #read(bytes: Uint8Array, place: TextPlace): void {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      throw this.#problem(place, "an entity is not UTF-8");
    }
    if (text.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.#problem(placeOf(text, place), "an entity is not JSON");
    }
    const entity = entityOf(value, this.#fields, text.includes("\\u"));
    if (typeof entity === "string") throw this.#problem(place, entity);
    this.#take(entity);
  }

  #problem({ line, column }: TextPlace, message: string): DirectoryError {
    return new DirectoryError("EDICT_DIRECTORY_INVALID", `${this.#name}:${line}:${column}: ${message}`);
  }
}

/** The entity, or what is wrong with it. `escapes` says whether strings may hold halves of characters. */
function entityOf(value: unknown, fields: EntityFields, escapes: boolean): Entity | string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return "an entity is not an object";
  const record = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(record)) {
    if (!FIELDS.has(name)) return `unknown field \`${name.slice(0, 64)}\` of an entity`;
  }
  const { kind, type, id, properties } = record;
  if (kind !== "subject" && kind !== "resource") return "`kind` must be `subject` or `resource`";
  const typeBytes = nameOf(type, MAX_TYPE_BYTES);
  if (typeof typeBytes === "number") return `\`type\` must be text of 1 to ${typeBytes} bytes`;
  const idBytes = nameOf(id, MAX_ID_BYTES);
  if (typeof idBytes === "number") return `\`id\` must be text of 1 to ${idBytes} bytes`;
  const name = type as string;
  if (fields === "key" || properties === undefined || properties === null) {
    return { kind, type: name, id: idBytes, properties: NONE };
  }
  if (typeof properties !== "object" || Array.isArray(properties)) return "`properties` must be an object";
  const problem = problemOf(properties, MAX_PROPERTY_DEPTH, escapes);
  if (problem !== null) return problem;
  return { kind, type: name, id: idBytes, properties: packr.pack(properties) };
}

/** The bytes of a name, or how many it may have when it is none. */
function nameOf(value: unknown, most: number): Uint8Array | number {
  if (typeof value !== "string" || value === "" || HALF_CHARACTER.test(value)) return most;
  const bytes = Buffer.from(value, "utf8");
  return bytes.byteLength > most ? most : bytes;
}

/** What keeps a value from being stored, null for nothing. */
function problemOf(value: unknown, depth: number, escapes: boolean): string | null {
  if (typeof value === "string") {
    return escapes && HALF_CHARACTER.test(value) ? "`properties` hold half of a surrogate pair" : null;
  }
  if (typeof value === "number")
    return Number.isFinite(value) ? null : "`properties` hold a number that is too large";
  if (typeof value !== "object" || value === null) return null;
  if (depth === 0) return `\`properties\` are nested deeper than ${MAX_PROPERTY_DEPTH}`;
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      const problem = problemOf(item, depth - 1, escapes);
      if (problem !== null) return problem;
    }
    return null;
  }
  for (const [key, item] of Object.entries(value)) {
    const problem = problemOf(key, depth, escapes) ?? problemOf(item, depth - 1, escapes);
    if (problem !== null) return problem;
  }
  return null;
}

/** Where the text of an entity stops being JSON. */
function placeOf(text: string, start: TextPlace): TextPlace {
  const lines = text.slice(0, jsonFault(text)).split("\n");
  const last = Buffer.byteLength(lines.at(-1) ?? "");
  return lines.length === 1
    ? { line: start.line, column: start.column + last }
    : { line: start.line + lines.length - 1, column: last + 1 };
}
