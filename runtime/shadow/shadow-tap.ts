/**
 * Shadow decisions of one serving thread: takes a sample of the requests it has decided, and when the thread has nothing better
 * to do decides them by the candidate. It costs the request that is sampled one copy of its bytes. Everything is bounded: what
 * waits, the share of the thread's time, and how many changes are reported; what does not fit is dropped and counted, and the
 * requests themselves never wait. Large requests, which workers decide, are not sampled.
 */
import type { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import type { RequestTap, ThreadCounters } from "../observe/counters.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { compareDecisions, explainDifferences, type RecordedRequest } from "./compare.ts";
import type { ShadowChange } from "./decision-change.ts";

export interface ShadowTapOptions {
  readonly counters: ThreadCounters;
  /** Share of the requests, above 0 and up to 1. */
  readonly sample: number;
  readonly report: (changes: readonly ShadowChange[]) => void;
}

/** Requests and bytes that may wait. */
const MAX_WAITING = 64;
const MAX_BYTES = 1024 * 1024;

/** Requests compared in one turn of the event loop. */
const PER_TURN = 4;

/** For each millisecond spent on the candidate so many are left to the requests before it goes on. */
const REST = 4;

/** Reported changes: so many at once, and so many per second in the long run. */
const REPORT_BURST = 100;
const REPORTS_PER_SECOND = 20;

export class ShadowTap implements RequestTap {
  readonly #candidate: Engine;
  readonly #live: () => Engine;
  readonly #options: ShadowTapOptions;
  readonly #waiting: RecordedRequest[] = [];
  #bytes = 0;
  #closed = false;
  #scheduled = false;
  /** Milliseconds that the thread owes its requests. */
  #owed = 0;
  #reports = REPORT_BURST;
  #refilledAt = performance.now();

  /** `live` is what serves at the moment. */
  constructor(candidate: Engine, live: () => Engine, options: ShadowTapOptions) {
    this.#candidate = candidate;
    this.#live = live;
    this.#options = options;
  }

  /** Has the thread of `state` offer what it decides to a new tap, in place of any other. */
  static begin(
    candidate: Engine,
    state: Pick<ServingState, "engine" | "counters">,
    sample: number,
    report: ShadowTapOptions["report"],
  ): ShadowTap {
    const { counters } = state;
    const tap = new ShadowTap(candidate, () => state.engine, { counters, sample, report });
    counters.tap = tap;
    return tap;
  }

  /** Ends it for good. What waits is never compared: threads count for whichever candidate there is, so it would count for the next one. */
  close(): void {
    const { counters } = this.#options;
    this.#closed = true;
    this.#waiting.length = 0;
    this.#bytes = 0;
    if (counters.tap === this) counters.tap = null;
  }

  /** Takes the request or leaves it. Never throws. */
  offer(bytes: Uint8Array, format: number, claims: Uint8Array): void {
    const { sample, counters } = this.#options;
    if (this.#closed) return;
    if (sample < 1 && Math.random() >= sample) return;
    const size = bytes.byteLength + claims.byteLength;
    if (this.#waiting.length >= MAX_WAITING || this.#bytes + size > MAX_BYTES) {
      counters.add("shadowDropped");
      return;
    }
    this.#bytes += size;
    this.#waiting.push({ bytes: bytes.slice(), format, claims: claims.slice() });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    const run = (): void => this.#run();
    // A timer knows no less than a millisecond; less is owed until it comes to one.
    if (this.#owed >= 1) {
      setTimeout(run, this.#owed);
      this.#owed = 0;
    } else setImmediate(run);
  }

  #run(): void {
    this.#scheduled = false;
    const began = performance.now();
    for (const request of this.#waiting.splice(0, PER_TURN)) {
      this.#bytes -= request.bytes.byteLength + request.claims.byteLength;
      // Thrown into the event loop it would end the thread.
      try {
        this.#compare(request, began);
      } catch (error) {
        this.#options.counters.add("shadowFailed");
        log(`a request could not be compared with the shadow: ${oneLine(error)}`);
      }
    }
    this.#owed += (performance.now() - began) * REST;
    this.#schedule();
  }

  #compare(request: RecordedRequest, now: number): void {
    const { counters, report } = this.#options;
    const live = this.#live();
    // It serves already, so there is nothing to compare.
    if (live.bundle.digest === this.#candidate.bundle.digest) return;
    const comparison = compareDecisions(live, this.#candidate, request);
    counters.add("shadowed");
    counters.add("shadowDecisions", comparison.decisions);
    if (comparison.newError !== null && comparison.oldError === null) counters.add("shadowFailed");
    const { differences } = comparison;
    if (differences.length === 0) return;
    counters.add("shadowChanged");
    counters.add("shadowDecisionsChanged", differences.length);
    const allowed = this.#allowance(now);
    if (allowed === 0) return;
    const some = { ...comparison, differences: differences.slice(0, allowed) };
    const changes = explainDifferences(live, this.#candidate, request, some);
    this.#reports -= changes.length;
    const serving = live.bundle.shortDigest;
    const candidate = this.#candidate.bundle.shortDigest;
    report(changes.map((change) => Object.assign({ serving, candidate }, change)));
  }

  /** How many changes may be reported now. */
  #allowance(now: number): number {
    const earned = ((now - this.#refilledAt) / 1000) * REPORTS_PER_SECOND;
    this.#refilledAt = now;
    this.#reports = Math.min(REPORT_BURST, this.#reports + earned);
    return Math.floor(this.#reports);
  }
}
