/**
 * Rounds that the machine has not disturbed. A virtual machine can lose its processors to others for minutes, the more the longer it
 * has been busy. Linux counts what the host takes away as stolen; that a processor is slower because of what others do beside it, nothing counts, so
 * a fixed piece of work is timed before and after every round. A disturbed round is measured again after a rest, as
 * long as patience lasts; the figures then are of the least disturbed try.
 */
import { readFileSync } from "node:fs";

import { median } from "../report/statistics.ts";
import { percent } from "../report/table.ts";
import { pause } from "./processes.ts";

/** Shares lost, of the time that processes wanted and of the processor's speed, above which a round is measured again. */
const DISTURBED = 0.04;
const SLOW = 0.12;

/** Rests between tries of one round, in milliseconds: what was used up comes back slowly. */
const RESTS = [10_000, 20_000, 40_000, 60_000] as const;

/** What the measured rounds since the last `takeSteal` lost to others. */
export interface Steal {
  readonly rounds: number;
  /** Shares of the processor time that was wanted, 0 to 1: the median round and the worst. */
  readonly median: number;
  readonly worst: number;
  /** By how much the processor was slower than at its fastest in this run, 0 to 1; the same. Not in results of before it was measured. */
  readonly medianSlowness?: number;
  readonly worstSlowness?: number;
}

/** Processor time of all processors together since the system started, in a unit of the system's. */
export interface ProcessorTime {
  readonly busy: number;
  readonly stolen: number;
}

/** What a `Steadiness` goes by; all of it is replaced in tests. */
export interface SteadinessOptions {
  /** Milliseconds that a fixed piece of work takes now. */
  readonly probe: () => number;
  /** Undefined where it is not counted. */
  readonly read: () => ProcessorTime | undefined;
  readonly rest: (milliseconds: number) => Promise<void>;
  /** How long all rests together may take, in milliseconds. */
  readonly patienceMs: number;
  /** Is told why a round is measured again. */
  readonly say: (text: string) => void;
}

/** What a round lost to others. */
interface Loss {
  readonly stolen: number;
  readonly slowness: number;
}

export class Steadiness {
  readonly #options: SteadinessOptions;
  #fastest: number;
  #rested = 0;
  /** Whether rests were of no use to the last disturbed round: then the next ones are taken as they are until one is steady by itself. */
  #isHopeless = false;
  #losses: Loss[] = [];

  constructor(options: SteadinessOptions) {
    this.#options = options;
    this.#fastest = options.probe();
  }

  /** Milliseconds rested so far, those of a rest that has begun included. */
  get rested(): number {
    return this.#rested;
  }

  /** Measures once, or again after rests while the machine is disturbed; the result of the least disturbed try. */
  async round<T>(measure: () => Promise<T> | T): Promise<T> {
    const { patienceMs, say } = this.#options;
    let best = await this.#attempt(measure);
    for (const duration of this.#isHopeless ? [] : RESTS) {
      if (isSteady(best.loss)) break;
      if (this.#rested + duration > patienceMs) break;
      const { stolen, slowness } = best.loss;
      say(
        `  ${percent(stolen)} of the processor was taken away, the rest ${percent(slowness)} slower: again after ${duration / 1000} s`,
      );
      await this.rest(duration);
      const next = await this.#attempt(measure);
      if (next.loss.stolen + next.loss.slowness < best.loss.stolen + best.loss.slowness) best = next;
    }
    this.#isHopeless = !isSteady(best.loss);
    this.#losses.push(best.loss);
    return best.result;
  }

  /** Rests as long as patience lasts; whether it has. */
  async rest(milliseconds: number): Promise<boolean> {
    const { rest, patienceMs } = this.#options;
    if (this.#rested + milliseconds > patienceMs) return false;
    this.#rested += milliseconds;
    await rest(milliseconds);
    return true;
  }

  /** What the rounds since the last call lost; undefined when there were none. */
  takeSteal(): Steal | undefined {
    const losses = this.#losses;
    this.#losses = [];
    if (losses.length === 0) return undefined;
    const stolen = losses.map((loss) => loss.stolen);
    const slowness = losses.map((loss) => loss.slowness);
    return {
      rounds: losses.length,
      median: median(stolen),
      worst: Math.max(...stolen),
      medianSlowness: median(slowness),
      worstSlowness: Math.max(...slowness),
    };
  }

  async #attempt<T>(measure: () => Promise<T> | T): Promise<{ readonly result: T; readonly loss: Loss }> {
    const first = this.#options.probe();
    const before = this.#options.read();
    const result = await measure();
    const after = this.#options.read();
    const last = this.#options.probe();
    this.#fastest = Math.min(this.#fastest, first, last);
    const slowness = 1 - this.#fastest / Math.max(first, last);
    return { result, loss: { stolen: stolenShare(before, after) ?? 0, slowness } };
  }
}

function isSteady({ stolen, slowness }: Loss): boolean {
  return stolen <= DISTURBED && slowness <= SLOW;
}

/** Milliseconds for a loop of additions, the best of three: what one processor can do at this moment. */
function timeWork(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3; attempt++) {
    const began = performance.now();
    let sum = 0;
    for (let index = 0; index < 10_000_000; index++) sum = (sum + index * 7) | 0;
    // Never so: the loop has to have a result.
    if (sum === 0.5) throw new Error("unreachable");
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

/** Linux's counters: proc(5), `/proc/stat`. */
function systemTime(): ProcessorTime | undefined {
  try {
    const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = line
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return { busy: user + nice + system + irq + softirq, stolen };
  } catch {
    return undefined;
  }
}

function stolenShare(
  before: ProcessorTime | undefined,
  after: ProcessorTime | undefined,
): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  const stolen = after.stolen - before.stolen;
  const wanted = after.busy - before.busy + stolen;
  return wanted === 0 ? 0 : stolen / wanted;
}

/** How much the host has taken away at which time, while it is watched. */
export class StolenWatch {
  readonly #read: () => ProcessorTime | undefined;
  readonly #samples: { readonly at: number; readonly time: ProcessorTime }[] = [];
  readonly #timer: NodeJS.Timeout;

  /** Looks every 100 ms until it is stopped. */
  constructor(read: () => ProcessorTime | undefined = systemTime) {
    this.#read = read;
    this.#timer = setInterval(() => this.#look(), 100);
    this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /**
   * The share of the processor time that was wanted which the host took away, 0 to 1, between the looks around two times (milliseconds
   * since 1970); undefined where it is not counted.
   */
  between(from: number, to: number): number | undefined {
    const first = this.#samples.findLast(({ at }) => at <= from) ?? this.#samples[0];
    const last = this.#samples.find(({ at }) => at >= to) ?? this.#samples.at(-1);
    return stolenShare(first?.time, last?.time);
  }

  #look(): void {
    const time = this.#read();
    if (time !== undefined) this.#samples.push({ at: Date.now(), time });
  }
}

let ofThisRun: Steadiness | undefined;

function steadiness(patienceMs: number, say: (text: string) => void): Steadiness {
  return new Steadiness({ probe: timeWork, read: systemTime, rest: pause, patienceMs, say });
}

/** Begins a run. How long all its rests together may take, in milliseconds, and who is told of them. */
export function bePatient(patienceMs: number, say: (text: string) => void): void {
  ofThisRun = steadiness(patienceMs, say);
}

/** Milliseconds that the run has rested, which belong to no part's time. */
export function rested(): number {
  return ofThisRun?.rested ?? 0;
}

/** A round of the run: see `Steadiness.round`. */
export async function steadily<T>(measure: () => Promise<T> | T): Promise<T> {
  return ofThisRun === undefined ? measure() : ofThisRun.round(measure);
}

/** Measures all `targets`, one after the other, as one round: what is compared has had the same machine. Results in their order. */
export function steadyRound<T, R>(
  targets: readonly T[],
  measure: (target: T) => Promise<R>,
): Promise<readonly R[]> {
  return steadily(async () => {
    const results: R[] = [];
    for (const target of targets) results.push(await measure(target));
    return results;
  });
}

/** Rests as long as the run's patience lasts, for what the machine has used up to come back; whether it has. */
export async function restAWhile(milliseconds: number): Promise<boolean> {
  return ofThisRun === undefined ? false : ofThisRun.rest(milliseconds);
}

/** What the run's rounds since the last call lost. */
export function takeSteal(): Steal | undefined {
  return ofThisRun?.takeSteal();
}
