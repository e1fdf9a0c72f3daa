/**
 * All tables of one state of the directory, and the limits that they have together. Knows nothing of threads: whoever has them is told
 * about new memory by `onNews`.
 */
import { setImmediate as turn } from "node:timers/promises";
import { DirectoryError } from "../errors.ts";
import { tableKey } from "./directory-view.ts";
import type { EntityKind } from "./entity-lookup.ts";
import type { HashKey } from "./entity-table.ts";
import { EntityWriter, type TableOwner } from "./entity-writer.ts";
import { type DirectoryOptions, MAX_TABLES } from "./options.ts";

/** Milliseconds of work between two turns of the event loop. */
export const SLICE = 2;

/** Entities that are handled before the clock is looked at again. */
const ENTITIES_PER_LOOK = 64;

/** An entity; `properties` is a msgpack map, empty for none. */
export interface Entity {
  readonly kind: EntityKind;
  readonly type: string;
  readonly id: Uint8Array;
  readonly properties: Uint8Array;
}

/** How much a set of entities may hold. */
export type DirectoryLimits = Pick<DirectoryOptions, "maxEntities" | "maxBytes">;

/** Of a compaction, which must not count as an edition before it is there. */
let editions = 0;

export class EntitySet implements TableOwner {
  /** Called when a table is new or has new memory. */
  onNews: (table: EntityWriter) => void = () => undefined;
  readonly #key: HashKey;
  readonly #limits: DirectoryLimits;
  readonly #tables = new Map<string, EntityWriter>();
  #bytes = 0;
  #live = 0;

  constructor(key: HashKey, limits: DirectoryLimits) {
    this.#key = key;
    this.#limits = limits;
  }

  /** Entities of all tables. */
  get live(): number {
    return this.#live;
  }

  /** Bytes of shared memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get tables(): Iterable<EntityWriter> {
    return this.#tables.values();
  }

  /** Throws `DirectoryError` when that many more may be too many. */
  requireRoom(entities: number, bytes: number, types = 0): void {
    const { maxEntities, maxBytes } = this.#limits;
    if (this.#live + entities > maxEntities) {
      throw new DirectoryError("EDICT_DIRECTORY_FULL", `the directory may hold ${maxEntities} entities`);
    }
    if (this.#tables.size + types > MAX_TABLES) throw tooManyTypes();
    if (this.#bytes + bytes > maxBytes) {
      throw new DirectoryError("EDICT_DIRECTORY_FULL", `the directory may take ${maxBytes} bytes`);
    }
  }

  /** Adds an entity or replaces it. Throws `DirectoryError` when there are too many types. */
  put({ kind, type, id, properties }: Entity, pushed: boolean): void {
    const key = tableKey(kind, type);
    let table = this.#tables.get(key);
    if (table === undefined) {
      if (this.#tables.size === MAX_TABLES) throw tooManyTypes();
      table = EntityWriter.create(kind, type, ++editions, this.#key, this);
      this.#tables.set(key, table);
      this.onNews(table);
    }
    const before = table.live;
    table.put(id, properties, pushed);
    this.#live += table.live - before;
  }

  /** Removes an entity; false when there is none. */
  remove({ kind, type, id }: Pick<Entity, "kind" | "type" | "id">): boolean {
    const removed = this.#tables.get(tableKey(kind, type))?.remove(id) ?? false;
    if (removed) this.#live--;
    return removed;
  }

  /** Puts copies without dead records in place of tables that have too many, a slice per turn of the event loop. */
  async compact(): Promise<void> {
    for (const table of this.#tables.values()) {
      if (!table.isWasteful) continue;
      const copy = EntityWriter.create(table.kind, table.type, ++editions, this.#key, this);
      await inSlices(table.entities(), ({ id, properties, pushed }) => copy.put(id, properties, pushed));
      this.#tables.set(tableKey(table.kind, table.type), copy);
      this.account(-table.byteLength);
      this.onNews(copy);
    }
  }

  account(bytes: number): void {
    this.#bytes += bytes;
  }

  announce(table: EntityWriter): void {
    // A copy that is still being made is nobody's business.
    if (this.#tables.get(tableKey(table.kind, table.type)) === table) this.onNews(table);
  }
}

function tooManyTypes(): DirectoryError {
  return new DirectoryError("EDICT_DIRECTORY_FULL", `the directory may hold ${MAX_TABLES} types`);
}

/** Does `work` with every item, and lets other things happen in between. */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let began = performance.now();
  let count = 0;
  for (const item of items) {
    work(item);
    if (++count % ENTITIES_PER_LOOK !== 0 || performance.now() - began < SLICE) continue;
    await turn();
    began = performance.now();
  }
}
