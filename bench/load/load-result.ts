/** What one burst of load gave; the shape that both load generators report. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Connection errors, timeouts and answers other than 2xx. */
  readonly failed: number;
  /** Latency as the closed loop saw it, in microseconds. Not free of coordinated omission: a hint, not a budget. */
  readonly p50: number;
  readonly p99: number;
}

/** One burst of load on one server. */
export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Request file (http-requests.ts). */
  readonly requestFile: string;
}

/** Requests per second. */
export function rate(result: LoadResult): number {
  return result.requests / result.seconds;
}
