/**
 * Memory that workers can read without a copy, used again and again: fresh memory of this size costs the serving thread more in
 * page faults than copying a request does. Who uses how much of it is counted elsewhere (http/body.ts).
 */

/** Sizes are powers of two from this one on. */
const LEAST = 64 * 1024;

/** Bytes kept for later; more than that is left to the garbage collector. */
const MOST_KEPT = 32 * 1024 * 1024;

export class SharedMemory {
  readonly #free = new Map<number, SharedArrayBuffer[]>();
  #kept = 0;

  /** Bytes kept for later. */
  get kept(): number {
    return this.#kept;
  }

  /** What `take` would give for `bytes`. */
  static sizeFor(bytes: number): number {
    let size = LEAST;
    while (size < bytes) size *= 2;
    return size;
  }

  /** At least `bytes` bytes, whose content is whatever was in it before. */
  take(bytes: number): SharedArrayBuffer {
    const size = SharedMemory.sizeFor(bytes);
    const found = this.#free.get(size)?.pop();
    if (found === undefined) return new SharedArrayBuffer(size);
    this.#kept -= size;
    return found;
  }

  /** Takes back what `take` gave. INVARIANT: nobody reads it any more. */
  give(memory: SharedArrayBuffer): void {
    const size = memory.byteLength;
    if (this.#kept + size > MOST_KEPT) return;
    this.#kept += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [memory]);
    else free.push(memory);
  }
}
