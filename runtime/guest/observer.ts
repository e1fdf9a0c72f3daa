/**
 * Who is told about every decision an engine makes while it serves: counting and sampling happen in this one place for HTTP,
 * the stream and requests that are gathered. It is called on the hot path, so it must neither throw nor allocate for a request
 * that it does not want.
 */

/** Figures of the request that was decided last, or of those that were decided together. */
export interface DecisionFigures {
  /** Pairs of a resource and an action, and those that came to ALLOW. */
  readonly decisions: number;
  readonly allowed: number;
  /** Conditions that ended in an error. */
  readonly conditionErrors: number;
}

export interface EngineObserver {
  /** Whether requests are wanted as bytes, one by one. */
  readonly samples: boolean;
  /**
   * A request was decided. `bytes` and `claims` are gone after the call; formats are FORMAT_*, `flags` FLAG_* (FLAG_DENY_ALL for
   * one that was denied without evaluating anything). The answer is not written yet.
   */
  decided(
    bytes: Uint8Array,
    inputFormat: number,
    flags: number,
    claims: Uint8Array,
    figures: DecisionFigures,
  ): void;
  /** As many `requests` were decided by evaluating policies; `figures` are sums over them. Only while nothing is sampled. */
  decidedMany(requests: number, figures: DecisionFigures): void;
  /** A request is about to be answered with an error because of `status` (see `Engine.decide`). */
  failed(status: number): void;
}
