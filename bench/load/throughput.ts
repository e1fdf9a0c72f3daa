/**
 * Requests per second of the daemon beside the echo server and the real Cerbos: the same requests, the same load
 * generator, the targets interleaved (side-by-side.ts) so that a slow moment of the machine hits all of them.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BenchOptions } from "../options.ts";
import { chooseGenerator } from "./generators.ts";
import { formatRequest, writeRequestFile, type Encoding } from "./http-requests.ts";
import { loadtestBodies, loadtestPolicies, writeSources, type RequestBody } from "./loadtest-set.ts";
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
import { measureSideBySide, type SideBySideFigures, type SideBySideTarget } from "./side-by-side.ts";

/** The servers under the load of so many connections. */
export interface ThroughputLoad {
  readonly connections: number;
  /** A server under one encoding each. */
  readonly targets: readonly SideBySideFigures[];
}

export interface ThroughputResult extends ThroughputLoad {
  readonly copies: number;
  readonly bodies: number;
  readonly decisionsPerRequest: number;
  readonly generator: string;
  /** Requests per second that each available generator got out of the echo server. */
  readonly generatorEchoRates: Readonly<Record<string, number>>;
  /** The same on many connections, without Cerbos. Not in results of before 2026-11-23T06. */
  readonly many?: ThroughputLoad;
  /** Requests whose answers were found equal before measuring. */
  readonly comparedAnswers: number;
  readonly comparedWithCerbos: boolean;
  /** From process start to the first healthy answer. */
  readonly startMilliseconds: Readonly<Record<string, number>>;
  /** Resident memory of each server after the load, in MiB. */
  readonly residentMebibytes: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

function meanDecisions(bodies: readonly RequestBody[]): number {
  return bodies.reduce((sum, body) => sum + body.decisions, 0) / bodies.length;
}

/**
 * Connections of the second load. On few of them the server waits for the load generator as well: it reads a handful of requests at a time,
 * where a busy one reads dozens.
 */
const MANY_CONNECTIONS = 64;

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
  const target = (server: ServerProcess, encoding: Encoding): SideBySideTarget => ({
    server,
    encoding,
    requestFile: files[encoding],
  });
  const ownTargets = (["json", "msgpack"] as const).flatMap((encoding) =>
    [echo, edict, undecided].map((server) => target(server, encoding)),
  );
  const peers = cerbos === undefined ? [] : [target(cerbos, "json")];
  const measure = async (
    targets: readonly SideBySideTarget[],
    connections: number,
  ): Promise<ThroughputLoad> => ({
    connections,
    targets: await measureSideBySide(targets, {
      generator: choice.generator,
      connections,
      rounds: options.rounds,
      seconds: options.seconds,
      warmUpSeconds: options.quick ? 1 : 2,
    }),
  });
  const few = await measure(
    [...ownTargets.slice(0, 3), ...peers, ...ownTargets.slice(3)],
    options.connections,
  );
  const many = await measure(ownTargets, MANY_CONNECTIONS);
  const servers = [echo, edict, ...(cerbos === undefined ? [] : [cerbos])];
  return {
    ...few,
    many,
    copies: options.copies,
    bodies: bodies.length,
    decisionsPerRequest: meanDecisions(bodies),
    generator: choice.generator.name,
    generatorEchoRates: choice.echoRates,
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
