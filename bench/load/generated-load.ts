/** What load-generator.ts reports, and how it is started. */
import type { LatencySummary } from "./latency-histogram.ts";
import { runGenerator } from "./processes.ts";

/** One second of a run, by when its requests were due. */
export interface LoadSecond {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly count: number;
  /** Microseconds. */
  readonly p99: number;
  readonly max: number;
}

export interface GeneratedLoad {
  /** Requests per second that were due; 0 in a closed loop. */
  readonly intendedRate: number;
  /** Answers per second. */
  readonly rate: number;
  /** Lost connections, answers other than 2xx, requests without an answer. */
  readonly failed: number;
  readonly latency: LatencySummary;
  /** By how much requests left late, 99th percentile in microseconds: what the generator itself adds. */
  readonly lagP99: number;
  readonly seconds: readonly LoadSecond[];
  /** How many answers had a body of which length. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** One run of load; the second before it, which warms up, is not counted. */
export interface GenerationPlan {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second; 0 for a closed loop. */
  readonly rate: number;
  /** Request file (http-requests.ts). */
  readonly requestFile: string;
}

export async function generateLoad(plan: GenerationPlan): Promise<GeneratedLoad> {
  const { port, connections, seconds, rate, requestFile } = plan;
  return runGenerator("load-generator.ts", [port, connections, seconds, rate, requestFile], seconds);
}
