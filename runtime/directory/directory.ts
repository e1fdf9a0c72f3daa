/**
 * The directory of subjects and resources: what its files say, and on top of it what operators have pushed. All changes go through here, one
 * after the other, on the first thread; every thread reads the same memory (`share`). Reading a request's body is up to the admin listener.
 */
import { randomBytes } from "node:crypto";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { log } from "../observe/log.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { type ChangeList, readChanges } from "./change-list.ts";
import {
  type DirectoryNews,
  type DirectoryShare,
  DirectoryView,
  GENERATION,
  HEADER_WORDS,
  LIVE,
  REVISION,
  tableKey,
} from "./directory-view.ts";
import type { EntityKind } from "./entity-lookup.ts";
import { type Entity, EntitySet, inSlices } from "./entity-set.ts";
import type { TableParts } from "./entity-table.ts";
import type { EntityWriter } from "./entity-writer.ts";
import { loadFiles } from "./load-files.ts";
import type { DirectoryOptions } from "./options.ts";
import { PushLog, type Snapshot } from "./push-log.ts";

/** Bytes that a new entity takes beside its record: two slots of the index. */
const ENTITY_OVERHEAD = 24;

/** What came of a change. */
export interface ChangeOutcome {
  readonly revision: number;
  /** Entities that the request named, as often as it did. */
  readonly changed: number;
  /** Entities that there are now. */
  readonly entities: number;
}

/** What `GET /v1/directory` answers. */
export interface DirectoryStatus {
  readonly entities: number;
  /** Shared memory. */
  readonly bytes: number;
  readonly revision: number;
  /** Whether pushed entities survive a restart. */
  readonly isKept: boolean;
  readonly types: readonly { readonly kind: EntityKind; readonly type: string; readonly entities: number }[];
}

export class Directory {
  /** For this thread. */
  readonly view: DirectoryView;
  readonly #options: DirectoryOptions;
  readonly #shared: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #ports = new Set<MessagePort>();
  #set: EntitySet;
  #log: PushLog | null = null;
  /** Keys of entities that were removed over the admin API and that the files may bring back. */
  readonly #removed = new Map<string, Entity>();
  readonly #changes = new OneAtATime();

  /**
   * Loads the files, then what was pushed and is kept in `stateDir` (null for nowhere), which must be usable. Throws `DirectoryError` or
   * `StateError`.
   */
  static async open(options: DirectoryOptions, stateDir: string | null): Promise<Directory> {
    const directory = new Directory(options);
    const began = performance.now();
    await loadFiles(options.files, directory.#set);
    if (stateDir !== null) {
      directory.#log = await PushLog.open(stateDir, (changes) => directory.#apply(changes));
    }
    directory.#commit();
    const { live } = directory.#set;
    if (live > 0) {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      log(`the directory has ${live} entities (${directory.#set.bytes} bytes, loaded in ${seconds} s)`);
    }
    directory.#afterwards();
    return directory;
  }

  private constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#shared = new SharedArrayBuffer(4 * HEADER_WORDS);
    this.#header = new Int32Array(this.#shared);
    const random = randomBytes(4 * HEADER_WORDS);
    for (let word = LIVE + 1; word < HEADER_WORDS; word++) this.#header[word] = random.readInt32LE(4 * word);
    this.view = new DirectoryView(this.#shared);
    this.#set = this.#newSet();
    this.#adopt(this.#set);
  }

  get status(): DirectoryStatus {
    const types = [...this.#set.tables].map(({ kind, type, live }) => ({ kind, type, entities: live }));
    return {
      entities: this.#set.live,
      bytes: this.#set.bytes,
      revision: this.view.revision,
      isKept: this.#log !== null,
      types: types.filter(({ entities }) => entities > 0),
    };
  }

  /** What another thread needs; the port has to be transferred to it. */
  share(): DirectoryShare {
    const { port1, port2 } = new MessageChannel();
    this.#ports.add(port1);
    port1.on("close", () => this.#ports.delete(port1));
    port1.unref();
    return { header: this.#shared, tables: [...this.#set.tables].map(({ parts }) => parts), port: port2 };
  }

  /** Makes the changes of a request, all or (rejecting with `DirectoryError`) none; resolves once they are kept and all threads see them. */
  change(changes: ChangeList): Promise<ChangeOutcome> {
    return this.#changes.run(async () => {
      await this.#requireRoom(changes);
      await this.#log?.append(changes.bytes, () => this.#snapshot());
      await this.#apply(changes.bytes);
      this.#commit();
      this.#afterwards();
      return { revision: this.view.revision, changed: changes.count, entities: this.#set.live };
    });
  }

  /** Loads the files again; what was pushed stays. Rejects with `DirectoryError`, and then nothing has changed. */
  reload(): Promise<ChangeOutcome> {
    return this.#changes.run(async () => {
      const fresh = this.#newSet();
      await loadFiles(this.#options.files, fresh);
      const changed = fresh.live;
      for (const table of this.#set.tables) {
        const { kind, type } = table;
        await inSlices(table.entities(), ({ id, properties, pushed }) => {
          if (!pushed) return;
          fresh.put({ kind, type, id, properties }, true);
          fresh.requireRoom(0, 0);
        });
      }
      for (const entity of this.#removed.values()) fresh.remove(entity);
      this.#adopt(fresh);
      this.#commit();
      return { revision: this.view.revision, changed, entities: fresh.live };
    });
  }

  /** Resolves when nothing is being changed any more; no change may follow. */
  async close(): Promise<void> {
    await this.#changes.run(async () => {
      await this.#log?.close();
      this.#log = null;
    });
    for (const port of this.#ports) port.close();
  }

  #newSet(): EntitySet {
    const [key0 = 0, key1 = 0] = this.#header.subarray(LIVE + 1);
    return new EntitySet({ key0, key1 }, this.#options);
  }

  /** Puts a set in place of the one before. */
  #adopt(set: EntitySet): void {
    this.#set.onNews = () => undefined;
    this.#set = set;
    this.view.clear();
    const tables = [...set.tables];
    for (const table of tables) this.view.set(table);
    this.#tell({ reset: true, tables: tables.map(({ parts }) => parts) });
    set.onNews = (table) => this.#announce(table);
  }

  #announce(table: EntityWriter): void {
    this.view.set(table);
    const { parts }: { readonly parts: TableParts } = table;
    this.#tell({ reset: false, tables: [parts] });
  }

  #tell(news: DirectoryNews): void {
    for (const port of this.#ports) port.postMessage(news);
    Atomics.add(this.#header, GENERATION, 1);
  }

  async #requireRoom(changes: ChangeList): Promise<void> {
    let added = 0;
    const types = new Set<string>();
    await inSlices(readChanges(changes.bytes), ({ removes, entity: { kind, type, id } }) => {
      if (removes) return;
      const table = this.view.table(kind, type);
      if (table === undefined) types.add(tableKey(kind, type));
      if (table === undefined || table.find(id) < 0) added++;
    });
    this.#set.requireRoom(added, changes.byteLength + added * ENTITY_OVERHEAD, types.size);
  }

  /** Makes changes that came over the admin API. */
  async #apply(changes: Buffer): Promise<void> {
    await inSlices(readChanges(changes), ({ removes, entity }) => {
      if (!removes) {
        this.#set.put(entity, true);
        if (this.#removed.size > 0) this.#removed.delete(keyOf(entity));
      } else if (this.#set.remove(entity) && this.#options.files.length > 0) {
        // The bytes are those of the request.
        const id = Uint8Array.from(entity.id);
        this.#removed.set(keyOf(entity), { ...entity, id, properties: new Uint8Array(0) });
      }
    });
  }

  /** Says that there is something new. */
  #commit(): void {
    Atomics.store(this.#header, LIVE, this.#set.live);
    Atomics.add(this.#header, REVISION, 1);
  }

  /** Tidies up when there is much to tidy, after whoever waits has been answered. */
  #afterwards(): void {
    void this.#changes
      .run(async () => {
        await this.#set.compact();
        if (this.#log?.isLong === true) await this.#log.shorten(this.#snapshot());
      })
      .catch((error: unknown) => log(`the directory could not be tidied up: ${String(error)}`));
  }

  /** The shortest list of changes that comes to what was pushed. */
  *#snapshot(): Snapshot {
    for (const table of this.#set.tables) {
      const { kind, type } = table;
      for (const { id, properties, pushed } of table.entities()) {
        if (pushed) yield { removes: false, entity: { kind, type, id, properties } };
      }
    }
    for (const entity of this.#removed.values()) yield { removes: true, entity };
  }
}

function keyOf({ kind, type, id }: Entity): string {
  return `${tableKey(kind, type)} ${Buffer.from(id).toString("base64")}`;
}
