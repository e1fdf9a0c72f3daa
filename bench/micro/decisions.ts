/**
 * Decisions in-process: request bytes in, response bytes out, through the engine's public byte interface, on one
 * thread. Encodings and sizes alternate in every round.
 */
import { Packr, unpack } from "msgpackr";

import { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";
import { loadtestBodies, type RequestBody } from "../load/loadtest-set.ts";
import type { BenchOptions } from "../options.ts";
import { median, spread } from "../report/statistics.ts";

export interface DecisionResult {
  readonly encoding: Encoding;
  readonly decisionsPerCall: number;
  readonly bodyBytes: number;
  /** Medians over the rounds. */
  readonly microsecondsPerCall: number;
  readonly decisionsPerSecond: number;
  readonly spread: number;
}

/** Resources of the large body: the most that a request may have. */
const BATCH_RESOURCES = 500;

interface LoadtestRequest {
  readonly resources: readonly { readonly actions: readonly string[] }[];
}

/** One body with the resources of many, for the principal of the first. */
function batchBody(bodies: readonly RequestBody[]): RequestBody {
  const requests = bodies.map((body): LoadtestRequest => unpack(Buffer.from(body.msgpack)));
  const all = requests.flatMap((request) => request.resources);
  const resources = Array.from({ length: BATCH_RESOURCES }, (_, index) => all[index % all.length]);
  const batch = { ...requests[0], resources };
  return {
    json: Buffer.from(JSON.stringify(batch)),
    msgpack: new Packr({ useRecords: false, variableMapSize: true }).pack(batch),
    decisions: resources.reduce((sum, resource) => sum + (resource?.actions.length ?? 0), 0),
  };
}

interface Series {
  readonly encoding: Encoding;
  readonly bodies: readonly RequestBody[];
  readonly microseconds: number[];
  readonly rates: number[];
}

/** Calls the engine for `milliseconds`; records microseconds per call and decisions per second. */
function burst(engine: Engine, series: Series, milliseconds: number): void {
  const { encoding, bodies } = series;
  const started = performance.now();
  let calls = 0;
  let decisions = 0;
  let elapsed = 0;
  do {
    for (const body of bodies) {
      const { status } = engine.checkBytes(body[encoding], encoding);
      if (status !== 0) throw new Error(`the engine answered status ${status}`);
      decisions += body.decisions;
    }
    calls += bodies.length;
    elapsed = performance.now() - started;
  } while (elapsed < milliseconds);
  series.microseconds.push((elapsed * 1000) / calls);
  series.rates.push((decisions * 1000) / elapsed);
}

function mean(bodies: readonly RequestBody[], of: (body: RequestBody) => number): number {
  return bodies.reduce((sum, body) => sum + of(body), 0) / bodies.length;
}

/** Milliseconds of one series in one round, and of its warm-up. */
const BURST = 500;
const QUICK_BURST = 150;

/** Measures the bodies one by one and in one large batch, JSON and msgpack. */
export async function measureDecisions(bundle: Uint8Array, options: BenchOptions): Promise<DecisionResult[]> {
  const engine = await Engine.load(bundle, { maxResourcesPerRequest: BATCH_RESOURCES });
  const small = loadtestBodies(options.copies);
  const batch = [batchBody(small)];
  const allSeries: Series[] = [small, batch].flatMap((bodies) =>
    (["json", "msgpack"] as const).map((encoding) => ({ encoding, bodies, microseconds: [], rates: [] })),
  );
  const milliseconds = options.quick ? QUICK_BURST : BURST;
  for (const series of allSeries) burst(engine, { ...series, microseconds: [], rates: [] }, milliseconds);
  for (let round = 0; round < options.rounds; round++) {
    for (const series of allSeries) burst(engine, series, milliseconds);
  }
  return allSeries.map(({ encoding, bodies, microseconds, rates }) => ({
    encoding,
    decisionsPerCall: mean(bodies, (body) => body.decisions),
    bodyBytes: mean(bodies, (body) => body[encoding].byteLength),
    microsecondsPerCall: median(microseconds),
    decisionsPerSecond: Math.round(median(rates)),
    spread: spread(rates),
  }));
}
