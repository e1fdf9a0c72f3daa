/**
 * Bodies that arrive in several chunks. Most requests come in one and never get here; those that do are copied into
 * one growing buffer, and all such buffers together have a budget, so that slow or many uploads cannot use up memory.
 */

const KIB = 1024;

/** First size of a buffer in bytes: a socket read of uWebSockets.js is at most 512 KiB, usually far less. */
const FIRST_CAPACITY = 64 * KIB;

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
  #bytes = new Uint8Array(0);
  #length = 0;
  #state: BodyState = "ok";
  #dropped = 0;
  readonly #budget: BodyBudget;
  readonly #limit: number;

  /** `limit` is the largest body in bytes. */
  constructor(budget: BodyBudget, limit: number) {
    this.#budget = budget;
    this.#limit = limit;
  }

  /** Why nothing is kept any more, or `ok`. */
  get state(): BodyState {
    return this.#state;
  }

  /** Bytes that arrived after it was refused. */
  get dropped(): number {
    return this.#dropped;
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

  /** What has arrived so far. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  release(): void {
    this.#budget.give(this.#bytes.byteLength);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }

  #grow(length: number): boolean {
    const capacity = Math.min(this.#limit, Math.max(FIRST_CAPACITY, length * 2));
    if (!this.#budget.take(capacity - this.#bytes.byteLength)) return false;
    const grown = new Uint8Array(capacity);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    return true;
  }
}
