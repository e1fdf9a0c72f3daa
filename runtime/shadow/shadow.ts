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
import type { BundleSource } from "../source/source.ts";
import type { ServingThreads } from "../threads/serving-threads.ts";
import type { DecisionChange } from "./decision-change.ts";
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
  readonly threads: ServingThreads;
  readonly acceptance: Acceptance;
  /** Takes the changes that are found. */
  readonly report: (changes: readonly DecisionChange[], shadow: Shadow) => void;
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
  /** What the counters were when the candidate began. */
  #before: ReadonlyMap<SlotName, number> = new Map();
  #running: Promise<void> | null = null;
  #again = false;
  #unwatch: () => void = () => undefined;

  constructor(parts: ShadowParts) {
    this.#parts = parts;
    parts.threads.onChanges = (changes) => this.#report(changes);
  }

  /** The version that is compared; null while there is none. */
  get candidate(): AcceptedBundle | null {
    return this.#candidate;
  }

  get status(): ShadowStatus {
    const count = (name: (typeof COUNTED)[number]): number =>
      this.#count(name) - (this.#before.get(name) ?? 0);
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

  /** Ends deciding beside the version that serves until the source has another candidate. */
  async clear(): Promise<void> {
    this.#candidate = null;
    this.#parts.state.counters.tap = null;
    await this.#parts.threads.shadow(null, 0);
  }

  close(): void {
    this.#unwatch();
    this.#abort.abort();
    this.#parts.state.counters.tap = null;
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
    const { source, acceptance, threads, state, sample } = this.#parts;
    const fetched = await source.fetch(this.#abort.signal);
    if (fetched === "unchanged") {
      if (this.#candidate !== null) this.#problem = null;
      return;
    }
    try {
      const candidate = await prepareBundle(fetched.bytes, { ...acceptance, mayRollBackTo: () => true });
      await threads.shadow(candidate.engine, sample);
      this.#before = new Map(COUNTED.map((name) => [name, this.#count(name)]));
      state.counters.tap = new ShadowTap(candidate.engine, () => state.engine, {
        counters: state.counters,
        sample,
        report: (changes) => this.#report(changes),
      });
      this.#candidate = candidate;
      this.#problem = null;
      log(`bundle ${candidate.bundle.shortDigest} decides ${sample * 100} % of the requests as a shadow`);
    } catch (error) {
      // The bytes are tried again the next time, since it may have been a thread's fault.
      source.forget();
      throw error;
    }
  }

  #report(changes: readonly DecisionChange[]): void {
    this.#parts.report(changes, this);
  }

  #count(name: SlotName): number {
    return sumOfCounters(this.#parts.state.counters.all, name);
  }
}
