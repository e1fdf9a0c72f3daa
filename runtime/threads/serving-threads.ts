/**
 * The serving threads beside the first one. The kernel spreads connections over the sockets that all of them listen on with
 * SO_REUSEPORT; here is what they have in common: starting, swapping in two phases, draining, and failing. A thread that
 * fails is not replaced: the daemon ends, because clients of that thread would hang otherwise, and something starts it again.
 */
import { Worker } from "node:worker_threads";
import type { AuxDataOptions } from "../aux-data/options.ts";
import type { Config } from "../config/config.ts";
import { ServeError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import type { ServerOptions } from "../http/server.ts";
import { log } from "../observe/log.ts";
import type { ReloadFailure } from "../observe/serving-state.ts";
import type { FromThread, ThreadStart, ToThread } from "./messages.ts";

/** How long a thread may take to start or to prepare a version, in milliseconds; it takes tens. */
const PREPARE_TIMEOUT = 60_000;

/** How much longer than a drain its end may take to be told, in milliseconds. */
const DRAIN_MARGIN = 1_000;

export interface ThreadSettings {
  readonly engine: Config["engine"];
  readonly auxData: AuxDataOptions;
  /** Its addresses are those the first thread listens on, with their real ports. */
  readonly server: ServerOptions;
}

/** One wait for an answer of every thread. */
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
  /** Resolves with the reason when a thread serves no more without having been told to stop. */
  readonly failed: Promise<string>;
  readonly #epoch = new Int32Array(new SharedArrayBuffer(4));
  #attempt = 0;
  readonly #workers = new Map<number, Worker>();
  readonly #votes = new Set<Vote>();
  #fail: (reason: string) => void = () => undefined;
  #stopping = false;

  constructor(count: number) {
    this.count = count;
    this.traps = new Int32Array(new SharedArrayBuffer(4 * count));
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Starts all but the first thread; resolves when they decide. Throws `ServeError`; the ones that run are stopped then. */
  async start(engine: Engine, settings: ThreadSettings): Promise<void> {
    if (this.count === 1) return;
    const file = import.meta.url.endsWith(".ts") ? "./serving-thread.ts" : "./serving-thread.js";
    for (let index = 1; index < this.count; index++) {
      const data: ThreadStart = {
        index,
        epoch: this.#epoch,
        traps: this.traps,
        compiled: engine.compiled,
        ...settings,
      };
      const worker = new Worker(new URL(file, import.meta.url), { workerData: data });
      this.#workers.set(index, worker);
      worker.on("message", (message: FromThread) => this.#receive(index, message));
      worker.on("error", (error) => this.#end(index, error.message));
      worker.on("exit", (code) => this.#end(index, `it exited with ${code}`));
    }
    const problem = await this.#vote(({ kind }) => (kind === "ready" ? true : null), PREPARE_TIMEOUT);
    if (problem === null) return;
    await this.drain(0);
    throw new ServeError("EDICT_LISTEN", problem);
  }

  /**
   * First phase: every thread prepares the engine's version beside the one that serves. Throws `ServeError`, naming the
   * thread, when one cannot; then nothing has changed anywhere.
   */
  async prepare(engine: Engine): Promise<void> {
    if (this.#workers.size === 0) return;
    // Never a number of an earlier attempt, whose late answers must not count for this one.
    const epoch = ++this.#attempt;
    this.#tellAll({ kind: "prepare", epoch, compiled: engine.compiled });
    const problem = await this.#vote((message) => {
      if (message.kind === "refused" && message.epoch === epoch) return message.message;
      return message.kind === "prepared" && message.epoch === epoch ? true : null;
    }, PREPARE_TIMEOUT);
    if (problem === null) return;
    this.#tellAll({ kind: "abandon" });
    throw new ServeError("EDICT_THREAD", `the new version could not be prepared: ${problem}`);
  }

  /** Second phase: what was prepared serves, on all threads. The first thread swaps in the same turn. */
  flip(): void {
    if (this.#workers.size === 0) return;
    Atomics.store(this.#epoch, 0, this.#attempt);
    this.#tellAll({ kind: "flip" });
  }

  /** How the last reload went, for the health of all threads. */
  report(failure: ReloadFailure | null): void {
    this.#tellAll({ kind: "outcome", failure });
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

  #tellAll(message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  #receive(index: number, message: FromThread): void {
    if (message.kind === "failed") {
      this.#end(index, message.message);
      return;
    }
    for (const vote of this.#votes) {
      const answer = vote.counts(message);
      if (answer === null) continue;
      vote.missing.delete(index);
      if (answer !== true) vote.settle(`thread ${index}: ${answer}`);
      else if (vote.missing.size === 0) vote.settle(null);
    }
  }

  /** A thread serves no more. Its worker is kept: ending it while sockets are open would abort the process. */
  #end(index: number, reason: string): void {
    this.#workers.delete(index);
    const text = `serving thread ${index} failed: ${reason}`;
    for (const vote of this.#votes) {
      vote.missing.delete(index);
      if (!this.#stopping) vote.settle(text);
      else if (vote.missing.size === 0) vote.settle(null);
    }
    if (!this.#stopping) this.#fail(text);
  }

  /** Waits for all threads; resolves with what went wrong, or null. */
  #vote(counts: Vote["counts"], timeoutMs: number): Promise<string | null> {
    return new Promise((resolve) => {
      const missing = new Set(this.#workers.keys());
      const vote: Vote = {
        counts,
        missing,
        settle: (problem) => {
          clearTimeout(timer);
          this.#votes.delete(vote);
          resolve(problem);
        },
      };
      const timer = setTimeout(
        () => vote.settle(`thread ${[...missing].join(", ")} did not answer in time`),
        timeoutMs,
      );
      this.#votes.add(vote);
      if (missing.size === 0) vote.settle(null);
    });
  }
}
