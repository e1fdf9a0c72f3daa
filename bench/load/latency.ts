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
import { restAWhile, steadily, steadyRound, StolenWatch } from "./steadiness.ts";

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

/** One server for a while of the soak. */
export interface SoakTurn {
  readonly server: string;
  /** Microseconds. */
  readonly p999: number;
  readonly max: number;
  /** Share of the processor time that was wanted which the host took away, 0 to 1; missing where it is not counted. */
  readonly stolen?: number;
  /** The largest latency, in microseconds, of each second in which, and in the second before which, the host took nothing away that the system counts. */
  readonly calmMaxima: readonly number[];
}

export interface SoakResult extends LatencyResult {
  /** In the order in which they were measured. Not in results of before 2026-11-23T05, where each server had one turn. */
  readonly turns?: readonly SoakTurn[];
}

const TURN_SECONDS = 15;
/** Behind a turn from which the host took more than this away, the machine rests as long as patience lasts. */
const DISTURBED = 0.002;
const REST_MILLISECONDS = 30_000;

function turnOf(server: string, { latency, seconds }: GeneratedLoad, watch: StolenWatch): SoakTurn {
  const began = seconds[0]?.startedAt ?? 0;
  const stolen = watch.between(began, began + seconds.length * 1000);
  // What has piled up in a second that was disturbed is answered in the next.
  const calm = seconds.filter(({ startedAt }) => watch.between(startedAt - 1000, startedAt + 1000) === 0);
  return {
    server,
    p999: latency.p999,
    max: latency.max,
    ...(stolen === undefined ? {} : { stolen }),
    calmMaxima: calm.map(({ max }) => max),
  };
}

/**
 * Half load for minutes: is there any outlier that the echo server does not also show? The servers stay up and take turns, for a
 * virtual machine that has been busy for minutes is another one than before, and what the host takes away is watched, for
 * its outliers have to be told from theirs.
 */
export async function measureSoak(
  bundle: Uint8Array,
  options: BenchOptions,
  { capacity }: LatencyResult,
): Promise<SoakResult> {
  const rounds = Math.ceil((options.soakMinutes * 60) / TURN_SECONDS);
  const rate = Math.round(capacity / 2);
  return withBoth(bundle, options, async (servers, load) => {
    const runs = servers.map((): GeneratedLoad[] => []);
    const turns: SoakTurn[] = [];
    for (let round = 0; round < rounds; round++) {
      const order = [...servers.entries()];
      for (const [index, server] of round % 2 === 0 ? order : order.reverse()) {
        const watch = new StolenWatch();
        const run = await load(server, rate, TURN_SECONDS).finally(() => watch.stop());
        runs[index]?.push(run);
        const turn = turnOf(server.name, run, watch);
        turns.push(turn);
        if ((turn.stolen ?? 0) > DISTURBED) await restAWhile(REST_MILLISECONDS);
      }
    }
    const rows = servers.map(({ name }, index) => combine(name, 0.5, runs[index] ?? [], runs[0] ?? []));
    return { capacity, connections: CONNECTIONS, seconds: TURN_SECONDS, rounds, rows, turns };
  });
}
