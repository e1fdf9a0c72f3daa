/**
 * The directory as one thread reads it: finds tables by kind and type, and takes over new memory before it is needed. It never writes
 * entities and never waits.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { EntityKind, EntityLookup } from "./entity-lookup.ts";
import { EntityTable, type HashKey, type TableParts } from "./entity-table.ts";

/** Words of the header that all threads share. */
export const GENERATION = 0;
export const REVISION = 1;
export const LIVE = 2;
const KEY_0 = 3;
const KEY_1 = 4;
const SECRET = 5;
const SECRET_WORDS = 8;
export const HEADER_WORDS = SECRET + SECRET_WORDS;

/** What a thread is given to read the directory. The port has to be transferred. */
export interface DirectoryShare {
  readonly header: SharedArrayBuffer;
  readonly tables: readonly TableParts[];
  readonly port: MessagePort;
}

/** News about tables. */
export interface DirectoryNews {
  /** Whether every table that is not among these is gone. */
  readonly reset: boolean;
  readonly tables: readonly TableParts[];
}

interface Remembered {
  readonly type: Uint8Array;
  readonly table: EntityTable | undefined;
}

export class DirectoryView implements EntityLookup {
  protected readonly header: Int32Array;
  readonly #tables = new Map<string, EntityTable>();
  readonly #key: HashKey;
  readonly #port: MessagePort | null;
  #generation = 0;
  /** The table asked for last, by kind: most questions are about few types. */
  readonly #last = new Map<EntityKind, Remembered>();

  /** Without a port (on the thread that writes) the writer says what is new. */
  constructor(
    header: SharedArrayBuffer,
    tables: readonly TableParts[] = [],
    port: MessagePort | null = null,
  ) {
    this.header = new Int32Array(header);
    this.#key = { key0: this.header[KEY_0] ?? 0, key1: this.header[KEY_1] ?? 0 };
    this.#port = port;
    for (const parts of tables) this.#add(parts);
    if (port === null) return;
    // Also while nobody asks, so that memory that is no longer used is let go.
    port.on("message", (news: DirectoryNews) => this.#take(news));
    port.unref();
  }

  /** As another thread reads what `share` describes. */
  static of({ header, tables, port }: DirectoryShare): DirectoryView {
    return new DirectoryView(header, tables, port);
  }

  /** Read without a fence, because every decision asks: a change is seen by the next turn of the event loop at the latest. */
  get isEmpty(): boolean {
    return this.header[LIVE] === 0;
  }

  /** Grows with every change; wraps at 2^32. */
  get revision(): number {
    return Atomics.load(this.header, REVISION) >>> 0;
  }

  /** Random bytes of this process, for signing what leaves it. */
  get secret(): Uint8Array {
    return new Uint8Array(this.header.slice(SECRET, SECRET + SECRET_WORDS).buffer);
  }

  properties(kind: EntityKind, type: Uint8Array, id: Uint8Array): Uint8Array | null {
    this.#refresh();
    const table = this.#tableOf(kind, type);
    const address = table?.find(id) ?? -1;
    return address < 0 ? null : (table?.propertiesAt(address) ?? null);
  }

  /** The entities of a type; undefined when there have been none. It stays readable, as it is, when it is compacted. */
  table(kind: EntityKind, type: string): EntityTable | undefined {
    this.#refresh();
    return this.#tables.get(tableKey(kind, type));
  }

  /** Whether there is any entity of a kind. */
  holds(kind: EntityKind): boolean {
    this.#refresh();
    for (const table of this.#tables.values()) {
      if (table.kind === kind && table.live > 0) return true;
    }
    return false;
  }

  /** Puts a table in place, on the thread that writes. */
  set(table: EntityTable): void {
    this.#tables.set(tableKey(table.kind, table.type), table);
    this.#last.clear();
  }

  /** Forgets every table. */
  clear(): void {
    this.#tables.clear();
    this.#last.clear();
  }

  #refresh(): void {
    if (this.#port === null) return;
    const generation = Atomics.load(this.header, GENERATION);
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#drain();
  }

  /** INVARIANT: what a generation brings is in the port's queue before its number is in the header. */
  #drain(): void {
    if (this.#port === null) return;
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#take(received.message as DirectoryNews);
    }
  }

  #take({ reset, tables }: DirectoryNews): void {
    if (reset) this.clear();
    for (const parts of tables) this.#add(parts);
  }

  #add(parts: TableParts): void {
    const key = tableKey(parts.kind, parts.type);
    const known = this.#tables.get(key);
    if (known?.edition === parts.edition) {
      known.adopt(parts);
      return;
    }
    const table = new EntityTable(parts, this.#key);
    table.onMissing = () => this.#drain();
    this.set(table);
  }

  #tableOf(kind: EntityKind, type: Uint8Array): EntityTable | undefined {
    const last = this.#last.get(kind);
    if (last !== undefined && equal(last.type, type)) return last.table;
    const { buffer, byteOffset, byteLength } = type;
    const name = Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
    const table = this.#tables.get(tableKey(kind, name));
    this.#last.set(kind, { type: type.slice(), table });
    return table;
  }
}

export function tableKey(kind: EntityKind, type: string): string {
  return `${kind} ${type}`;
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}
