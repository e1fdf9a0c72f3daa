/**
 * What the number of policies costs: 800, 8,000 and 40,000 (100, 1,000 and 5,000 copies of the load-test set). Compiled by
 * `edict compile` from files, a process of its own whose memory is watched; then served, and asked by the same requests per policy.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { BenchOptions } from "../options.ts";
import { median, spread } from "../report/statistics.ts";
import { generateLoad } from "./generated-load.ts";
import { chooseGenerator, type Generator } from "./generators.ts";
import { formatRequest, writeRequestFile } from "./http-requests.ts";
import { rate } from "./load-result.ts";
import { loadtestBodies, loadtestPolicies, writeSources } from "./loadtest-set.ts";
import { mustNotFail } from "./not-measured.ts";
import { memoryMebibytes, type ServerProcess, startCommand } from "./processes.ts";
import { startEcho, startEdict, withServers } from "./servers.ts";
import { steadily, steadyRound } from "./steadiness.ts";

/** One size of the policy set. */
export interface ScaleRow {
  readonly copies: number;
  /** As Cerbos counts them: 8 per copy. */
  readonly policies: number;
  readonly compileMilliseconds: number;
  readonly compilePeakMebibytes: number;
  readonly bundleBytes: number;
  /** From process start to the first healthy answer. */
  readonly startMilliseconds: number;
  /** Medians over the rounds of a closed loop. */
  readonly requestsPerSecond: number;
  readonly spread: number;
  /** Requests per second of the echo server with the same bodies. */
  readonly echoRequestsPerSecond: number;
  /** Microseconds, open loop at half of `requestsPerSecond`. */
  readonly p99: number;
  /** Resident memory of the daemon after the load. */
  readonly daemonMebibytes: number;
}

interface Prepared {
  readonly copies: number;
  readonly compileMilliseconds: number;
  readonly compilePeakMebibytes: number;
  readonly bundleFile: string;
  readonly requestFile: string;
}

interface Measured {
  readonly prepared: Prepared;
  readonly edict: ServerProcess;
  readonly rates: number[];
  readonly echoRates: number[];
}

const EDICT = fileURLToPath(new URL("../../bin/edict.js", import.meta.url));
const POLICIES_PER_COPY = 8;
const COMPILE_LIMIT_SECONDS = 180;
const CONNECTIONS = 64;
const MOST_ROUNDS = 3;

/** `edict compile`, from start to end of its process. */
async function compileFiles(
  policies: string,
  bundleFile: string,
): Promise<{ readonly milliseconds: number; readonly peak: number }> {
  const started = performance.now();
  const command = startCommand(
    process.execPath,
    [EDICT, "compile", policies, "-o", bundleFile],
    {},
    COMPILE_LIMIT_SECONDS,
  );
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, memoryMebibytes(command.pid).peak);
  }, 25);
  try {
    await command.output;
  } finally {
    clearInterval(watch);
  }
  return { milliseconds: performance.now() - started, peak };
}

async function prepare(copies: number, directory: string): Promise<Prepared> {
  const policies = join(directory, `policies-${copies}`);
  const bundleFile = join(directory, `${copies}.edict`);
  const requestFile = join(directory, `${copies}.requests`);
  writeSources(policies, loadtestPolicies(copies));
  const { milliseconds, peak } = await compileFiles(policies, bundleFile);
  writeRequestFile(
    requestFile,
    loadtestBodies(copies).map((body) => formatRequest(body.json, "json")),
  );
  return {
    copies,
    compileMilliseconds: milliseconds,
    compilePeakMebibytes: peak,
    bundleFile,
    requestFile,
  };
}

async function burst(
  generator: Generator,
  server: ServerProcess,
  requestFile: string,
  options: BenchOptions,
): Promise<number> {
  const { connections, seconds } = options;
  const result = await generator.run({ port: server.port, connections, seconds, requestFile });
  mustNotFail(server.name, result.failed, "requests under load");
  return rate(result);
}

async function finish(measured: Measured, options: BenchOptions): Promise<ScaleRow> {
  const { prepared, edict, rates, echoRates } = measured;
  const requestsPerSecond = median(rates);
  const load = await steadily(() =>
    generateLoad({
      port: edict.port,
      connections: CONNECTIONS,
      seconds: options.quick ? 1 : 5,
      rate: Math.round(requestsPerSecond / 2),
      requestFile: prepared.requestFile,
    }),
  );
  return {
    copies: prepared.copies,
    policies: prepared.copies * POLICIES_PER_COPY,
    compileMilliseconds: prepared.compileMilliseconds,
    compilePeakMebibytes: prepared.compilePeakMebibytes,
    bundleBytes: statSync(prepared.bundleFile).size,
    startMilliseconds: edict.readyMilliseconds,
    requestsPerSecond,
    spread: spread(rates),
    echoRequestsPerSecond: median(echoRates),
    p99: load.latency.p99,
    daemonMebibytes: memoryMebibytes(edict.pid).resident,
  };
}

/**
 * Sizes are served at the same time and loaded in turn, so that a slow moment of the machine hits all of them.
 * `notes` gets what had to be left out.
 */
export async function measureScale(
  options: BenchOptions,
  say: (text: string) => void,
  notes: string[],
): Promise<readonly ScaleRow[]> {
  return withServers(async (start, directory) => {
    const echo = await start(startEcho());
    const all: Measured[] = [];
    for (const copies of options.scaleCopies) {
      say(`  ${copies * POLICIES_PER_COPY} policies: compiling, starting`);
      try {
        const prepared = await prepare(copies, directory);
        const edict = await start(startEdict(prepared.bundleFile));
        all.push({ prepared, edict, rates: [], echoRates: [] });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        notes.push(`${copies * POLICIES_PER_COPY} policies were left out: ${reason}`);
      }
    }
    const [first] = all;
    if (first === undefined) return [];
    const { generator } = await chooseGenerator({
      port: echo.port,
      connections: options.connections,
      seconds: 1,
      requestFile: first.prepared.requestFile,
    });
    say("  asking");
    for (const { prepared, edict } of all)
      await burst(generator, edict, prepared.requestFile, { ...options, seconds: 1 });
    for (let round = 0; round < Math.min(MOST_ROUNDS, options.rounds); round++) {
      const reached = await steadyRound(all, async ({ prepared, edict }) => ({
        echo: await burst(generator, echo, prepared.requestFile, options),
        edict: await burst(generator, edict, prepared.requestFile, options),
      }));
      for (const [index, one] of reached.entries()) {
        all[index]?.echoRates.push(one.echo);
        all[index]?.rates.push(one.edict);
      }
    }
    const rows: ScaleRow[] = [];
    for (const measured of all) rows.push(await finish(measured, options));
    return rows;
  });
}
