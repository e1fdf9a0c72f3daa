/**
 * What the daemon serves at this moment: one engine, since when, and what happened at the last attempt to replace it.
 * Swapping the engine is one assignment, so every request is decided wholly by one version.
 */
import type { Engine } from "../guest/engine.ts";

/** Why the newest policies are not the ones that serve. */
export interface ReloadFailure {
  /** RFC 3339. */
  readonly at: string;
  readonly message: string;
  /** How many diagnostics the compiler reported; 0 when it was not the policies' fault. */
  readonly diagnostics: number;
}

export class ServingState {
  #engine: Engine;
  #since: Date;
  #lastFailure: ReloadFailure | null = null;
  #degraded: readonly string[] = [];
  readonly #traps: Int32Array;
  readonly #shed: Int32Array;
  readonly #thread: number;
  readonly #listeners: ((engine: Engine) => void)[] = [];
  /** Set once the daemon has been told to stop. */
  draining = false;

  /** `traps` and `shed` count by serving thread and may be shared; `thread` is the index of this one. */
  constructor(
    engine: Engine,
    traps: Int32Array = new Int32Array(1),
    thread = 0,
    shed: Int32Array = new Int32Array(traps.length),
  ) {
    this.#shed = shed;
    this.#engine = engine;
    this.#since = new Date();
    this.#traps = traps;
    this.#thread = thread;
  }

  /** How many threads serve. */
  get threads(): number {
    return this.#traps.length;
  }

  /** How often a guest trapped while it served, on all threads. Anything but 0 is a bug in edict. */
  get traps(): number {
    return sumOf(this.#traps);
  }

  /** How many requests were refused because they arrived faster than they could be decided, on all threads. */
  get shed(): number {
    return sumOf(this.#shed);
  }

  noteShed(): void {
    Atomics.add(this.#shed, this.#thread, 1);
  }

  noteTrap(): void {
    Atomics.add(this.#traps, this.#thread, 1);
  }

  get engine(): Engine {
    return this.#engine;
  }

  /** When this engine started to serve. */
  get since(): Date {
    return this.#since;
  }

  get lastFailure(): ReloadFailure | null {
    return this.#lastFailure;
  }

  /** Makes a prepared engine the one that serves, and forgets the last failure. */
  swap(engine: Engine): void {
    this.#engine = engine;
    this.#since = new Date();
    this.#lastFailure = null;
    for (const listener of this.#listeners) listener(engine);
  }

  /** Notes that a reload brought nothing new, so the last failure is mended. */
  confirm(): void {
    this.#lastFailure = null;
  }

  fail(message: string, diagnostics: number): void {
    this.#lastFailure = { at: new Date().toISOString(), message, diagnostics };
  }

  /** Why fewer threads serve than should, one line per reason; empty when all do. */
  get degraded(): readonly string[] {
    return this.#degraded;
  }

  degrade(reasons: readonly string[]): void {
    this.#degraded = reasons;
  }

  /** Takes over what another thread knows about the last reload. */
  adopt(failure: ReloadFailure | null): void {
    this.#lastFailure = failure;
  }

  /** Calls `listener` now and after every swap. */
  onEngine(listener: (engine: Engine) => void): void {
    this.#listeners.push(listener);
    listener(this.#engine);
  }
}

/** Counters wrap at 2^32. */
function sumOf(counters: Int32Array): number {
  let sum = 0;
  for (let index = 0; index < counters.length; index++) sum += Atomics.load(counters, index) >>> 0;
  return sum;
}
