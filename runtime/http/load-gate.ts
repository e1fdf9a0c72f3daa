/**
 * Which requests a serving thread sheds. A thread handles, in one turn of its event loop, whatever has arrived on all connections,
 * so the length of a turn is what requests wait for each other. Once a turn has lasted too long and the one after it does so too,
 * requests are refused, which is cheap, until the thread has caught up or a fifth of the time has gone into refusing: the
 * rest of the time it decides, whatever arrives. A turn that is long because the machine gave the process no time is not the
 * requests' doing, and refusing some would help nobody: it does not count. The gate also watches the memory of the process, of
 * which uWebSockets.js buffers unbounded amounts for clients that ask without reading (unsent.ts).
 *
 * A request costs a count and a comparison; the clock is read for one in sixteen, or for each when they take long.
 */
// The global of this name is a getter, called anew every time.
import { performance } from "node:perf_hooks";
import { unsent } from "./unsent.ts";

export interface OverloadOptions {
  /** How long, in milliseconds, a turn may take before requests are refused; 0 for any time. */
  readonly maxDelayMs: number;
  /** Bytes that unfinished requests and unread answers may take together, on all threads. */
  readonly maxBufferedBytes: number;
}

/** Milliseconds between looks at the event loop while requests arrive. */
const TICK = 50;

/** Requests between looks at the clock, unless they take longer than `SLOW` milliseconds together. */
const STRIDE = 16;
const SLOW = 1;

/** How much of the time may go into refusing, relative to that for deciding. */
const SHED_SHARE = 1 / 4;

/** A turn is taken for a long one only when the process ran for this share of it. */
const RUN_SHARE = 1 / 4;

/** How far beyond `maxBufferedBytes` memory may grow before idle streams are closed, and how often that is done. */
const EMERGENCY = 4;
const RELIEF_INTERVAL = 1000;

/** What else there is to watch memory for. */
export interface MemoryWatch {
  /** Whether memory can grow without requests. */
  isNeeded(): boolean;
  /** Called when it has grown far beyond what is allowed. */
  relieve(): void;
}

/** What a gate reads of the world. */
export interface GateClock {
  /** Milliseconds. */
  now(): number;
  /** Milliseconds of processor time that the process has used. */
  used(): number;
  /** Resident memory of the process in bytes. */
  memory(): number;
}

/**
 * The last answer of the system about memory; it gives none while the process has no file descriptor to read it through. Until the first
 * one it is the most that the process has had, which asks for none.
 */
let resident = process.resourceUsage().maxRSS * 1024;

const SYSTEM: GateClock = {
  now: () => performance.now(),
  used: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  memory: () => {
    try {
      resident = process.memoryUsage.rss();
    } catch {
      // A flood of connections takes all descriptors: no reason to stop, and what was known is near enough.
    }
    return resident;
  },
};

export class LoadGate {
  readonly #options: OverloadOptions;
  readonly #clock: GateClock;
  #credit = 0;
  #isShedding = false;
  /** Processor time of the process when the present turn began. */
  #usedBefore = 0;
  /** When the present turn is too long, or when shedding has lasted long enough. */
  #until = 0;
  #lastLook = 0;
  /** Whether the turn before this one was too long. */
  #wasLate = false;
  #timer: NodeJS.Timeout | null = null;
  /** When the next tick is due. */
  #due = 0;
  /** What was so at the last tick, to see whether anything has arrived since. */
  #creditAtTick = 0;
  #lookAtTick = 0;
  #memoryBefore: number;
  #watch: MemoryWatch | null = null;
  #relieved = 0;
  /** Turns of the event loop in which ticks ran; a measure of time. */
  turns = 0;

  constructor(options: OverloadOptions, clock: GateClock = SYSTEM) {
    this.#options = options;
    this.#clock = clock;
    this.#memoryBefore = clock.memory();
  }

  /** Whether a request that has just been read is decided; when not, it is to be answered with OVERLOADED. */
  admits(): boolean {
    return --this.#credit > 0 ? !this.#isShedding : this.#look();
  }

  /** As many requests were decided beside the one that was admitted. */
  note(requests: number): void {
    this.#credit -= requests;
  }

  /** What the process needs without any request has changed, as with another version of the policies. */
  rebase(): void {
    if (!unsent.isScarce) this.#memoryBefore = Math.max(this.#memoryBefore, this.#clock.memory());
  }

  watch(watch: MemoryWatch): void {
    this.#watch = watch;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): boolean {
    const now = this.#clock.now();
    if (this.#timer === null) this.#begin(now);
    this.#credit = now - this.#lastLook > SLOW ? 1 : STRIDE;
    this.#lastLook = now;
    const { maxDelayMs } = this.#options;
    if (now > this.#until && maxDelayMs > 0) {
      this.#isShedding = !this.#isShedding && this.#wasLate && this.#hasRun(now);
      this.#until = now + (this.#isShedding ? maxDelayMs * SHED_SHARE : maxDelayMs);
    }
    return !this.#isShedding;
  }

  /** A tick is run once a turn at most, before its requests. */
  #begin(now: number): void {
    this.#wasLate = false;
    this.#turn(now);
    this.#timer = setTimeout(() => this.#tick(), TICK);
    this.#timer.unref();
  }

  #turn(now: number): void {
    this.#isShedding = false;
    this.#usedBefore = this.#clock.used();
    this.#due = now + TICK;
    this.#until = now + TICK + this.#options.maxDelayMs;
    this.#creditAtTick = this.#credit;
    this.#lookAtTick = this.#lastLook;
  }

  #tick(): void {
    const now = this.#clock.now();
    this.turns++;
    const isNeeded = this.#watchMemory(now) || (this.#watch?.isNeeded() ?? false);
    if (this.#credit === this.#creditAtTick && this.#lastLook === this.#lookAtTick && !isNeeded) {
      // Nothing has arrived: the thread is left to sleep, and the next request begins anew.
      this.close();
      this.#credit = 0;
      return;
    }
    this.#wasLate = now - this.#due > this.#options.maxDelayMs && this.#hasRun(now);
    this.#turn(now);
    this.#timer?.refresh();
  }

  /** Whether the process has had its share of the present turn, and not the rest of the machine, or nobody. */
  #hasRun(now: number): boolean {
    const began = this.#due - TICK;
    return this.#clock.used() - this.#usedBefore >= (now - began) * RUN_SHARE;
  }

  /** Whether memory is scarce. */
  #watchMemory(now: number): boolean {
    const excess = this.#clock.memory() - this.#memoryBefore;
    unsent.isScarce = excess > this.#options.maxBufferedBytes;
    if (excess > this.#options.maxBufferedBytes * EMERGENCY && now - this.#relieved > RELIEF_INTERVAL) {
      this.#relieved = now;
      this.#watch?.relieve();
    }
    return unsent.isScarce;
  }
}
