/**
 * What the daemon serves at this moment: one engine, since when, and what happened at the last attempt to replace it.
 * Swapping the engine is one assignment, so every request is decided wholly by one version.
 */
import { DirectoryView, HEADER_WORDS } from "../directory/directory-view.ts";
import type { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import { ThreadCounters } from "./counters.ts";
import { log } from "./log.ts";

/** Why the newest policies are not the ones that serve. */
export interface ReloadFailure {
  /** RFC 3339. */
  readonly at: string;
  /** Stable; that of the error class. */
  readonly code: string;
  readonly message: string;
  /** How many diagnostics the compiler reported; 0 when it was not the policies' fault. */
  readonly diagnostics: number;
}

/** What decides at a moment. */
export interface Ruling {
  readonly engine: Engine;
  /** Why everything is denied (a value of `Edict-Deny-Reason`); null when the policies decide. */
  readonly denial: string | null;
}

export class ServingState {
  #engine: Engine;
  #since: Date;
  #lastFailure: ReloadFailure | null = null;
  #degraded: readonly string[] = [];
  #denial: string | null = null;
  #signer: string | null = null;
  #swaps = 0;
  readonly #failures = new Map<string, number>();
  readonly #traps: Int32Array;
  readonly #shed: Int32Array;
  readonly #thread: number;
  /** What this thread counts. */
  readonly counters: ThreadCounters;
  /** What is known of subjects and resources, as this thread reads it. */
  #directory = new DirectoryView(new SharedArrayBuffer(4 * HEADER_WORDS));
  readonly #listeners: ((engine: Engine) => void)[] = [];
  /** Set once the daemon has been told to stop. */
  draining = false;

  /** `traps`, `shed` and `counters` count by serving thread and may be shared; `thread` is the index of this one. */
  constructor(
    engine: Engine,
    traps: Int32Array = new Int32Array(1),
    thread = 0,
    shed: Int32Array = new Int32Array(traps.length),
    counters?: Float64Array,
    signer: string | null = null,
  ) {
    this.#shed = shed;
    this.counters = new ThreadCounters(counters, thread);
    engine.observer = this.counters;
    this.#engine = engine;
    this.#signer = signer;
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

  get ruling(): Ruling {
    return { engine: this.engine, denial: this.#denial };
  }

  /** Whether what was decided by `ruling` may still be answered: the same version serves, and a denial neither began nor ended. */
  holds({ engine, denial }: Ruling): boolean {
    return this.engine === engine && this.#denial === denial;
  }

  get directory(): DirectoryView {
    return this.#directory;
  }

  /** Has this engine, and every one that follows, look up subjects and resources in `directory`. */
  useDirectory(directory: DirectoryView): void {
    this.#directory = directory;
    this.#engine.entities = directory;
  }

  /** Id of the key that signed what serves; null when signatures are not asked for. On the first thread only. */
  get signer(): string | null {
    return this.#signer;
  }

  /** When this engine started to serve. */
  get since(): Date {
    return this.#since;
  }

  /** How often another version came to serve, and how often one did not, by the code of the reason. On the first thread only. */
  get swaps(): number {
    return this.#swaps;
  }

  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  get lastFailure(): ReloadFailure | null {
    return this.#lastFailure;
  }

  /** Makes a prepared engine the one that serves, and forgets the last failure. `signer` is the id of the key that signed its bundle. */
  swap(engine: Engine, signer: string | null = null): void {
    // What was decided by the old one but not answered is decided again, so it counts for the new one.
    this.#engine.observer = null;
    engine.denies = this.#denial !== null;
    engine.observer = this.counters;
    engine.entities = this.#directory;
    this.#engine = engine;
    this.#signer = signer;
    this.#since = new Date();
    this.#lastFailure = null;
    this.#swaps++;
    this.#tell();
  }

  /** Notes that a reload brought nothing new, so the last failure is mended. */
  confirm(): void {
    this.#lastFailure = null;
  }

  fail(message: string, diagnostics: number, code = "EDICT_UNEXPECTED"): void {
    this.#lastFailure = { at: new Date().toISOString(), code, message, diagnostics };
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  /** Why fewer threads serve than should, one line per reason; empty when all do. */
  get degraded(): readonly string[] {
    return this.#degraded;
  }

  degrade(reasons: readonly string[]): void {
    this.#degraded = reasons;
  }

  /** Why everything is denied (a value of `Edict-Deny-Reason`); null when the policies decide. */
  get denial(): string | null {
    return this.#denial;
  }

  /** Denies everything from now on, for a reason, or (null) has the policies decide again. */
  deny(reason: string | null): void {
    if (reason === this.#denial) return;
    this.#denial = reason;
    this.#engine.denies = reason !== null;
    this.#tell();
  }

  /** Takes over what another thread knows about the last reload. */
  adopt(failure: ReloadFailure | null): void {
    this.#lastFailure = failure;
  }

  /** Calls `listener` now, after every swap, and when `denial` has changed. */
  onEngine(listener: (engine: Engine) => void): void {
    this.#listeners.push(listener);
    listener(this.#engine);
  }

  /** What serves has changed already, on all threads: one listener that fails must not keep it from the others, nor undo it halfway. */
  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener(this.#engine);
      } catch (error) {
        log(`a part of the daemon did not take in what serves now: ${oneLine(error)}`);
      }
    }
  }
}

/** Counters wrap at 2^32. */
function sumOf(counters: Int32Array): number {
  let sum = 0;
  for (let index = 0; index < counters.length; index++) sum += Atomics.load(counters, index) >>> 0;
  return sum;
}
