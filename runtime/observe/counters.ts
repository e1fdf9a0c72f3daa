/**
 * What the serving threads count, in one piece of memory that all of them share: each thread writes only its own slots, with plain
 * stores, and whoever asks for metrics adds them up. A reader may be a moment behind, never wrong for good. Events that are rare
 * and counted by several (traps, shed requests) are in serving-state.ts.
 */
import {
  FLAG_DENY_ALL,
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_NOT_READY,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import { STATUS_TOO_LARGE, STATUS_TRAP } from "../guest/engine.ts";
import type { DecisionFigures, EngineObserver } from "../guest/observer.ts";

/** Slots of a thread, by what they count. */
export const SLOT = {
  /** Requests that were decided by evaluating policies. */
  decided: 0,
  /** Requests whose every action was denied without that: out of budget, or the policies are too old. */
  failClosed: 1,
  /** Requests refused as malformed or invalid, as too large, and for their tokens. */
  invalid: 2,
  tooLarge: 3,
  tokens: 4,
  /** Requests that could not be decided and could not be denied either. */
  failed: 5,
  /** Large requests that workers decided; not in `decided`. */
  large: 6,
  decisions: 7,
  allowed: 8,
  conditionErrors: 9,
  /** Sampled requests that the candidate has decided, those whose decisions would change, and how many decisions. */
  shadowed: 10,
  shadowChanged: 11,
  shadowDecisions: 12,
  shadowDecisionsChanged: 13,
  /** Sampled requests that were not compared because the thread was busy, and those that the candidate failed at. */
  shadowDropped: 14,
  shadowFailed: 15,
  /** Delay of the event loop over the last interval, in seconds; see loop-delay.ts. */
  loopDelayMean: 16,
  loopDelayP99: 17,
  loopDelayMax: 18,
  /** Requests without a token that allows them, and searches that were answered. */
  unauthorized: 19,
  searched: 20,
} as const;

export type SlotName = keyof typeof SLOT;

const AUTHZEN = FLAG_EVALUATION | FLAG_EVALUATIONS;

/** Doubles per thread: four lines of the processor's cache, so that threads do not write to the same one. */
const STRIDE = 32;

/** Memory for the counters of `threads` threads. */
export function allocateCounters(threads: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(threads * STRIDE * Float64Array.BYTES_PER_ELEMENT));
}

/** A slot of every thread, in their order. */
export function countersByThread(counters: Float64Array, name: SlotName): readonly number[] {
  const threads = Math.floor(counters.length / STRIDE);
  return Array.from({ length: threads }, (_, thread) => counters[thread * STRIDE + SLOT[name]] ?? 0);
}

/** A slot summed over all threads. */
export function sumOfCounters(counters: Float64Array, name: SlotName): number {
  return countersByThread(counters, name).reduce((sum, value) => sum + value, 0);
}

/** Takes a sample of the decided requests (runtime/shadow). */
export interface RequestTap {
  offer(bytes: Uint8Array, inputFormat: number, claims: Uint8Array): void;
}

/** The counters of one thread, and the tap of what it decides. */
export class ThreadCounters implements EngineObserver {
  /** Null when nothing is sampled. */
  tap: RequestTap | null = null;
  readonly #counters: Float64Array;
  readonly #base: number;

  /** `counters` are those of all threads. */
  constructor(counters: Float64Array = allocateCounters(1), thread = 0) {
    this.#counters = counters;
    this.#base = thread * STRIDE;
  }

  /** The counters of all threads. */
  get all(): Float64Array {
    return this.#counters;
  }

  add(name: SlotName, count = 1): void {
    this.#add(SLOT[name], count);
  }

  set(name: SlotName, value: number): void {
    this.#counters[this.#base + SLOT[name]] = value;
  }

  decided(
    bytes: Uint8Array,
    inputFormat: number,
    flags: number,
    claims: Uint8Array,
    figures: DecisionFigures,
  ): void {
    this.#add(SLOT.decisions, figures.decisions);
    if ((flags & FLAG_DENY_ALL) !== 0) {
      this.#add(SLOT.failClosed, 1);
      return;
    }
    this.#add(SLOT.decided, 1);
    this.#add(SLOT.allowed, figures.allowed);
    this.#add(SLOT.conditionErrors, figures.conditionErrors);
    // A shadow compares checks only.
    if (this.tap !== null && (flags & AUTHZEN) === 0) this.tap.offer(bytes, inputFormat, claims);
  }

  get samples(): boolean {
    return this.tap !== null;
  }

  decidedMany(requests: number, figures: DecisionFigures): void {
    this.#add(SLOT.decided, requests);
    this.#add(SLOT.decisions, figures.decisions);
    this.#add(SLOT.allowed, figures.allowed);
    this.#add(SLOT.conditionErrors, figures.conditionErrors);
  }

  failed(status: number): void {
    this.#add(slotOf(status), 1);
  }

  #add(slot: number, count: number): void {
    const at = this.#base + slot;
    this.#counters[at] = (this.#counters[at] ?? 0) + count;
  }
}

/** Which requests a status belongs to. */
function slotOf(status: number): number {
  switch (status) {
    case STATUS_TOO_LARGE:
      return SLOT.tooLarge;
    case STATUS_AUX_DATA:
      return SLOT.tokens;
    case STATUS_TRAP:
    case STATUS_FUEL:
    case STATUS_MEMORY:
    case STATUS_OUTPUT_FULL:
    case STATUS_NOT_READY:
      return SLOT.failed;
    default:
      return SLOT.invalid;
  }
}
