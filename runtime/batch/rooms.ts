/**
 * The memory that workers write the pieces of one answer to. It is shared and used again, because fresh memory for every answer would
 * make the serving thread collect garbage for longer than anything else it does for a large request.
 */
import type { SharedMemory } from "./shared-memory.ts";

export class Rooms {
  readonly #memory: SharedMemory;
  #taken: SharedArrayBuffer[] = [];

  constructor(memory: SharedMemory) {
    this.#memory = memory;
  }

  /** Room for a piece of about `bytes` bytes. */
  take(bytes: number): Uint8Array {
    const memory = this.#memory.take(bytes);
    this.#taken.push(memory);
    return new Uint8Array(memory);
  }

  /** Gives everything back; the pieces are no longer needed, and no worker writes any more. Harmless when called again. */
  release(): void {
    for (const memory of this.#taken) this.#memory.give(memory);
    this.#taken = [];
  }

  /** Leaves everything to the garbage collector: a worker that was lost may still write. */
  abandon(): void {
    this.#taken = [];
  }
}
