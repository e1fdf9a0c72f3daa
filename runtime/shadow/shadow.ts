/**
 * The shadow: a candidate from a source of its own that decides a share of the live requests on every serving thread, without
 * answering any. This file says which candidate, on which threads, and what has come of it; deciding is shadow-tap.ts. A candidate
 * passes the same tests as a version that serves, except that its sequence may be older. Whatever fails leaves the requests alone.
 */
import { type AcceptedBundle, type Acceptance, prepareBundle } from "../bundle/accept.ts";
import { EdictError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { type SlotName, sumOfCounters } from "../observe/counters.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import type { BundleSource } from "../source/source.ts";
import type { ServingThreads } from "../threads/serving-threads.ts";
import type { ShadowChange } from "./decision-change.ts";
import { ShadowTap } from "./shadow-tap.ts";

/** What can be configured about a shadow. */
export interface ShadowSettings {
  /** Share of the requests, above 0 and up to 1. */
  readonly sample: number;
  /** File to which changes are appended, one JSON line each; null for standard error. */
  readonly report: string | null;
}

export interface ShadowParts {
  readonly source: BundleSource;
  readonly sample: number;
  readonly state: ServingState;
  readonly threads: Pick<ServingThreads, "shadow" | "onChanges">;
  readonly acceptance: Acceptance;
  /** Takes the changes that are found. */
  readonly report: (changes: readonly ShadowChange[]) => void;
}

export interface ShadowStatus {
  /** Where the candidate comes from. */
  readonly source: string;
  readonly sample: number;
  /** Null while there is no candidate. */
  readonly digest: string | null;
  readonly sequence: number | null;
  /** Why there is none, or not the newest one. */
  readonly problem: string | null;
  /** Requests and decisions since the candidate began, over all threads. */
  readonly requests: {
    readonly compared: number;
    readonly changed: number;
    readonly dropped: number;
    readonly failed: number;
  };
  readonly decisions: { readonly compared: number; readonly changed: number };
}

const COUNTED = [
  "shadowed",
  "shadowChanged",
  "shadowDropped",
  "shadowFailed",
  "shadowDecisions",
  "shadowDecisionsChanged",
] as const satisfies readonly SlotName[];

export class Shadow {
  readonly #parts: ShadowParts;
  readonly #abort = new AbortController();
  #candidate: AcceptedBundle | null = null;
  #problem: string | null = null;
  #tap: ShadowTap | null = null;
  /** What the counters were when the candidate began, and when it ended; null while it goes on. */
  #before: ReadonlyMap<SlotName, number> = new Map();
  #until: ReadonlyMap<SlotName, number> | null = null;
  /** Putting a candidate in place of another, and ending one. */
  readonly #installing = new OneAtATime();
  #running: Promise<void> | null = null;
  #again = false;
  #unwatch: () => void = () => undefined;

  constructor(parts: ShadowParts) {
    this.#parts = parts;
    parts.threads.onChanges = parts.report;
  }

  /** The version that is compared; null while there is none. */
  get candidate(): AcceptedBundle | null {
    return this.#candidate;
  }

  get status(): ShadowStatus {
    const counted = this.#until ?? this.#counts();
    const count = (name: (typeof COUNTED)[number]): number =>
      (counted.get(name) ?? 0) - (this.#before.get(name) ?? 0);
    return {
      source: this.#parts.source.name,
      sample: this.#parts.sample,
      digest: this.#candidate?.bundle.digest ?? null,
      sequence: this.#candidate?.bundle.manifest.sequence ?? null,
      problem: this.#problem,
      requests: {
        compared: count("shadowed"),
        changed: count("shadowChanged"),
        dropped: count("shadowDropped"),
        failed: count("shadowFailed"),
      },
      decisions: { compared: count("shadowDecisions"), changed: count("shadowDecisionsChanged") },
    };
  }

  /** Fetches the candidate and follows its source. Resolves when the first attempt is over, well or not. */
  async start(): Promise<void> {
    this.#unwatch = this.#parts.source.watch(() => void this.refresh());
    await this.refresh();
  }

  /** Asks the source again. Never rejects. */
  refresh(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Ends deciding by `candidate` until the source has another one; does nothing when it has one already. */
  clear(candidate: AcceptedBundle): Promise<void> {
    return this.#installing.run(async () => {
      if (this.#candidate?.bundle.digest !== candidate.bundle.digest) return;
      this.#end();
      this.#candidate = null;
      await this.#parts.threads.shadow(null, 0);
    });
  }

  close(): void {
    this.#unwatch();
    this.#abort.abort();
    this.#end();
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#abort.signal.aborted) {
        this.#again = false;
        try {
          await this.#fetch();
        } catch (error) {
          if (this.#abort.signal.aborted) return;
          const message = error instanceof EdictError ? error.message : oneLine(error);
          // Once is enough for a source that keeps failing in the same way.
          if (message !== this.#problem) log(`the shadow is not in use: ${message}`);
          this.#problem = message;
        }
      }
    } finally {
      // In the same turn as the last look at `#again`: what is asked for from now on is not for this run.
      this.#running = null;
    }
  }

  async #fetch(): Promise<void> {
    const { source, acceptance } = this.#parts;
    const fetched = await source.fetch(this.#abort.signal);
    if (fetched === "unchanged") {
      if (this.#candidate !== null) this.#problem = null;
      return;
    }
    try {
      const candidate = await prepareBundle(fetched.bytes, { ...acceptance, mayRollBackTo: () => true });
      await this.#installing.run(() => this.#begin(candidate));
    } catch (error) {
      // The bytes are tried again the next time, since it may have been a thread's fault.
      source.forget();
      throw error;
    }
  }

  /** Has every thread decide by `candidate` in place of the one before. When it rejects, none decides by any. */
  async #begin(candidate: AcceptedBundle): Promise<void> {
    const { threads, state, sample } = this.#parts;
    // The other threads go over one after the other; what they count meanwhile is not to be taken for the one before.
    this.#end();
    try {
      await threads.shadow(candidate.engine, sample);
    } catch (error) {
      this.#candidate = null;
      throw error;
    }
    if (this.#abort.signal.aborted) return;
    this.#before = this.#counts();
    this.#until = null;
    this.#tap = ShadowTap.begin(candidate.engine, state, sample, this.#parts.report);
    this.#candidate = candidate;
    this.#problem = null;
    log(`bundle ${candidate.bundle.shortDigest} decides ${sample * 100} % of the requests as a shadow`);
  }

  /** Nothing counts for the candidate any more, and this thread no longer decides by it. */
  #end(): void {
    this.#tap?.close();
    this.#tap = null;
    this.#until ??= this.#counts();
  }

  #counts(): ReadonlyMap<SlotName, number> {
    const { all } = this.#parts.state.counters;
    return new Map(COUNTED.map((name) => [name, sumOfCounters(all, name)]));
  }
}
