/**
 * The serving state of a thread that follows the first one. A version is prepared here and serves from the moment at which the
 * shared epoch says so, which every thread looks at before every decision: once one thread has answered by the new
 * version, none answers by the old one.
 */
import type { Engine } from "../guest/engine.ts";
import { ServingState } from "../observe/serving-state.ts";

export class FollowingState extends ServingState {
  readonly #epoch: Int32Array;
  #current: number;
  #prepared: { readonly epoch: number; readonly engine: Engine } | null = null;
  /** Versions up to this one are not wanted any more. */
  #abandoned = 0;

  /** `epoch` is shared; `engine` is the version of its value at this moment. */
  constructor(
    engine: Engine,
    epoch: Int32Array,
    traps: Int32Array,
    thread: number,
    shed?: Int32Array,
    counters?: Float64Array,
  ) {
    super(engine, traps, thread, shed, counters);
    this.#epoch = epoch;
    this.#current = Atomics.load(epoch, 0);
  }

  override get engine(): Engine {
    if (Atomics.load(this.#epoch, 0) !== this.#current) this.#flip();
    return super.engine;
  }

  /** Keeps `engine` ready for `epoch`. */
  prepare(epoch: number, engine: Engine): void {
    // Preparing takes turns of the event loop, so an abandoned attempt can end after it was, and after the one that followed it.
    if (epoch <= this.#abandoned || (this.#prepared !== null && this.#prepared.epoch > epoch)) return;
    this.#prepared = { epoch, engine };
  }

  abandon(epoch: number): void {
    this.#abandoned = epoch;
    if (this.#prepared !== null && this.#prepared.epoch <= epoch) this.#prepared = null;
  }

  #flip(): void {
    const epoch = Atomics.load(this.#epoch, 0);
    const prepared = this.#prepared;
    // INVARIANT: the first thread changes the epoch only after every thread has said that it is prepared for it.
    if (prepared?.epoch !== epoch) throw new Error(`version ${epoch} serves but is not prepared here`);
    this.#prepared = null;
    this.#current = epoch;
    this.swap(prepared.engine);
  }
}
