/**
 * How long it has been unconfirmed that what serves is the newest version, and what follows from that: after `staleAfter` health says
 * so, after `failClosedAfter` everything is denied. It goes by a clock that nobody can set, so moving the system's clock changes nothing.
 * A source confirms by giving the version that serves, by saying that it has nothing newer, or by giving one that is then served;
 * answers that are refused confirm nothing.
 */

export interface FreshnessLimits {
  /** Milliseconds; null for never. */
  readonly staleAfterMs: number | null;
  readonly failClosedAfterMs: number | null;
}

export type FreshnessState = "fresh" | "stale" | "expired";

/** setTimeout takes no more than this many milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

export class Freshness {
  /** Called when the state has changed. */
  onChange: (state: FreshnessState) => void = () => undefined;
  /** Called for every confirmation. */
  onConfirm: () => void = () => undefined;
  readonly #limits: FreshnessLimits;
  readonly #clock: () => number;
  #confirmed: number;
  #state: FreshnessState = "fresh";
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `clock` gives milliseconds that never go back. */
  constructor(limits: FreshnessLimits, clock: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#clock = clock;
    this.#confirmed = clock();
  }

  get state(): FreshnessState {
    return this.#state;
  }

  /** Milliseconds since the last confirmation. */
  get ageMs(): number {
    return this.#clock() - this.#confirmed;
  }

  /** What serves is the newest version, as of `ageMs` ago. */
  confirm(ageMs = 0): void {
    this.#confirmed = this.#clock() - ageMs;
    if (ageMs === 0) this.onConfirm();
    this.#update();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #update(): void {
    if (this.#closed) return;
    const { staleAfterMs, failClosedAfterMs } = this.#limits;
    const age = this.ageMs;
    const isPast = (limit: number | null): boolean => limit !== null && age >= limit;
    const before = this.#state;
    if (isPast(failClosedAfterMs)) this.#state = "expired";
    else this.#state = isPast(staleAfterMs) ? "stale" : "fresh";
    if (this.#timer !== null) clearTimeout(this.#timer);
    const ahead = [staleAfterMs, failClosedAfterMs].filter((limit) => limit !== null && limit > age);
    if (ahead.length > 0) {
      // A millisecond late rather than early, so that one look is enough.
      const wait = Math.min(...ahead.map(Number)) - age + 1;
      this.#timer = setTimeout(() => this.#update(), Math.min(wait, LONGEST_TIMER));
      this.#timer.unref();
    }
    if (this.#state !== before) this.onChange(this.#state);
  }
}
