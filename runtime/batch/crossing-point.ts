/**
 * From how many bytes on a request is worth handing to a worker, and dividing. It is measured on the machine and on the policies
 * that serve: what handing over costs, and how long deciding takes, both learnt from the requests that went that way. Pure
 * arithmetic; who asks and who tells is batch-pool.ts.
 */

/** Where it starts, before anything was handed over: measured on a machine with two cores (bench/micro/batch-crossing.ts). */
const FIRST_OVERHEAD_MICROS = 100;
const FIRST_NANOS_PER_BYTE = 4;

/**
 * Deciding in place must take this many times what handing over costs: about half of that is the serving thread's own time, so with
 * less, requests beside this one would not gain what it loses.
 */
const WORTH = 4;

/** The learnt value stays within these bounds, whatever the requests are. */
const LEAST_BYTES = 16 * 1024;
const MOST_BYTES = 256 * 1024;

/** How much a new measurement counts. */
const WEIGHT = 1 / 16;

export class CrossingPoint {
  #overheadMicros = FIRST_OVERHEAD_MICROS;
  #nanosPerByte = FIRST_NANOS_PER_BYTE;
  readonly #fixed: number;
  #bytes: number;

  /** `fixed` is a configured number of bytes, 0 to measure. */
  constructor(fixed: number) {
    this.#fixed = fixed;
    this.#bytes = fixed === 0 ? this.#measured() : fixed;
  }

  /** Requests of this many bytes are handed over; no part of a divided one is smaller. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A worker decided `bytes` bytes in `micros` microseconds. */
  noteDecided(bytes: number, micros: number): void {
    if (bytes === 0) return;
    this.#nanosPerByte += ((micros * 1000) / bytes - this.#nanosPerByte) * WEIGHT;
    this.#update();
  }

  /** A task of an idle pool took `micros` microseconds longer than what the worker did for it. */
  noteOverhead(micros: number): void {
    this.#overheadMicros += (Math.max(0, micros) - this.#overheadMicros) * WEIGHT;
    this.#update();
  }

  #update(): void {
    if (this.#fixed === 0) this.#bytes = this.#measured();
  }

  #measured(): number {
    const bytes = (WORTH * this.#overheadMicros * 1000) / Math.max(this.#nanosPerByte, 0.1);
    return Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, bytes)));
  }
}
