/**
 * Latency at fixed rates: an open loop at 10, 50 and 80 % of the most that the daemon answers, beside the echo server at the
 * same rates. The most is measured first, by the same generator as a closed loop, so that it can keep the rates.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BenchOptions } from "../options.ts";
import { median, medianRatio } from "../report/statistics.ts";
import { type GeneratedLoad, generateLoad } from "./generated-load.ts";
import { formatRequest, writeRequestFile } from "./http-requests.ts";
import type { LatencySummary } from "./latency-histogram.ts";
import { loadtestBodies } from "./loadtest-set.ts";
import type { ServerProcess } from "./processes.ts";
import { startEcho, startEdict, withServers } from "./servers.ts";
import { steadily, steadyRound } from "./steadiness.ts";

/** One server at one rate; figures are medians over the rounds, `max` is the largest of all. */
export interface LatencyRow {
  readonly server: string;
  /** Fraction of the capacity. */
  readonly load: number;
  readonly intendedRate: number;
  readonly rate: number;
  readonly failed: number;
  readonly latency: LatencySummary;
  /** Median over the rounds of what p99 is to the echo's. Not in results of before that was measured by rounds. */
  readonly p99OfEcho?: number;
  /** Microseconds, the share of the generator in p99. */
  readonly lagP99: number;
}

export interface LatencyResult {
  /** Requests per second of the daemon in a closed loop from the same generator. */
  readonly capacity: number;
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly rows: readonly LatencyRow[];
}

const LOADS = [0.1, 0.5, 0.8] as const;
const QUICK_LOADS = [0.5] as const;
const CONNECTIONS = 64;

function p99({ latency }: GeneratedLoad): number {
  return latency.p99;
}

function combine(
  server: string,
  load: number,
  runs: readonly GeneratedLoad[],
  echoRuns: readonly GeneratedLoad[],
): LatencyRow {
  const middle = (of: (run: GeneratedLoad) => number): number => median(runs.map(of));
  return {
    server,
    load,
    intendedRate: middle((run) => run.intendedRate),
    rate: middle((run) => run.rate),
    failed: runs.reduce((sum, run) => sum + run.failed, 0),
    latency: {
      count: runs.reduce((sum, run) => sum + run.latency.count, 0),
      p50: middle((run) => run.latency.p50),
      p90: middle((run) => run.latency.p90),
      p99: middle((run) => run.latency.p99),
      p999: middle((run) => run.latency.p999),
      max: Math.max(...runs.map((run) => run.latency.max)),
      curve: (runs[0]?.latency.curve ?? []).map((_, index) => middle((run) => run.latency.curve[index] ?? 0)),
    },
    p99OfEcho: medianRatio(runs.map(p99), echoRuns.map(p99)),
    lagP99: middle((run) => run.lagP99),
  };
}

/** Starts both servers; `use` gets what loads one of them. */
async function withBoth<T>(
  bundle: Uint8Array,
  options: BenchOptions,
  use: (servers: readonly ServerProcess[], load: Load) => Promise<T>,
): Promise<T> {
  return withServers(async (start, directory) => {
    const bundleFile = join(directory, "loadtest.edict");
    writeFileSync(bundleFile, bundle);
    const requestFile = join(directory, "json.requests");
    writeRequestFile(
      requestFile,
      loadtestBodies(options.copies).map((body) => formatRequest(body.json, "json")),
    );
    const servers = [await start(startEcho()), await start(startEdict(bundleFile))];
    return use(servers, async (server, rate, seconds) =>
      generateLoad({ port: server.port, connections: CONNECTIONS, seconds, rate, requestFile }),
    );
  });
}

type Load = (server: ServerProcess, rate: number, seconds: number) => Promise<GeneratedLoad>;

export async function measureLatency(bundle: Uint8Array, options: BenchOptions): Promise<LatencyResult> {
  const seconds = options.quick ? 1 : Math.max(4, options.seconds);
  const rounds = options.quick ? 1 : 5;
  return withBoth(bundle, options, async (servers, load) => {
    let capacity = 0;
    // The echo's first run warms it up; the last server is the daemon.
    for (const server of servers)
      ({ rate: capacity } = await steadily(() => load(server, 0, options.quick ? 1 : 3)));
    const rows: LatencyRow[] = [];
    for (const fraction of options.quick ? QUICK_LOADS : LOADS) {
      const rate = Math.max(100, Math.round(capacity * fraction));
      const runs = servers.map((): GeneratedLoad[] => []);
      for (let round = 0; round < rounds; round++) {
        const loads = await steadyRound(servers, (server) => load(server, rate, seconds));
        for (const [index, one] of loads.entries()) runs[index]?.push(one);
      }
      for (const [index, server] of servers.entries())
        rows.push(combine(server.name, fraction, runs[index] ?? [], runs[0] ?? []));
    }
    return { capacity, connections: CONNECTIONS, seconds, rounds, rows };
  });
}

/** Half load for minutes, one server after the other: is there any outlier that the echo server does not also show? */
export async function measureSoak(
  bundle: Uint8Array,
  options: BenchOptions,
  { capacity }: LatencyResult,
): Promise<LatencyResult> {
  const seconds = options.soakMinutes * 60;
  return withBoth(bundle, options, async (servers, load) => {
    const runs: GeneratedLoad[] = [];
    for (const server of servers) runs.push(await load(server, Math.round(capacity / 2), seconds));
    const rows = servers.map(({ name }, index) =>
      combine(name, 0.5, runs.slice(index, index + 1), runs.slice(0, 1)),
    );
    return { capacity, connections: CONNECTIONS, seconds, rounds: 1, rows };
  });
}
