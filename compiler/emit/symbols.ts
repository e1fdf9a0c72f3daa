/**
 * Symbols: the strings that decisions compare (kinds, versions, scopes, roles, actions, principal ids, derived role
 * names), numbered from 1. The guest looks a request's string up once and compares numbers afterwards; 0 means
 * "no policy mentions it".
 */
import type { Blob } from "./blob.ts";
import { hashBytes } from "./hash.ts";

const encoder = new TextEncoder();

/** One entry of a name table: a name and the number it stands for. */
interface NameEntry {
  readonly bytes: Uint8Array;
  readonly value: number;
}

export class Symbols {
  readonly #ids = new Map<string, number>();

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
    return nameTable(
      blob,
      [...this.#ids].map(([name, id]) => ({ bytes: encoder.encode(name), value: id })),
    );
  }

  /** Writes `u32 start | u32 length` per symbol, index 0 unused. */
  texts(blob: Blob): number {
    const words = [0, 0];
    for (const name of this.#ids.keys()) {
      const { address, length } = blob.text(name);
      words.push(address, length);
    }
    return blob.words(words);
  }
}

/**
 * Writes an open-addressing table from names to numbers (layout in assembly/decide/attributes.ts) and returns its
 * address; 0 for an empty one.
 */
export function nameTable(blob: Blob, entries: readonly NameEntry[]): number {
  if (entries.length === 0) return 0;
  const capacity = tableCapacity(entries.length);
  const words = Array.from({ length: 2 + capacity * 4 }, () => 0);
  words[0] = capacity - 1;
  for (const { bytes, value } of entries) {
    const hash = hashBytes(bytes);
    let index = hash & (capacity - 1);
    while (words[2 + index * 4 + 3] !== 0) index = (index + 1) & (capacity - 1);
    const entry = 2 + index * 4;
    words[entry] = hash;
    words[entry + 1] = blob.bytes(bytes);
    words[entry + 2] = bytes.length;
    words[entry + 3] = value + 1;
  }
  return blob.words(words);
}

/** Smallest power of two that keeps a table of `count` entries at most half full. */
export function tableCapacity(count: number): number {
  let capacity = 4;
  while (capacity < count * 2) capacity *= 2;
  return capacity;
}
