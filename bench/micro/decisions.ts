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
import { steadily } from "../load/steadiness.ts";

export interface DecisionResult {
  readonly encoding: Encoding;
  readonly decisionsPerCall: number;
  readonly bodyBytes: number;
  /** Medians over the rounds. */
  readonly microsecondsPerCall: number;
  readonly decisionsPerSecond: number;
  /** Of the round in which the machine did best. */
  readonly bestDecisionsPerSecond?: number;
  readonly spread: number;
}

/** Decisions per call. The bodies of 10 are the load-test bodies as they are, 10 or 11 decisions each. */
const SIZES = [1, 10, 100, 1000, 10_000] as const;
const MOST_RESOURCES = 10_000;
const MOST_BODY_BYTES = 16 * 1024 * 1024;
/** Bodies per size: as many different ones as hold this many decisions, within limits. */
const DECISIONS_PER_SIZE = 20_000;
const MOST_BODIES = 200;

interface LoadtestResource {
  readonly actions: readonly string[];
  readonly resource: { readonly id: string };
}
interface LoadtestRequest {
  readonly resources: readonly LoadtestResource[];
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** A request for exactly `size` decisions about different resources, starting anywhere in the load-test set, for its first principal. */
function batchBody(requests: readonly LoadtestRequest[], size: number, offset: number): RequestBody {
  const all = requests.flatMap((request) => request.resources);
  const resources: LoadtestResource[] = [];
  let left = size;
  for (let index = 0; left > 0; index++) {
    const taken = all[(offset + index) % all.length];
    if (taken === undefined) throw new Error("the load-test set has no resources");
    const actions = taken.actions.slice(0, left);
    left -= actions.length;
    // No two resources are equal, so that nothing can be decided once for both.
    resources.push({ actions, resource: { ...taken.resource, id: `${taken.resource.id}-${index}` } });
  }
  const batch = { ...requests[0], resources };
  return { json: Buffer.from(JSON.stringify(batch)), msgpack: packr.pack(batch), decisions: size };
}

/** The bodies of `size` decisions that are asked. */
export function bodiesOf(size: number, loadtest: readonly RequestBody[]): readonly RequestBody[] {
  if (size === 10) return loadtest;
  const requests = loadtest.map((body): LoadtestRequest => unpack(Buffer.from(body.msgpack)));
  const count = Math.min(MOST_BODIES, Math.max(1, DECISIONS_PER_SIZE / size));
  return Array.from({ length: count }, (_, index) => batchBody(requests, size, index * 7));
}

interface Burst {
  readonly microseconds: number;
  readonly rate: number;
}

interface Series {
  readonly encoding: Encoding;
  readonly bodies: readonly RequestBody[];
  readonly microseconds: number[];
  readonly rates: number[];
}

/** Calls the engine for `milliseconds`; microseconds per call and decisions per second. */
function burst(engine: Engine, series: Series, milliseconds: number): Burst {
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
  return { microseconds: (elapsed * 1000) / calls, rate: (decisions * 1000) / elapsed };
}

function mean(bodies: readonly RequestBody[], of: (body: RequestBody) => number): number {
  return bodies.reduce((sum, body) => sum + of(body), 0) / bodies.length;
}

/** Milliseconds of one series in one round, and of its warm-up. */
const BURST = 300;
const QUICK_BURST = 100;

/** Measures every batch size, JSON and msgpack. */
export async function measureDecisions(bundle: Uint8Array, options: BenchOptions): Promise<DecisionResult[]> {
  const engine = await Engine.load(bundle, {
    maxResourcesPerRequest: MOST_RESOURCES,
    maxBodyBytes: MOST_BODY_BYTES,
  });
  const loadtest = loadtestBodies(options.copies);
  const allSeries: Series[] = SIZES.map((size) => bodiesOf(size, loadtest)).flatMap((bodies) =>
    (["json", "msgpack"] as const).map((encoding) => ({ encoding, bodies, microseconds: [], rates: [] })),
  );
  const milliseconds = options.quick ? QUICK_BURST : BURST;
  for (const series of allSeries) burst(engine, series, milliseconds);
  for (let round = 0; round < options.rounds; round++) {
    for (const series of allSeries) {
      const { microseconds, rate } = await steadily(() => burst(engine, series, milliseconds));
      series.microseconds.push(microseconds);
      series.rates.push(rate);
    }
  }
  return allSeries.map(({ encoding, bodies, microseconds, rates }) => ({
    encoding,
    decisionsPerCall: mean(bodies, (body) => body.decisions),
    bodyBytes: mean(bodies, (body) => body[encoding].byteLength),
    microsecondsPerCall: median(microseconds),
    decisionsPerSecond: Math.round(median(rates)),
    bestDecisionsPerSecond: Math.round(Math.max(...rates)),
    spread: spread(rates),
  }));
}
