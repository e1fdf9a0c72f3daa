/** Where bodies lie that the guest decides in one call, and what came of each (layout in assembly/decide/bodies.ts). */
import { BODY_ENTRY_SIZE, MOST_BODIES } from "../../assembly/abi.ts";

export const BODY_TABLE_SIZE = BODY_ENTRY_SIZE * MOST_BODIES;

const WORDS = BODY_ENTRY_SIZE / Uint32Array.BYTES_PER_ELEMENT;

export class BodyTable {
  readonly #words = new Uint32Array(MOST_BODIES * WORDS);
  /** The table as the guest reads and writes it. */
  readonly bytes = new Uint8Array(this.#words.buffer);

  /** Says where body `index` lies, from the first byte of all bodies; formats are FORMAT_*. */
  place(index: number, start: number, length: number, input: number, output: number): void {
    const at = index * WORDS;
    this.#words[at] = BODY_TABLE_SIZE + start;
    this.#words[at + 1] = length;
    this.#words[at + 2] = input;
    this.#words[at + 3] = output;
  }

  /** STATUS_* of body `index`, once decided. */
  status(index: number): number {
    return this.#words[index * WORDS] ?? 0;
  }

  /** Where its response lies, from the first byte of all responses. */
  responseStart(index: number): number {
    return this.#words[index * WORDS + 1] ?? 0;
  }

  responseLength(index: number): number {
    return this.#words[index * WORDS + 2] ?? 0;
  }
}
