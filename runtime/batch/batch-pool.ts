/**
 * Decides large requests off the serving thread: one pool of workers per serving thread, started when the first large request
 * comes. It bounds how many there are and how long one takes, hands every worker the version that serves, and sees to it
 * that no answer is by a version that serves no more. How a request is divided and joined is in division.ts.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import type { Config } from "../config/config.ts";
import { ServeError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import { type CompiledBundle, oneLine } from "../guest/modules.ts";
import { BATCHES_OVERLOADED } from "../http/replies.ts";
import { throttledLog } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { CrossingPoint } from "./crossing-point.ts";
import { decideLarge, type LargeAnswer, type LargeRequest, wholeTask } from "./division.ts";
import type { BatchWorkerData, PartResult, PartTask } from "./messages.ts";
import type { SharedMemory } from "./shared-memory.ts";
import { bundleForWorkers } from "./worker-bundle.ts";

/** Large requests that are decided or wait to be, at most; a further one is refused. */
const MAX_REQUESTS = 64;

/** How often a request is decided again because the version that decided it serves no more. */
const MAX_ROUNDS = 3;

/** How long a request may take in all, in milliseconds. The guest's own budgets end it long before. */
const DEADLINE = 30_000;

/** How much less urgent the workers are than the serving threads, where the system counts that by thread, as Linux does. */
const NICENESS = 10;

export interface BatchSettings {
  /** Workers of this serving thread; 0 decides large requests on the serving thread. */
  readonly workers: number;
  /** Requests of this many bytes go to a worker; 0 for what is measured. */
  readonly minBytes: number;
  readonly engine: Config["engine"];
  /** Where answers are kept until they are sent. */
  readonly memory: SharedMemory;
  /** Another file for the workers to run, for tests. */
  readonly entry?: string;
}

export class BatchPool {
  readonly #settings: BatchSettings;
  readonly #state: ServingState;
  readonly #crossing: CrossingPoint;
  readonly #log = throttledLog(1000);
  #pool: Piscina<PartTask, PartResult> | null = null;
  /** The version that was last given to a worker. */
  #bundle: { readonly engine: Engine; readonly compiled: CompiledBundle } | null = null;
  #requests = 0;
  #tasks = 0;

  constructor(state: ServingState, settings: BatchSettings) {
    this.#state = state;
    this.#settings = settings;
    this.#crossing = new CrossingPoint(settings.minBytes);
  }

  /** Requests of at least this many bytes belong here. */
  get minBytes(): number {
    return this.#settings.workers === 0 ? Number.POSITIVE_INFINITY : this.#crossing.bytes;
  }

  /** Whether a further request would be refused. */
  get full(): boolean {
    return this.#requests >= MAX_REQUESTS;
  }

  /** Starts the workers and gives them the version that serves, so that the first large request need not wait for that. */
  async start(): Promise<void> {
    const { engine } = this.#state;
    const request = new Uint8Array(new SharedArrayBuffer(1));
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const nothing = { bytes: request, input: FORMAT_JSON, output: FORMAT_JSON, cancelled };
    const task: PartTask = { ...wholeTask(nothing, engine, 0), compiled: this.#bundleOf(engine) };
    const { workers } = this.#settings;
    await Promise.allSettled(Array.from({ length: workers }, () => this.#started().run(task)));
  }

  /** Ends the workers; what they are deciding is refused. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }

  /** Decides a large request. Rejects with `TokenError` or `TokenOverloadError`, never with anything else. */
  async decide(request: LargeRequest): Promise<LargeAnswer> {
    if (this.full) {
      this.#state.noteShed();
      return { kind: "refused", reply: BATCHES_OVERLOADED };
    }
    this.#requests++;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), DEADLINE);
    try {
      return await this.#decideByServing(request, abort.signal);
    } finally {
      clearTimeout(timer);
      this.#requests--;
    }
  }

  /** Once one thread has answered by a new version, none answers by the old one: what that has decided is decided again. */
  async #decideByServing(request: LargeRequest, signal: AbortSignal): Promise<LargeAnswer> {
    const parts = Math.min(
      this.#settings.workers,
      Math.floor(request.bytes.byteLength / this.#crossing.bytes),
    );
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { engine } = this.#state;
      const answer = await decideLarge(request, engine, parts, {
        memory: this.#settings.memory,
        run: (task) => this.#run(engine, task, signal),
        failed: (message) => this.#log(message),
        trapped: () => this.#state.noteTrap(),
      });
      if (this.#state.engine === engine || answer.kind === "refused") return answer;
      answer.release();
    }
    return { kind: "refused", reply: BATCHES_OVERLOADED };
  }

  /** Runs a task, once more with the version when the worker does not have it yet. */
  async #run(engine: Engine, task: PartTask, signal: AbortSignal): Promise<PartResult> {
    const isAlone = this.#tasks === 0;
    const began = performance.now();
    this.#tasks++;
    try {
      const result = await this.#started().run(task, { signal });
      if (result.kind === "unknown-version") {
        return await this.#started().run({ ...task, compiled: this.#bundleOf(engine) }, { signal });
      }
      if (result.kind === "decided") {
        this.#crossing.noteDecided(result.size, result.micros);
        if (isAlone) this.#crossing.noteOverhead((performance.now() - began) * 1000 - result.micros);
      }
      return result;
    } finally {
      this.#tasks--;
    }
  }

  #bundleOf(engine: Engine): CompiledBundle {
    if (this.#bundle?.engine !== engine)
      this.#bundle = { engine, compiled: bundleForWorkers(engine.compiled) };
    return this.#bundle.compiled;
  }

  #started(): Piscina<PartTask, PartResult> {
    if (this.#pool !== null) return this.#pool;
    const { workers, engine, entry } = this.#settings;
    const workerData: BatchWorkerData = { engine };
    const pool = new Piscina<PartTask, PartResult>({
      filename: entry ?? workerFile(),
      minThreads: workers,
      maxThreads: workers,
      maxQueue: MAX_REQUESTS * workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      niceIncrement: NICENESS,
      workerData,
    });
    // A worker that dies without work is replaced by the pool; without a listener it would end the daemon.
    pool.on("error", (error) => this.#log(`a batch worker was lost: ${oneLine(error)}`));
    this.#pool = pool;
    return pool;
  }
}

/** The compiled worker, seen from `dist/runtime/batch/` or, in tests, from `runtime/batch/`. */
function workerFile(): string {
  for (const candidate of ["./batch-worker.js", "../../dist/runtime/batch/batch-worker.js"]) {
    const file = fileURLToPath(new URL(candidate, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new ServeError("EDICT_SERVER_UNAVAILABLE", "the workers are not built; run `npm run build`");
}
