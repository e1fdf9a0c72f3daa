/**
 * Requests per second of the daemon beside the echo server and the real Cerbos: the same requests, the same load
 * generator, the targets interleaved in every round so that a slow moment of the machine hits all of them.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BenchOptions } from "../options.ts";
import { median, medianRatio, spread } from "../report/statistics.ts";
import { chooseGenerator, type Generator } from "./generators.ts";
import { formatRequest, writeRequestFile, type Encoding } from "./http-requests.ts";
import { rate, type LoadResult } from "./load-result.ts";
import { loadtestBodies, loadtestPolicies, writeSources, type RequestBody } from "./loadtest-set.ts";
import { mustNotFail } from "./not-measured.ts";
import { memoryMebibytes, type ServerProcess } from "./processes.ts";
import { compareAnswers } from "./same-answers.ts";
import {
  CERBOS_MISSING,
  cerbosVersion,
  hasCerbos,
  startCerbos,
  startEcho,
  startEdict,
  startUndecided,
  withServers,
} from "./servers.ts";
import { steadyRound } from "./steadiness.ts";

/** One line of the result: a server under one encoding. */
export interface TargetResult {
  readonly server: string;
  readonly encoding: Encoding;
  /** Median over the rounds. */
  readonly requestsPerSecond: number;
  /** Median over the rounds of what it is to the echo in the same encoding. Not in results of before that was measured by rounds. */
  readonly ofEcho?: number;
  /** Half of (largest - smallest) / median over the rounds. */
  readonly spread: number;
  /** Median over the rounds, in microseconds, as a closed loop sees it. */
  readonly p50: number;
  readonly p99: number;
}

export interface ThroughputResult {
  readonly copies: number;
  readonly connections: number;
  readonly bodies: number;
  readonly decisionsPerRequest: number;
  readonly generator: string;
  /** Requests per second that each available generator got out of the echo server. */
  readonly generatorEchoRates: Readonly<Record<string, number>>;
  readonly targets: readonly TargetResult[];
  /** Requests whose answers were found equal before measuring. */
  readonly comparedAnswers: number;
  readonly comparedWithCerbos: boolean;
  /** From process start to the first healthy answer. */
  readonly startMilliseconds: Readonly<Record<string, number>>;
  /** Resident memory of each server after the load, in MiB. */
  readonly residentMebibytes: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

interface Target {
  readonly server: ServerProcess;
  readonly encoding: Encoding;
  readonly requestFile: string;
  readonly results: LoadResult[];
}

async function measure(
  targets: readonly Target[],
  generator: Generator,
  options: BenchOptions,
): Promise<void> {
  const burst = async (target: Target, seconds: number): Promise<LoadResult> =>
    generator.run({
      port: target.server.port,
      connections: options.connections,
      seconds,
      requestFile: target.requestFile,
    });
  for (const target of targets) await burst(target, options.quick ? 1 : 2);
  for (let round = 0; round < options.rounds; round++) {
    const results = await steadyRound(targets, async (target) => {
      const result = await burst(target, options.seconds);
      mustNotFail(target.server.name, result.failed, `of ${result.requests} requests under load`);
      return result;
    });
    for (const [index, result] of results.entries()) targets[index]?.results.push(result);
  }
}

function summarise(target: Target, targets: readonly Target[]): TargetResult {
  const echo = targets.find(({ server, encoding }) => server.name === "echo" && encoding === target.encoding);
  return {
    server: target.server.name,
    encoding: target.encoding,
    requestsPerSecond: Math.round(median(target.results.map(rate))),
    ofEcho: medianRatio(target.results.map(rate), (echo?.results ?? []).map(rate)),
    spread: spread(target.results.map(rate)),
    p50: median(target.results.map((result) => result.p50)),
    p99: median(target.results.map((result) => result.p99)),
  };
}

function meanDecisions(bodies: readonly RequestBody[]): number {
  return bodies.reduce((sum, body) => sum + body.decisions, 0) / bodies.length;
}

/** Bodies whose answers are compared before the load starts; more would only repeat the same policies. */
const COMPARED_BODIES = 200;

interface Running {
  readonly echo: ServerProcess;
  readonly edict: ServerProcess;
  readonly undecided: ServerProcess;
  readonly cerbos: ServerProcess | undefined;
}

async function measureRunning(
  { echo, edict, undecided, cerbos }: Running,
  directory: string,
  options: BenchOptions,
  notes: readonly string[],
): Promise<ThroughputResult> {
  const bodies = loadtestBodies(options.copies);
  const files = { json: join(directory, "json.requests"), msgpack: join(directory, "msgpack.requests") };
  for (const encoding of ["json", "msgpack"] as const) {
    writeRequestFile(
      files[encoding],
      bodies.map((body) => formatRequest(body[encoding], encoding)),
    );
  }
  const comparison = await compareAnswers(edict.port, cerbos?.port, bodies.slice(0, COMPARED_BODIES));
  if (comparison.difference !== undefined) throw new Error(`answers differ: ${comparison.difference}`);

  const choice = await chooseGenerator({
    port: echo.port,
    connections: options.connections,
    seconds: options.seconds,
    requestFile: files.json,
  });
  const target = (server: ServerProcess, encoding: Encoding): Target => ({
    server,
    encoding,
    requestFile: files[encoding],
    results: [],
  });
  const targets = [
    target(echo, "json"),
    target(edict, "json"),
    target(undecided, "json"),
    ...(cerbos === undefined ? [] : [target(cerbos, "json")]),
    target(echo, "msgpack"),
    target(edict, "msgpack"),
    target(undecided, "msgpack"),
  ];
  await measure(targets, choice.generator, options);
  const servers = [echo, edict, ...(cerbos === undefined ? [] : [cerbos])];
  return {
    copies: options.copies,
    connections: options.connections,
    bodies: bodies.length,
    decisionsPerRequest: meanDecisions(bodies),
    generator: choice.generator.name,
    generatorEchoRates: choice.echoRates,
    targets: targets.map((one) => summarise(one, targets)),
    comparedAnswers: comparison.compared,
    comparedWithCerbos: cerbos !== undefined,
    startMilliseconds: Object.fromEntries(
      servers.map(({ name, readyMilliseconds }) => [name, Math.round(readyMilliseconds)]),
    ),
    residentMebibytes: Object.fromEntries(
      servers.map(({ name, pid }) => [name, memoryMebibytes(pid).resident]),
    ),
    notes,
  };
}

/** Starts the servers, compares their answers, measures, stops them. `bundle` is the compiled load-test set. */
export async function measureThroughput(
  bundle: Uint8Array,
  options: BenchOptions,
): Promise<ThroughputResult> {
  return withServers(async (start, directory) => {
    const bundleFile = join(directory, "loadtest.edict");
    writeFileSync(bundleFile, bundle);
    const notes: string[] = [];
    let cerbos: ServerProcess | undefined;
    if (options.cerbos && hasCerbos()) {
      const policies = join(directory, "policies");
      writeSources(policies, loadtestPolicies(options.copies));
      cerbos = await start(startCerbos(policies));
      notes.push(`Cerbos is version ${cerbosVersion()}, with its default settings`);
    } else if (options.cerbos) {
      notes.push(CERBOS_MISSING);
    }
    const echo = await start(startEcho());
    const edict = await start(startEdict(bundleFile));
    const undecided = await start(startUndecided(bundleFile));
    return measureRunning({ echo, edict, undecided, cerbos }, directory, options, notes);
  });
}
