/**
 * Changes of the directory in the order in which they were asked for, as bytes: what a request holds until all of it is known to be good, and
 * what the log on disk keeps. One change:
 *
 *   ┌─────────┬─────────────────┬───────────────┬───────────────────────┬──────┬────┬─────────────┐
 *   │ u8 what │ u16 type length │ u32 id length │ u32 properties length │ type │ id │ msgpack map │   little-endian
 *   └─────────┴─────────────────┴───────────────┴───────────────────────┴──────┴────┴─────────────┘
 */
import { DirectoryError } from "../errors.ts";
import type { Entity } from "./entity-set.ts";

const HEAD = 11;

/** Values of `what`. */
const PUT_SUBJECT = 0;
const PUT_RESOURCE = 1;
const REMOVE_SUBJECT = 2;
const REMOVE_RESOURCE = 3;

const FIRST_CAPACITY = 64 * 1024;

export interface Change {
  readonly removes: boolean;
  readonly entity: Entity;
}

export class ChangeList {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;
  #count = 0;
  readonly #limit: number;

  /** `limit` is how many bytes it may hold. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#length;
  }

  /** A view of the changes. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds a change. Throws `DirectoryError` when there is no room for it. */
  add(entity: Entity, removes: boolean): void {
    const type = Buffer.from(entity.type, "utf8");
    const { id, properties, kind } = entity;
    const end = this.#length + HEAD + type.byteLength + id.byteLength + properties.byteLength;
    if (end > this.#limit) {
      throw new DirectoryError(
        "EDICT_DIRECTORY_TOO_LARGE",
        `the changes of a request take more than ${this.#limit} bytes`,
      );
    }
    if (end > this.#bytes.byteLength) {
      const grown = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(end, this.#bytes.byteLength * 2)));
      this.bytes.copy(grown);
      this.#bytes = grown;
    }
    const what =
      kind === "subject"
        ? removes
          ? REMOVE_SUBJECT
          : PUT_SUBJECT
        : removes
          ? REMOVE_RESOURCE
          : PUT_RESOURCE;
    let at = this.#bytes.writeUInt8(what, this.#length);
    at = this.#bytes.writeUInt16LE(type.byteLength, at);
    at = this.#bytes.writeUInt32LE(id.byteLength, at);
    at = this.#bytes.writeUInt32LE(properties.byteLength, at);
    for (const part of [type, id, properties]) {
      this.#bytes.set(part, at);
      at += part.byteLength;
    }
    this.#length = at;
    this.#count++;
  }

  /** Forgets all changes. */
  clear(): void {
    this.#length = 0;
    this.#count = 0;
  }
}

/** The changes in `bytes`; views of them. Throws an `Error` when they are none. */
export function* readChanges(bytes: Buffer): Generator<Change> {
  let typeBytes: Buffer = Buffer.alloc(0);
  let type = "";
  for (let at = 0; at < bytes.byteLength;) {
    const what = bytes.readUInt8(at);
    const typeEnd = at + HEAD + bytes.readUInt16LE(at + 1);
    const idEnd = typeEnd + bytes.readUInt32LE(at + 3);
    const end = idEnd + bytes.readUInt32LE(at + 7);
    if (what > REMOVE_RESOURCE || end > bytes.byteLength) throw new Error("a change is malformed");
    const own = bytes.subarray(at + HEAD, typeEnd);
    // Neighbours mostly have the same type.
    if (type === "" || !own.equals(typeBytes)) {
      typeBytes = own;
      type = own.toString("utf8");
    }
    const kind = what === PUT_SUBJECT || what === REMOVE_SUBJECT ? "subject" : "resource";
    const entity = {
      kind,
      type,
      id: bytes.subarray(typeEnd, idEnd),
      properties: bytes.subarray(idEnd, end),
    } as const;
    yield { removes: what >= REMOVE_SUBJECT, entity };
    at = end;
  }
}
