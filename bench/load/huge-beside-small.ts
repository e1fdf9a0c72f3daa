/**
 * Do large requests keep small ones waiting? Open-loop latency of the load-test requests at a fixed rate, alone and beside a
 * stream of requests with 10,000 pairs: decided by batch workers, and, for comparison, on the serving thread
 * (`server.batches.workers=0`). `measureHugeBesideSmall` is what a run of the whole suite calls; by itself:
 * `tsx bench/load/huge-beside-small.ts [--rate <requests/s>] [--huge <requests/s>] [--seconds <n>] [--rounds <n>]
 * [--workers <n>] [--json]`.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeFileSync } from "node:fs";

import { measureCompile } from "../micro/compile-time.ts";
import { median } from "../report/statistics.ts";
import { type GeneratedLoad, generateLoad } from "./generated-load.ts";
import { hugeBody } from "./huge-bodies.ts";
import type { HugeLoad } from "./huge-sender.ts";
import { formatRequest, writeRequestFile } from "./http-requests.ts";
import { loadtestBodies } from "./loadtest-set.ts";
import { runToEnd } from "./processes.ts";
import { startEdictWith, withServers } from "./servers.ts";

export interface HugeBesideSmallOptions {
  /** Copies of the load-test set that are served. */
  readonly copies: number;
  /** Small requests per second. */
  readonly rate: number;
  /** Large requests per second. */
  readonly hugeRate: number;
  /** Seconds of each measurement. */
  readonly seconds: number;
  /** Of which the median is taken. */
  readonly rounds: number;
  /** Batch workers of the daemon; 0 lets it choose. */
  readonly workers: number;
}

/** Latencies of small requests in microseconds, and what went on beside them. */
export interface BesideResult {
  readonly name: string;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly failed: number;
  /** Large requests per second, and how long one took (median, milliseconds); 0 when there were none. */
  readonly hugePerSecond: number;
  readonly hugeMilliseconds: number;
}

export interface HugeBesideSmallResult {
  readonly pairs: number;
  readonly hugeBytes: number;
  readonly results: readonly BesideResult[];
}

/** Pairs of a large request. */
const PAIRS = 10_000;

/** Connections that small requests come on, and large ones; each of these has one request in flight. */
const SMALL_CONNECTIONS = 4;
const HUGE_CONNECTIONS = 2;

/** Longer than a measurement, its warm-up and the start of its process. */
const HUGE_MARGIN = 4;

const SENDER = fileURLToPath(new URL("huge-sender.ts", import.meta.url));

interface Files {
  readonly small: string;
  readonly huge: string;
}

/** One measurement; `huge` says whether large requests come as well. */
async function measure(
  port: number,
  files: Files,
  huge: boolean,
  options: HugeBesideSmallOptions,
): Promise<{ readonly load: GeneratedLoad; readonly huge: HugeLoad | null }> {
  const { seconds, rate } = options;
  const numbers = [port, HUGE_CONNECTIONS, seconds + HUGE_MARGIN, options.hugeRate].map(String);
  const args = ["--import", "tsx", SENDER, ...numbers, files.huge];
  const sending = huge ? runToEnd(process.execPath, args, {}, seconds + 60) : null;
  const load = await generateLoad({
    port,
    connections: SMALL_CONNECTIONS,
    seconds,
    rate,
    requestFile: files.small,
  });
  return { load, huge: sending === null ? null : (JSON.parse(await sending) as HugeLoad) };
}

function summarise(
  name: string,
  runs: readonly { readonly load: GeneratedLoad; readonly huge: HugeLoad | null }[],
  options: HugeBesideSmallOptions,
): BesideResult {
  const of = (pick: (load: GeneratedLoad) => number): number => median(runs.map(({ load }) => pick(load)));
  const duration = options.seconds + HUGE_MARGIN;
  return {
    name,
    rate: Math.round(of((load) => load.rate)),
    p50: of((load) => load.latency.p50),
    p99: of((load) => load.latency.p99),
    p999: of((load) => load.latency.p999),
    max: of((load) => load.latency.max),
    failed: runs.reduce((sum, { load, huge }) => sum + load.failed + (huge?.failed ?? 0), 0),
    hugePerSecond: median(runs.map(({ huge }) => (huge?.answers ?? 0) / duration)),
    hugeMilliseconds: median(runs.map(({ huge }) => huge?.milliseconds ?? 0)),
  };
}

/** Measures all three situations, round by round. `bundle` is the compiled load-test set. */
export async function measureHugeBesideSmall(
  bundle: Uint8Array,
  options: HugeBesideSmallOptions,
): Promise<HugeBesideSmallResult> {
  const body = hugeBody(options.copies, PAIRS);
  const results = await withServers(async (start, directory) => {
    const files: Files = { small: join(directory, "small.requests"), huge: join(directory, "huge.requests") };
    writeRequestFile(
      files.small,
      loadtestBodies(options.copies).map(({ json }) => formatRequest(json, "json")),
    );
    writeRequestFile(files.huge, [formatRequest(body.json, "json")]);
    const bundleFile = join(directory, "loadtest.edict");
    writeFileSync(bundleFile, bundle);
    const flags = ["--bundle", bundleFile, "--set", `server.requestLimits.maxResourcesPerRequest=${PAIRS}`];
    const workers = options.workers === 0 ? [] : ["--set", `server.batches.workers=${options.workers}`];
    const pooled = await start(startEdictWith([...flags, ...workers]));
    const inline = await start(startEdictWith([...flags, "--set", "server.batches.workers=0"]));
    const situations = [
      { name: "small requests alone", port: pooled.port, huge: false },
      { name: "beside large ones, batch workers", port: pooled.port, huge: true },
      { name: "beside large ones, no workers", port: inline.port, huge: true },
    ];
    const runs = situations.map((): Awaited<ReturnType<typeof measure>>[] => []);
    for (let round = 0; round < options.rounds; round++) {
      for (const [index, { port, huge }] of situations.entries()) {
        runs[index]?.push(await measure(port, files, huge, options));
      }
    }
    return situations.map(({ name }, index) => summarise(name, runs[index] ?? [], options));
  });
  return { pairs: body.decisions, hugeBytes: body.json.byteLength, results };
}

/** The result as a Markdown table. */
export function hugeBesideSmallTable(result: HugeBesideSmallResult): string {
  const lines = result.results.map((one) => {
    const large =
      one.hugePerSecond === 0 ? ["", ""] : [one.hugePerSecond.toFixed(1), one.hugeMilliseconds.toFixed(1)];
    const cells = [one.name, one.rate, one.p50, one.p99, one.p999, one.max, one.failed, ...large];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `Small requests (10 and 11 pairs) beside requests of ${result.pairs} pairs (${Math.round(result.hugeBytes / 1024)} KiB); latencies in µs.`,
    "",
    "| | requests/s | p50 | p99 | p99.9 | max | failed | large/s | ms each |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rate: { type: "string", default: "5000" },
      huge: { type: "string", default: "20" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      workers: { type: "string", default: "0" },
      json: { type: "boolean", default: false },
    },
  });
  const copies = 100;
  const { bundle } = await measureCompile(copies, 0);
  const result = await measureHugeBesideSmall(bundle, {
    copies,
    rate: Number(values.rate),
    hugeRate: Number(values.huge),
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
    workers: Number(values.workers),
  });
  console.log(values.json ? JSON.stringify(result, undefined, 2) : hugeBesideSmallTable(result));
}
