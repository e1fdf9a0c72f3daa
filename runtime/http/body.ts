/**
 * Bodies that arrive in several chunks. Most requests come in one and never get here; those that do are copied into
 * one growing buffer, and all such buffers together have a budget, so that slow or many uploads cannot use up memory. The
 * memory is shared, so that workers can read a large request where it is (runtime/batch).
 */
import { SharedMemory } from "../batch/shared-memory.ts";

const KIB = 1024;

/** First size of a buffer in bytes: a socket read of uWebSockets.js is at most 512 KiB, usually far less. */
const FIRST_CAPACITY = 64 * KIB;

/** By how much a buffer grows beyond what has arrived: seldom, because what is in it has to be copied. */
const GROWTH = 4;

/**
 * A body that is refused is still read to its end, because closing a connection with unread data makes clients lose
 * the answer; beyond this many bytes the connection is closed all the same.
 */
export const MAX_DROPPED = 64 * 1024 * 1024;

/** Memory shared by all bodies in progress. */
export class BodyBudget {
  #used = 0;
  readonly #limit: number;

  /** `limit` in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes `bytes`; false when they do not fit. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

export type BodyState = "ok" | "too-large" | "overloaded";

/** One body in progress. `release` must be called exactly when it is no longer needed; calling it again is harmless. */
export class BodyBuffer {
  #memory: SharedArrayBuffer | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  #state: BodyState = "ok";
  #dropped = 0;
  readonly #budget: BodyBudget;
  readonly #limit: number;
  readonly #pool: SharedMemory;

  /** `limit` is the largest body in bytes; memory comes from `pool` and goes back there. */
  constructor(budget: BodyBudget, limit: number, pool: SharedMemory) {
    this.#budget = budget;
    this.#limit = limit;
    this.#pool = pool;
  }

  /** Why nothing is kept any more, or `ok`. */
  get state(): BodyState {
    return this.#state;
  }

  /** Bytes that arrived after it was refused. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether so much has arrived since that nothing more is read. */
  get isAbusive(): boolean {
    return this.#dropped > MAX_DROPPED;
  }

  /** Copies a chunk to the end, or gives up on the body and frees what it held. */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (this.#state === "ok") {
      if (length > this.#limit) this.#state = "too-large";
      else if (length > this.#bytes.byteLength && !this.#grow(length)) this.#state = "overloaded";
    }
    if (this.#state !== "ok") {
      this.#dropped += chunk.byteLength;
      this.release();
      return;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** Bytes that arrived so far. */
  get length(): number {
    return this.#length;
  }

  /** What has arrived so far. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  release(): void {
    if (this.#memory === null) return;
    this.#budget.give(this.#memory.byteLength);
    this.#pool.give(this.#memory);
    this.#memory = null;
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }

  #grow(length: number): boolean {
    const wanted = Math.min(this.#limit, Math.max(FIRST_CAPACITY, length * GROWTH));
    const before = this.#memory;
    // Both are there while the bytes move.
    if (!this.#budget.take(SharedMemory.sizeFor(wanted))) return false;
    const memory = this.#pool.take(wanted);
    const grown = new Uint8Array(memory);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#memory = memory;
    this.#bytes = grown;
    if (before !== null) {
      this.#budget.give(before.byteLength);
      this.#pool.give(before);
    }
    return true;
  }
}
