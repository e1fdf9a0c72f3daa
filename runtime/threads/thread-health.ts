/**
 * How well the serving threads are: which of them are down, how often they failed lately, and how long to wait before another try.
 * Knows nothing of workers; time is passed in.
 */

/** How failing threads are dealt with; times in milliseconds. */
export interface ThreadPatience {
  /** How long a thread may take to start; it takes tens. */
  readonly startMs: number;
  /** How long it may take to prepare a version; it takes tens, but thousands where its batch workers hardly get to run. */
  readonly answerMs: number;
  /** The wait before a thread is started again; doubled for each further failure. */
  readonly backOffMs: number;
  /** Failures of one thread in a row after which the daemon gives up. */
  readonly failures: number;
  /** A thread that has served this long has no failures behind it. */
  readonly stableMs: number;
}

export const DEFAULT_PATIENCE: ThreadPatience = {
  startMs: 60_000,
  answerMs: 60_000,
  backOffMs: 100,
  failures: 6,
  stableMs: 60_000,
};

const MAX_BACK_OFF = 10_000;

interface Trouble {
  failures: number;
  /** Since when it serves again. */
  since: number;
  /** For health; null while it serves. */
  reason: string | null;
}

export class ThreadHealth {
  readonly #patience: ThreadPatience;
  readonly #troubles = new Map<number, Trouble>();
  /** Threads that owe an answer, with when they were asked in vain. */
  readonly #silent = new Set<number>();

  constructor(patience: ThreadPatience) {
    this.#patience = patience;
  }

  /** Why threads do not serve, one line each. */
  get reasons(): readonly string[] {
    const down = [...this.#troubles.values()].flatMap(({ reason }) => (reason === null ? [] : [reason]));
    return [...down, ...[...this.#silent].map((index) => `serving thread ${index} does not answer`)];
  }

  /** Notes a failure at `now`; returns how long to wait before the thread is started again, null for never. */
  failed(index: number, reason: string, now: number): number | null {
    const before = this.#troubles.get(index);
    const isLate = before?.reason === null && now - before.since >= this.#patience.stableMs;
    const failures = before === undefined || isLate ? 1 : before.failures + 1;
    this.#silent.delete(index);
    this.#troubles.set(index, { failures, since: now, reason });
    if (failures >= this.#patience.failures) return null;
    return Math.min(MAX_BACK_OFF, this.#patience.backOffMs * 2 ** (failures - 1));
  }

  /** The thread serves again. */
  serves(index: number, now: number): void {
    const trouble = this.#troubles.get(index);
    if (trouble === undefined) return;
    trouble.reason = null;
    trouble.since = now;
  }

  /** The thread was asked and did not answer. */
  silent(index: number): void {
    this.#silent.add(index);
  }

  /** The thread has said something; true when that is news. */
  heard(index: number): boolean {
    return this.#silent.delete(index);
  }
}
