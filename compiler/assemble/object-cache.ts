/** Function objects kept from one compilation to the next: in memory, and in a store when there is one. Changes nothing but time. */
import { type FunctionObject, readObject, writeObject } from "./function-object.ts";

/** Where texts survive the process; may lose any of them at any time. */
export interface TextStore {
  /** The text that was put last under `key`, whole, or nothing. Never rejects. */
  get(key: string): Promise<string | undefined>;
  /** Never rejects. */
  put(key: string, text: string): Promise<void>;
}

/** Most objects kept in memory beside those in use; one takes about 300 bytes. */
const MAX_UNUSED = 20_000;

export class ObjectCache {
  readonly #store: TextStore | undefined;
  #kept = new Map<string, FunctionObject>();
  /** Used since the last `finish`. */
  readonly #used = new Set<string>();
  /** Objects that had to be compiled since the cache was made. */
  compiled = 0;

  constructor(store?: TextStore) {
    this.#store = store;
  }

  async get(key: string): Promise<FunctionObject | undefined> {
    this.#used.add(key);
    const kept = this.#kept.get(key);
    if (kept !== undefined || this.#store === undefined) return kept;
    const text = await this.#store.get(key);
    const object = text === undefined ? undefined : readObject(text);
    if (object !== undefined) this.#kept.set(key, object);
    return object;
  }

  async put(key: string, object: FunctionObject): Promise<void> {
    this.compiled++;
    this.#kept.set(key, object);
    await this.#store?.put(key, writeObject(object));
  }

  /** Ends a compilation: what it did not use goes first when there is too much. */
  finish(): void {
    if (this.#kept.size > this.#used.size + MAX_UNUSED)
      this.#kept = new Map([...this.#kept].filter(([key]) => this.#used.has(key)));
    this.#used.clear();
  }
}
