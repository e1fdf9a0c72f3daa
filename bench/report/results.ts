/** The shape of one run's results, as written to bench/results/<date>.json. A part that was not run, or failed, is missing. */
import type { EditRow } from "../load/edit.ts";
import type { EvaluationsResult } from "../load/evaluations.ts";
import type { HugeBesideSmallResult } from "../load/huge-beside-small.ts";
import type { LatencyResult, SoakResult } from "../load/latency.ts";
import type { ScaleRow } from "../load/scale.ts";
import type { Steal } from "../load/steadiness.ts";
import type { StreamResult } from "../load/stream.ts";
import type { SwapResult } from "../load/swap.ts";
import type { ThroughputLoad, ThroughputResult } from "../load/throughput.ts";
import type { CompileResult } from "../micro/compile-time.ts";
import type { DecisionResult } from "../micro/decisions.ts";
import type { MicroRow } from "../micro/micro.ts";
import type { CerbosGrpcResult } from "../peers/cerbos-grpc.ts";
import type { PeersResult } from "../peers/in-process.ts";
import type { PartName } from "../options.ts";
import type { MemoryResult } from "../soak.ts";
import type { Machine } from "./machine.ts";

/** A part that ended with an error; the others went on. */
export interface FailedPart {
  readonly part: string;
  readonly message: string;
  /** Something crashed or answered wrongly, rather than being too slow or shedding load. */
  readonly isBroken: boolean;
}

/** What the parts fill in, one after the other. */
export interface PartResults {
  compile?: CompileResult;
  micro?: readonly MicroRow[];
  inProcess?: readonly DecisionResult[];
  http?: ThroughputResult;
  latency?: LatencyResult;
  stream?: StreamResult;
  authzen?: EvaluationsResult;
  scale?: readonly ScaleRow[];
  edits?: readonly EditRow[];
  swap?: SwapResult;
  huge?: HugeBesideSmallResult;
  memory?: MemoryResult;
  peers?: readonly PeersResult[];
  cerbosGrpc?: CerbosGrpcResult;
  soak?: SoakResult;
  /** What others took of the machine while the rounds of a part were measured. */
  steal?: readonly (Steal & { readonly part: string })[];
}

/** The run that a part was measured in. */
export interface PartRun {
  readonly part: PartName;
  /** Of the run: ISO 8601, UTC. */
  readonly date: string;
  readonly commit: string;
  readonly quick: boolean;
}

export interface BenchResults extends Readonly<PartResults> {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly quick: boolean;
  /** Of the whole run. */
  readonly minutes: number;
  readonly machine: Machine;
  readonly failed: readonly FailedPart[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** Where parts of earlier runs were kept: which run each part is of. */
  readonly runs?: readonly PartRun[];
}

/** Requests per second of one server and encoding; undefined when it was not measured. */
export function requestsPerSecond(
  http: ThroughputLoad | undefined,
  server: string,
  encoding: string,
): number | undefined {
  return http?.targets.find((target) => target.server === server && target.encoding === encoding)
    ?.requestsPerSecond;
}
