/**
 * Decides large requests off the serving thread: one pool of workers per serving thread, started when the first large request
 * comes. It bounds how many there are and how long one takes, hands every worker the version that serves, and sees to it
 * that no answer is by a version that serves no more, nor by a denial that has come or gone meanwhile. How a request is divided and
 * joined is in division.ts.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import type { Config } from "../config/config.ts";
import { EngineError, ServeError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import { type CompiledBundle, oneLine } from "../guest/modules.ts";
import { BATCHES_OVERLOADED } from "../http/replies.ts";
import { throttledLog } from "../observe/log.ts";
import type { Ruling, ServingState } from "../observe/serving-state.ts";
import { CrossingPoint } from "./crossing-point.ts";
import { decideLarge, type LargeAnswer, type LargeRequest, wholeTask } from "./division.ts";
import type { BatchWorkerData, PartResult, PartTask, Prepared, PrepareTask } from "./messages.ts";
import type { SharedMemory } from "./shared-memory.ts";
import { bundleForWorkers } from "./worker-bundle.ts";

/** Large requests that are decided or wait to be, at most; a further one is refused. */
const MAX_REQUESTS = 64;

/** How often a request is decided at most, when what it was decided by holds no more: the version, or the reason to deny everything. */
const MAX_ROUNDS = 3;

/** How long a request may take in all, in milliseconds. The guest's own budgets end it long before. */
const DEADLINE = 30_000;

/**
 * How long the workers may take to make a version ready, in milliseconds: a large request may have to end first, and they get little of
 * a processor that the serving threads use up. Less than what a thread has for all of it (runtime/threads/thread-health.ts).
 */
const PREPARE_DEADLINE = 50_000;

/** Milliseconds between two looks for the workers that have not got it yet. */
const PREPARE_INTERVAL = 20;

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

/** An answer; one that was decided says by what. */
export type PoolAnswer =
  | (Extract<LargeAnswer, { readonly kind: "decided" }> & Ruling)
  | Extract<LargeAnswer, { readonly kind: "refused" }>;

const OVERLOADED: PoolAnswer = { kind: "refused", reply: BATCHES_OVERLOADED };

type Pool = Piscina<PartTask | PrepareTask, PartResult | Prepared>;

export class BatchPool {
  readonly #settings: BatchSettings;
  readonly #state: ServingState;
  readonly #crossing: CrossingPoint;
  readonly #log = throttledLog(1000);
  #pool: Pool | null = null;
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

  /**
   * Makes `engine`'s version ready on every worker that runs; the ones that start later get it with their first task. Rejects when one
   * of them cannot start it, or does not answer in time.
   */
  async prepare(engine: Engine): Promise<void> {
    const pool = this.#pool;
    if (pool === null) return;
    const compiled = bundleForWorkers(engine.compiled);
    const task: PrepareTask = { prepare: compiled, serving: this.#state.engine.bundle.digest };
    const signal = AbortSignal.timeout(PREPARE_DEADLINE);
    const ready = new Set<number>();
    const missing = (): number => pool.threads.filter(({ threadId }) => !ready.has(threadId)).length;
    // Nobody can say which worker runs a task, so there is one for each until all have had one. Fewer would not do, even when fewer
    // workers lack the version: of those that have nothing to do, the pool always takes the same one first.
    while (missing() > 0) {
      const tasks = pool.threads.map(() => this.#prepareOne(pool, task, signal));
      for (const { thread } of await Promise.all(tasks)) ready.add(thread);
      if (missing() > 0) await sleep(PREPARE_INTERVAL);
    }
    this.#bundle = { engine, compiled };
  }

  async #prepareOne(pool: Pool, task: PrepareTask, signal: AbortSignal): Promise<Prepared> {
    try {
      return (await pool.run(task, { signal })) as Prepared;
    } catch (error) {
      const reason = signal.aborted ? "it did not answer in time" : oneLine(error);
      throw new EngineError("EDICT_ENGINE_START", `a batch worker is not ready for it: ${reason}`, {
        cause: error,
      });
    }
  }

  /** Ends the workers; what they are deciding is refused. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }

  /**
   * Decides a large request. `use` is called with the answer while what has decided it still holds, and must write its head at once, before
   * anything asks the serving state for its engine: that may already be another version's. Rejects with `TokenError` or
   * `TokenOverloadError`, or with what `use` throws.
   */
  async decide(
    request: LargeRequest,
    use: (answer: PoolAnswer) => void = () => undefined,
  ): Promise<PoolAnswer> {
    if (this.full) {
      this.#state.noteShed();
      // INVARIANT: `use` is never called before this has returned: who asks may be in the middle of something, as a stream's message is.
      await Promise.resolve();
      use(OVERLOADED);
      return OVERLOADED;
    }
    this.#requests++;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), DEADLINE);
    try {
      return await this.#decideByServing(request, use, abort.signal);
    } finally {
      clearTimeout(timer);
      this.#requests--;
    }
  }

  /**
   * Once one thread has answered by a new version, none answers by the old one, and once everything is denied nothing is allowed: what was
   * decided otherwise is decided again.
   */
  async #decideByServing(
    request: LargeRequest,
    use: (answer: PoolAnswer) => void,
    signal: AbortSignal,
  ): Promise<PoolAnswer> {
    const parts = Math.min(
      this.#settings.workers,
      Math.floor(request.bytes.byteLength / this.#crossing.bytes),
    );
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { ruling } = this.#state;
      const { engine } = ruling;
      // All tasks of a round alike, also those that have waited for tokens: a denial that came and went meanwhile would not be seen below.
      const denies = ruling.denial !== null;
      const answer = await decideLarge(request, engine, parts, {
        memory: this.#settings.memory,
        run: (task) => this.#run(engine, { ...task, denies }, signal),
        failed: (message) => this.#log(message),
        trapped: () => this.#state.noteTrap(),
      });
      if (answer.kind === "refused") {
        this.#count(answer);
        use(answer);
        return answer;
      }
      if (this.#state.holds(ruling)) {
        const decided = { ...answer, ...ruling };
        this.#count(decided);
        use(decided);
        return decided;
      }
      answer.release();
    }
    use(OVERLOADED);
    return OVERLOADED;
  }

  #count(answer: PoolAnswer): void {
    const { counters } = this.#state;
    if (answer.kind === "refused") {
      counters.add(answer.reply.status.startsWith("4") ? "invalid" : "failed");
      return;
    }
    const { denied, denial, figures } = answer;
    counters.add(denied || denial !== null ? "failClosed" : "large");
    counters.add("decisions", figures.decisions);
    counters.add("allowed", figures.allowed);
    counters.add("conditionErrors", figures.conditionErrors);
  }

  /** Runs a task, once more with the version when the worker does not have it yet. */
  async #run(engine: Engine, task: PartTask, signal: AbortSignal): Promise<PartResult> {
    const isAlone = this.#tasks === 0;
    const began = performance.now();
    this.#tasks++;
    try {
      const result = await this.#part(task, signal);
      if (result.kind === "unknown-version") {
        return await this.#part({ ...task, compiled: this.#bundleOf(engine) }, signal);
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

  async #part(task: PartTask, signal: AbortSignal): Promise<PartResult> {
    return (await this.#started().run(task, { signal })) as PartResult;
  }

  #bundleOf(engine: Engine): CompiledBundle {
    if (this.#bundle?.engine !== engine)
      this.#bundle = { engine, compiled: bundleForWorkers(engine.compiled) };
    return this.#bundle.compiled;
  }

  #started(): Pool {
    if (this.#pool !== null) return this.#pool;
    const { workers, engine, entry } = this.#settings;
    const workerData: BatchWorkerData = { engine };
    const pool = new Piscina<PartTask | PrepareTask, PartResult | Prepared>({
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
