/**
 * Symbols: the strings that decisions compare (kinds, versions, scopes, roles, actions, principal ids, derived role
 * names), numbered from 1. The guest looks a request's string up once and compares numbers afterwards; 0 means
 * "no policy mentions it".
 */
import type { Blob } from "./blob.ts";
import { hashBytes } from "./hash.ts";

export class Symbols {
  readonly #ids = new Map<string, number>();
  /** Where the names are, once they have been written; there is one blob for all of them. */
  #places: Uint32Array = new Uint32Array(0);

  get count(): number {
    return this.#ids.size;
  }

  /** The symbol of `name`, given on first use. */
  id(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#ids.set(name, id);
    return id;
  }

  names(): readonly string[] {
    return [...this.#ids.keys()];
  }

  /** Writes the look-up table; the value of an entry is symbol + 1, like every name table. */
  table(blob: Blob): number {
    return nameTable(blob, this.#writeNames(blob), (index) => index + 1);
  }

  /** Writes `u32 start | u32 length` per symbol, index 0 unused. */
  texts(blob: Blob): number {
    const places = this.#writeNames(blob);
    const words = new Uint32Array(2 + places.length);
    words.set(places, 2);
    return blob.words(words);
  }

  #writeNames(blob: Blob): Uint32Array {
    if (this.#places.length !== 2 * this.#ids.size) this.#places = writeNames(blob, [...this.#ids.keys()]);
    return this.#places;
  }
}

/** Writes names; their addresses and lengths, one after the other. */
export function writeNames(blob: Blob, names: readonly string[]): Uint32Array {
  const places = new Uint32Array(2 * names.length);
  for (let index = 0; index < names.length; index++) {
    const { address, length } = blob.ownText(names[index] ?? "");
    places[2 * index] = address;
    places[2 * index + 1] = length;
  }
  return places;
}

/**
 * Writes an open-addressing table from names to numbers (layout in assembly/decode/attributes.ts) and returns its
 * address; 0 for an empty one.
 * @param places of the names, as `writeNames` has them
 * @param valueOf what a name stands for, by its index
 */
export function nameTable(blob: Blob, places: Uint32Array, valueOf: (index: number) => number): number {
  const count = places.length / 2;
  if (count === 0) return 0;
  const capacity = tableCapacity(count);
  const words = new Uint32Array(2 + capacity * 4);
  words[0] = capacity - 1;
  for (let name = 0; name < count; name++) {
    const address = places[2 * name] ?? 0;
    const length = places[2 * name + 1] ?? 0;
    const hash = hashBytes(blob.at(address, length));
    let index = hash & (capacity - 1);
    while (words[2 + index * 4 + 3] !== 0) index = (index + 1) & (capacity - 1);
    const entry = 2 + index * 4;
    words[entry] = hash;
    words[entry + 1] = address;
    words[entry + 2] = length;
    words[entry + 3] = valueOf(name) + 1;
  }
  return blob.words(words);
}

/** Smallest power of two that keeps a table of `count` entries at most half full. */
export function tableCapacity(count: number): number {
  let capacity = 4;
  while (capacity < count * 2) capacity *= 2;
  return capacity;
}
