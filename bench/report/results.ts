/** The shape of one run's results, as written to bench/results/<date>.json. */
import type { ThroughputResult } from "../load/throughput.ts";
import type { CompileResult } from "../micro/compile-time.ts";
import type { DecisionResult } from "../micro/decisions.ts";
import type { Machine } from "./machine.ts";

export interface BenchResults {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly compile: readonly CompileResult[];
  readonly inProcess: readonly DecisionResult[];
  readonly http: ThroughputResult;
}

/** Requests per second of one server and encoding; undefined when it was not measured. */
export function requestsPerSecond(
  http: ThroughputResult,
  server: string,
  encoding: string,
): number | undefined {
  return http.targets.find((target) => target.server === server && target.encoding === encoding)
    ?.requestsPerSecond;
}
