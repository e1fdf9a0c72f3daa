/** How long to wait before a source that failed is asked again: longer with every failure, and never in step with other daemons. */

/** Wait after the first failure, in milliseconds; doubles with each further one. */
const FIRST = 100;

/** Longest wait in milliseconds: short enough that daemons have the newest version within two seconds of the source's return. */
const LONGEST = 1_500;

/** Longest wait that a source may ask for, in milliseconds. */
const LONGEST_ASKED = 300_000;

export class BackOff {
  #failures = 0;

  /** The next wait in milliseconds; `askedMs` is what the source asked for. */
  next(askedMs = 0): number {
    const wait = Math.min(LONGEST, FIRST * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    return Math.max(wait / 2 + jitter(wait / 2), Math.min(askedMs, LONGEST_ASKED) + jitter(wait / 2));
  }

  /** The source works again. */
  reset(): void {
    this.#failures = 0;
  }
}

/** Spreads a regular interval by a fifth, so that many daemons do not ask at once. */
export function spread(intervalMs: number): number {
  return intervalMs * 0.9 + jitter(intervalMs * 0.2);
}

function jitter(range: number): number {
  return Math.random() * range;
}
