/**
 * From which size on is a large request worth handing to batch workers, and dividing? Requests of growing size, decided in place, by
 * one worker, and divided over two: microseconds until the answer is there, and microseconds of the serving thread. The daemon
 * learns its own figure (runtime/batch/crossing-point.ts); this shows what it should come to on a machine. Run it alone:
 * `tsx bench/micro/batch-crossing.ts` after `npm run build`.
 */
import { BatchPool } from "../../runtime/batch/batch-pool.ts";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { SharedMemory } from "../../runtime/batch/shared-memory.ts";
import { plainOptions } from "../../runtime/guest/options.ts";
import { Engine } from "../../runtime/index.ts";
import { ServingState } from "../../runtime/observe/serving-state.ts";
import { hugeBody } from "../load/huge-bodies.ts";
import { median } from "../report/statistics.ts";
import { measureCompile } from "./compile-time.ts";

/** What one size comes to; times in microseconds. */
export interface CrossingResult {
  readonly pairs: number;
  readonly encoding: "json" | "msgpack";
  readonly bytes: number;
  readonly inPlace: number;
  readonly oneWorker: number;
  readonly twoWorkers: number;
  /** Of the serving thread's time that a request for workers takes, its copy included. */
  readonly handOver: number;
}

const PAIRS: readonly number[] = [10, 100, 300, 1000, 3000, 10_000];
const TURNS = 60;

/** Measures all sizes. `bundle` is the compiled load-test set of `copies` copies. */
export async function measureCrossing(bundle: Uint8Array, copies: number): Promise<CrossingResult[]> {
  const engine = await Engine.load(bundle, { maxResourcesPerRequest: 10_000 });
  const state = new ServingState(engine);
  const settings = { minBytes: 1024, engine: plainOptions(engine.options), memory: new SharedMemory() };
  const one = new BatchPool(state, { ...settings, workers: 1 });
  const two = new BatchPool(state, { ...settings, workers: 2 });
  try {
    await Promise.all([one.start(), two.start()]);
    const results: CrossingResult[] = [];
    for (const pairs of PAIRS) {
      for (const encoding of ["json", "msgpack"] as const) {
        const bytes = hugeBody(copies, pairs)[encoding];
        results.push({
          pairs,
          encoding,
          bytes: bytes.byteLength,
          ...(await measureSize(engine, one, two, bytes, encoding)),
        });
      }
    }
    return results;
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
}

type Times = Pick<CrossingResult, "inPlace" | "oneWorker" | "twoWorkers" | "handOver">;

async function measureSize(
  engine: Engine,
  one: BatchPool,
  two: BatchPool,
  bytes: Uint8Array,
  encoding: "json" | "msgpack",
): Promise<Times> {
  const format = encoding === "json" ? FORMAT_JSON : FORMAT_MSGPACK;
  const times = {
    inPlace: [] as number[],
    oneWorker: [] as number[],
    twoWorkers: [] as number[],
    handOver: [] as number[],
  };
  const memory = new SharedArrayBuffer(bytes.byteLength);
  const byPool = async (pool: BatchPool, into: number[]): Promise<void> => {
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const began = performance.now();
    const shared = new Uint8Array(memory);
    shared.set(bytes);
    const answer = pool.decide({ bytes: shared, input: format, output: format, cancelled });
    times.handOver.push((performance.now() - began) * 1000);
    const decided = await answer;
    if (decided.kind !== "decided") throw new Error("a request was refused");
    into.push((performance.now() - began) * 1000);
    decided.release();
  };
  for (let turn = 0; turn < TURNS; turn++) {
    const began = performance.now();
    const status = engine.decide(bytes, format, format, 0);
    times.inPlace.push((performance.now() - began) * 1000);
    if (status !== 0) throw new Error(`the engine answered status ${status}`);
    await byPool(one, times.oneWorker);
    await byPool(two, times.twoWorkers);
  }
  return {
    inPlace: median(times.inPlace),
    oneWorker: median(times.oneWorker),
    twoWorkers: median(times.twoWorkers),
    handOver: median(times.handOver),
  };
}

/** The results as a Markdown table. */
export function crossingTable(results: readonly CrossingResult[]): string {
  const lines = results.map((one) => {
    const times = [one.inPlace, one.oneWorker, one.twoWorkers, one.handOver].map((time) => Math.round(time));
    return `| ${[one.pairs, one.encoding, one.bytes, ...times].join(" | ")} |`;
  });
  return [
    "| pairs | encoding | bytes | in place, µs | one worker | two workers | of the serving thread |",
    "|---:|---|---:|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

if (process.argv[1]?.endsWith("batch-crossing.ts") === true) {
  const copies = 100;
  const { bundle } = await measureCompile(copies, 0);
  console.log(crossingTable(await measureCrossing(bundle, copies)));
}
