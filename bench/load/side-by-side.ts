/**
 * Servers compared under the same load. A round is cut into bursts of a second, each of which visits every server, every other one
 * in reverse order: this machine's speed changes from one second to the next, and a ratio of neighbouring bursts
 * hardly knows of it where one of whole rounds does.
 */
import { median, medianRatio, spread } from "../report/statistics.ts";
import type { Generator } from "./generators.ts";
import type { Encoding } from "./http-requests.ts";
import { rate, type LoadResult } from "./load-result.ts";
import { mustNotFail } from "./not-measured.ts";
import { processorMicroseconds, type ServerProcess } from "./processes.ts";
import { steadyRound } from "./steadiness.ts";

/** A server under the requests of one encoding. */
export interface SideBySideTarget {
  readonly server: ServerProcess;
  readonly encoding: Encoding;
  /** Request file (http-requests.ts). */
  readonly requestFile: string;
}

/** What one second of load took. */
interface Burst extends LoadResult {
  /** Processor time of the server's process, in microseconds; 0 where the system does not tell. */
  readonly processor: number;
}

/** Bursts of one target, by round. */
type Rounds = readonly (readonly Burst[])[];

/** How long and with what the targets are asked. */
export interface SideBySidePlan {
  readonly generator: Generator;
  readonly connections: number;
  readonly rounds: number;
  /** Seconds of load per target and round, one a burst. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** The figures of one target. */
export interface SideBySideFigures {
  readonly server: string;
  readonly encoding: Encoding;
  /** Median over the rounds. */
  readonly requestsPerSecond: number;
  /** Median over neighbouring bursts of what it is to the echo in the same encoding. In results of before 2026-11-23T04 over rounds, or not there. */
  readonly ofEcho?: number;
  /** Processor time of the server's process per request, in microseconds: median over the bursts. Not in results of before 2026-11-23T04. */
  readonly processorPerRequest?: number;
  /** Median over neighbouring bursts of what that is to the echo's. */
  readonly processorOfEcho?: number;
  /** Half of (largest - smallest) / median over the rounds. */
  readonly spread: number;
  /** Median over the bursts, in microseconds, as a closed loop sees it. */
  readonly p50: number;
  readonly p99: number;
}

const perRequest = ({ processor, requests }: Burst): number => processor / requests;

function figuresOf({ server, encoding }: SideBySideTarget, rounds: Rounds, echo: Rounds): SideBySideFigures {
  const bursts = rounds.flat();
  const echoBursts = echo.flat();
  const perRound = rounds.map((one) => median(one.map(rate)));
  return {
    server: server.name,
    encoding,
    requestsPerSecond: Math.round(median(perRound)),
    ofEcho: medianRatio(bursts.map(rate), echoBursts.map(rate)),
    processorPerRequest: median(bursts.map(perRequest)),
    processorOfEcho: medianRatio(bursts.map(perRequest), echoBursts.map(perRequest)),
    spread: spread(perRound),
    p50: median(bursts.map(({ p50 }) => p50)),
    p99: median(bursts.map(({ p99 }) => p99)),
  };
}

/** Measures all targets, one of which is the echo in each encoding; the figures in their order. A failed request throws. */
export async function measureSideBySide(
  targets: readonly SideBySideTarget[],
  { generator, connections, rounds, seconds, warmUpSeconds }: SideBySidePlan,
): Promise<readonly SideBySideFigures[]> {
  const load = async ({ server, requestFile }: SideBySideTarget, duration: number): Promise<Burst> => {
    const before = processorMicroseconds(server.pid);
    const result = await generator.run({ port: server.port, connections, seconds: duration, requestFile });
    mustNotFail(server.name, result.failed, `of ${result.requests} requests under load`);
    return { ...result, processor: processorMicroseconds(server.pid) - before };
  };
  for (const target of targets) await load(target, warmUpSeconds);
  const visits = Array.from({ length: seconds }, (_, burst) => {
    const order = [...targets.entries()];
    return burst % 2 === 0 ? order : order.reverse();
  }).flat();
  const ofTargets: Burst[][][] = targets.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const bursts = await steadyRound(visits, async ([, target]) => load(target, 1));
    for (const [index, ofTarget] of ofTargets.entries())
      ofTarget.push(bursts.filter((_burst, visit) => visits[visit]?.[0] === index));
  }
  return targets.map((target, index) => {
    const echo = targets.findIndex(
      ({ server, encoding }) => server.name === "echo" && encoding === target.encoding,
    );
    return figuresOf(target, ofTargets[index] ?? [], ofTargets[echo] ?? []);
  });
}
