/**
 * The serving threads beside the first one. The kernel spreads connections over the sockets that all of them listen on with
 * SO_REUSEPORT; here is what they have in common: starting, swapping in two phases, draining, and failing. A thread that fails
 * is replaced while the others serve; when one keeps failing, `failed` says so. A thread that hangs cannot be ended from
 * outside without ending the process, so it is only reported.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { AuxDataOptions } from "../aux-data/options.ts";
import type { Config } from "../config/config.ts";
import type { Directory } from "../directory/directory.ts";
import { ServeError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import type { ServerOptions } from "../http/server.ts";
import { allocateCounters } from "../observe/counters.ts";
import { log } from "../observe/log.ts";
import type { ReloadFailure } from "../observe/serving-state.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import type { ShadowChange } from "../shadow/decision-change.ts";
import type { FromThread, ShadowOrder, ThreadStart, ToThread } from "./messages.ts";
import { bundleForThreads } from "./thread-bundle.ts";
import { DEFAULT_PATIENCE, ThreadHealth, type ThreadPatience } from "./thread-health.ts";

/** How much longer than a drain its end may take to be told, in milliseconds. */
const DRAIN_MARGIN = 1_000;

const ENTRY = new URL(
  import.meta.url.endsWith(".ts") ? "./serving-thread.ts" : "./serving-thread.js",
  import.meta.url,
);

export interface ThreadSettings {
  readonly engine: Config["engine"];
  readonly auxData: AuxDataOptions;
  /** Its addresses are those the first thread listens on, with their real ports. */
  readonly server: ServerOptions;
  /** Whether the delay of every thread's event loop is measured, for metrics. */
  readonly measuresDelay?: boolean;
  /** What every thread reads. */
  readonly directory?: Directory;
}

/** What tests change; no configuration does. */
export interface ThreadSeam {
  readonly patience?: ThreadPatience;
  /** The file that a thread runs. */
  readonly entry?: URL;
}

/** One wait for an answer of several threads. */
interface Vote {
  /** Whether a message answers it: a reason to fail, or true; null when it is about something else. */
  readonly counts: (message: FromThread) => true | string | null;
  readonly missing: Set<number>;
  readonly settle: (problem: string | null) => void;
}

export class ServingThreads {
  /** Serving threads, the first one included. */
  readonly count: number;
  /** Traps by thread; shared with all of them. */
  readonly traps: Int32Array;
  /** Requests refused for overload, by thread; shared too. */
  readonly shed: Int32Array;
  /** What observe/counters.ts counts; shared as well. */
  readonly counters: Float64Array;
  /** Resolves with the reason when a thread keeps failing. */
  readonly failed: Promise<string>;
  /** Called when `degraded` has changed. */
  onHealth: (degraded: readonly string[]) => void = () => undefined;
  /** Makes a version ready on the first thread, apart from its own engine. */
  prepareFirst: (engine: Engine) => Promise<void> = () => Promise.resolve();
  /** Called with decisions that the shadow's candidate would change, by any thread but the first. */
  onChanges: (changes: readonly ShadowChange[]) => void = () => undefined;
  readonly #epoch = new Int32Array(new SharedArrayBuffer(4));
  #attempt = 0;
  readonly #patience: ThreadPatience;
  readonly #entry: URL;
  readonly #health: ThreadHealth;
  readonly #workers = new Map<number, Worker>();
  readonly #votes = new Set<Vote>();
  #fail: (reason: string) => void = () => undefined;
  #settings: ThreadSettings | null = null;
  /** The version of the epoch, which a thread that starts later serves. */
  #engine: Engine | null = null;
  #failure: ReloadFailure | null = null;
  #denial: string | null = null;
  /** What else keeps the daemon from being well, one line each. */
  #notes: readonly string[] = [];
  #shadow: ShadowOrder | null = null;
  #shadowCount = 0;
  #started = false;
  #stopping = false;
  /** Starting threads and swapping versions, so that every thread knows every version that serves. */
  readonly #transitions = new OneAtATime();

  constructor(count: number, seam: ThreadSeam = {}) {
    this.count = count;
    this.#patience = seam.patience ?? DEFAULT_PATIENCE;
    this.#entry = seam.entry ?? ENTRY;
    this.#health = new ThreadHealth(this.#patience);
    this.traps = new Int32Array(new SharedArrayBuffer(4 * count));
    this.shed = new Int32Array(new SharedArrayBuffer(4 * count));
    this.counters = allocateCounters(count);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Why fewer threads serve than should, one line per thread. */
  get degraded(): readonly string[] {
    return [...this.#health.reasons, ...this.#notes];
  }

  /** Starts all but the first thread; resolves when they decide. Throws `ServeError`; the ones that run are stopped then. */
  async start(engine: Engine, settings: ThreadSettings): Promise<void> {
    if (this.count === 1) return;
    this.#engine = engine;
    this.#settings = settings;
    const indexes = Array.from({ length: this.count - 1 }, (_, index) => index + 1);
    for (const index of indexes) this.#launch(index);
    const problem = await this.#vote(isReady, this.#patience.startMs, indexes);
    this.#started = problem === null;
    if (problem === null) return;
    await this.drain(0);
    throw new ServeError("EDICT_LISTEN", problem);
  }

  /**
   * Makes `engine` the version that serves: every thread prepares it beside the old one, and when all have, it serves on all of them.
   * `apply` swaps the first thread, in the same turn. Throws `ServeError`, naming the thread, when one cannot prepare it or does
   * not answer in time; then nothing has changed anywhere.
   */
  async swap(engine: Engine, apply: () => void): Promise<void> {
    await this.#transitions.run(async () => {
      // Never a number of an earlier attempt, whose late answers must not count for this one.
      const epoch = ++this.#attempt;
      this.#tellAll({ kind: "prepare", epoch, compiled: bundleForThreads(engine.compiled) });
      const [problem, own] = await Promise.all([
        this.#vote((message) => {
          if (message.kind === "refused" && message.epoch === epoch) return message.message;
          return message.kind === "prepared" && message.epoch === epoch ? true : null;
        }, this.#patience.answerMs),
        this.prepareFirst(engine).then(() => null, oneLine),
      ]);
      const failed = problem ?? (own === null ? null : `thread 0: ${own}`);
      if (failed !== null) {
        this.#tellAll({ kind: "abandon", epoch });
        throw new ServeError("EDICT_THREAD", `the new version could not be prepared: ${failed}`);
      }
      this.#engine = engine;
      Atomics.store(this.#epoch, 0, epoch);
      this.#tellAll({ kind: "flip" });
      apply();
    });
  }

  /**
   * Has every thread but the first decide the share `sample` of its requests by `candidate` too, or stop doing so (null). Throws `ServeError`,
   * naming the thread, when one cannot; then none does.
   */
  async shadow(candidate: Engine | null, sample: number): Promise<void> {
    await this.#transitions.run(async () => {
      const id = ++this.#shadowCount;
      this.#shadow =
        candidate === null ? null : { id, compiled: bundleForThreads(candidate.compiled), sample };
      this.#tellAll({ kind: "shadow", order: this.#shadow });
      if (candidate === null) return;
      const problem = await this.#vote((message) => {
        if (message.kind === "shadow-refused" && message.id === id) return message.message;
        return message.kind === "shadowing" && message.id === id ? true : null;
      }, this.#patience.answerMs);
      if (problem === null) return;
      this.#shadow = null;
      this.#tellAll({ kind: "shadow", order: null });
      throw new ServeError("EDICT_THREAD", `the shadow could not be prepared: ${problem}`);
    });
  }

  /** Has every thread but the first deny everything, or (null) the policies decide again. */
  deny(reason: string | null): void {
    this.#denial = reason;
    this.#tellAll({ kind: "deny", reason });
  }

  /** Adds what is not about threads to the health of all of them, in place of what was added before. */
  note(reasons: readonly string[]): void {
    this.#notes = reasons;
    this.#tellHealth();
  }

  /** How the last reload went, for the health of all threads. */
  report(failure: ReloadFailure | null): void {
    this.#failure = failure;
    this.#tellAll({ kind: "outcome", failure, degraded: this.degraded });
  }

  /** Drains every thread but the first. Never rejects. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#workers.size === 0) return;
    this.#tellAll({ kind: "drain", timeoutMs });
    const problem = await this.#vote(
      ({ kind }) => (kind === "drained" ? true : null),
      timeoutMs + DRAIN_MARGIN,
    );
    if (problem !== null) log(`not all threads drained: ${problem}`);
  }

  /** Starts a thread; it says `ready` when it decides. */
  #launch(index: number): void {
    if (this.#settings === null || this.#engine === null) return;
    const { directory, ...settings } = this.#settings;
    const share = directory?.share() ?? null;
    const data: ThreadStart = {
      index,
      epoch: this.#epoch,
      traps: this.traps,
      shed: this.shed,
      counters: this.counters,
      shadow: this.#shadow,
      denial: this.#denial,
      compiled: bundleForThreads(this.#engine.compiled),
      ...settings,
      measuresDelay: settings.measuresDelay ?? false,
      directory: share,
    };
    const worker = new Worker(this.#entry, {
      workerData: data,
      transferList: share === null ? [] : [share.port],
    });
    this.#workers.set(index, worker);
    worker.on("message", (message: FromThread) => {
      if (this.#workers.get(index) === worker) this.#receive(index, message);
    });
    // Both come after `failed`, or without one: what counts is what was said first about this worker.
    const end = (reason: string): void => {
      if (this.#workers.get(index) === worker) this.#end(index, reason);
    };
    worker.on("error", (error) => end(error.message));
    worker.on("exit", (code) => end(`it exited with ${code}`));
  }

  /** Starts a thread in place of one that has failed, by the version that serves then. */
  async #replace(index: number, waitMs: number): Promise<void> {
    await sleep(waitMs, undefined, { ref: false });
    await this.#transitions.run(async () => {
      if (this.#stopping) return;
      this.#launch(index);
      const problem = await this.#vote(isReady, this.#patience.startMs, [index]);
      if (this.#stopping) return;
      if (problem === null) {
        this.#health.serves(index, performance.now());
        log(`serving thread ${index} serves again`);
      } else if (this.#workers.has(index)) {
        // It neither failed nor got ready; nothing can be done about it.
        this.#fail(`serving thread ${index} does not start: ${problem}`);
      }
    });
    this.#tellHealth();
  }

  #tellAll(message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  #tellHealth(): void {
    this.onHealth(this.degraded);
    this.report(this.#failure);
  }

  #receive(index: number, message: FromThread): void {
    if (message.kind === "failed") {
      this.#end(index, message.message);
      return;
    }
    if (message.kind === "changes") {
      this.onChanges(message.changes);
      return;
    }
    if (this.#health.heard(index)) this.#tellHealth();
    for (const vote of this.#votes) {
      const answer = vote.missing.has(index) ? vote.counts(message) : null;
      if (answer === null) continue;
      vote.missing.delete(index);
      if (answer !== true) vote.settle(`thread ${index}: ${answer}`);
      else if (vote.missing.size === 0) vote.settle(null);
    }
  }

  /** A thread serves no more. */
  #end(index: number, reason: string): void {
    this.#workers.delete(index);
    const text = `serving thread ${index} failed: ${reason}`;
    for (const vote of this.#votes) {
      if (!vote.missing.delete(index)) continue;
      if (!this.#stopping) vote.settle(text);
      else if (vote.missing.size === 0) vote.settle(null);
    }
    if (this.#stopping || !this.#started) return;
    const wait = this.#health.failed(index, text, performance.now());
    if (wait === null) {
      this.#fail(`${text}, ${this.#patience.failures} times in a row`);
      return;
    }
    log(`${text}; starting it again`);
    this.#tellHealth();
    void this.#replace(index, wait);
  }

  /** Waits for the threads `of`, all unless told; resolves with what went wrong, or null. */
  #vote(
    counts: Vote["counts"],
    timeoutMs: number,
    of: Iterable<number> = this.#workers.keys(),
  ): Promise<string | null> {
    return new Promise((resolve) => {
      const missing = new Set(of);
      const vote: Vote = {
        counts,
        missing,
        settle: (problem) => {
          clearTimeout(timer);
          this.#votes.delete(vote);
          resolve(problem);
        },
      };
      const timer = setTimeout(() => {
        for (const index of missing) this.#health.silent(index);
        vote.settle(`thread ${[...missing].join(", ")} did not answer in time`);
        this.#tellHealth();
      }, timeoutMs);
      this.#votes.add(vote);
      if (missing.size === 0) vote.settle(null);
    });
  }
}

function isReady({ kind }: FromThread): true | null {
  return kind === "ready" ? true : null;
}
