/**
 * Hot swaps under full load: a closed loop on all connections while the daemon is told (SIGHUP) to load another bundle, in
 * which every request of the load has another answer. Counts failed requests, answers that are neither the old nor the new
 * one (by their length, which tells how many actions are allowed), and what the swap does to p99.
 */
import { copyFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { compile } from "../../compiler/index.ts";
import type { BenchOptions } from "../options.ts";
import { median } from "../report/statistics.ts";
import { type GeneratedLoad, generateLoad } from "./generated-load.ts";
import { CHECK_PATH, formatRequest, writeRequestFile } from "./http-requests.ts";
import { loadtestBodies, loadtestPolicies } from "./loadtest-set.ts";
import { NotMeasured } from "./not-measured.ts";
import { memoryMebibytes, pause } from "./processes.ts";
import { startEdict, withServers } from "./servers.ts";

export interface SwapResult {
  readonly policies: number;
  readonly connections: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly swaps: number;
  readonly failed: number;
  /** Answers that neither version gives. */
  readonly mixed: number;
  /** Milliseconds from the signal to the first answer by the new version, under load. */
  readonly swapMilliseconds: number;
  /** Microseconds: median over the seconds without a swap, and over those in which one fell; and the worst of those. */
  readonly steadyP99: number;
  readonly swapP99: number;
  readonly worstSwapP99: number;
  /** p99 of every second, and whether a swap fell in it, for the chart. */
  readonly seconds: readonly { readonly p99: number; readonly swap: boolean }[];
  /** Swaps one after the other without load, and resident memory after a tenth of them and after all. */
  readonly memory: { readonly swaps: number; readonly early: number; readonly late: number };
}

const POLICIES_PER_COPY = 8;
/** After so long, the swaps without load are enough, however many they are. */
const ENOUGH_MILLISECONDS = 120_000;

/** The load-test set without a rule that every request of the load meets: employees may not view what is public. */
function changedPolicies(copies: number): ReturnType<typeof loadtestPolicies> {
  return loadtestPolicies(copies).map(({ path, text }) => ({
    path,
    text: text.replaceAll(
      /- actions: \["view:public"\]\n(\s+)derivedRoles:/g,
      '- actions: ["view:published"]\n$1derivedRoles:',
    ),
  }));
}

async function compiled(sources: ReturnType<typeof loadtestPolicies>): Promise<Uint8Array> {
  const { bundle, diagnostics } = await compile(sources);
  if (bundle === undefined) throw new Error(diagnostics[0]?.message ?? "no bundle");
  return bundle;
}

/** Length of the answer to each of two bodies, which stand for all. */
async function answerLengths(port: number, bodies: readonly Uint8Array[]): Promise<number[]> {
  const lengths: number[] = [];
  for (const body of bodies) {
    const response = await fetch(`http://127.0.0.1:${port}${CHECK_PATH}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: new Uint8Array(body),
    });
    lengths.push((await response.arrayBuffer()).byteLength);
  }
  return lengths;
}

export async function measureSwap(bundle: Uint8Array, options: BenchOptions): Promise<SwapResult> {
  return withServers(async (start, directory) => {
    const [served, first, second] = ["served", "first", "second"].map((name) =>
      join(directory, `${name}.edict`),
    ) as [string, string, string];
    writeFileSync(first, bundle);
    writeFileSync(second, await compiled(changedPolicies(options.copies)));
    copyFileSync(first, served);
    const bodies = loadtestBodies(options.copies).map((body) => body.json);
    const requestFile = join(directory, "json.requests");
    writeRequestFile(
      requestFile,
      bodies.map((body) => formatRequest(body, "json")),
    );
    const { port, pid } = await start(startEdict(served));
    const probes = bodies.slice(0, 2);
    /** Puts a bundle in place of the served one, and waits until it answers. */
    const swapTo = async (file: string, previous: readonly number[]): Promise<number> => {
      copyFileSync(file, `${served}.new`);
      renameSync(`${served}.new`, served);
      const began = performance.now();
      process.kill(pid, "SIGHUP");
      while ((await answerLengths(port, probes))[0] === previous[0]) {
        if (performance.now() - began > 20_000) throw new NotMeasured("the new bundle never came to serve");
      }
      return performance.now() - began;
    };
    const before = await answerLengths(port, probes);
    await swapTo(second, before);
    const after = await answerLengths(port, probes);
    await swapTo(first, after);

    const seconds = options.quick ? 4 : 15;
    const every = options.quick ? 2 : 3;
    const load = generateLoad({ port, connections: options.connections, seconds, rate: 0, requestFile });
    let isLoaded = true;
    const end = (): void => {
      isLoaded = false;
    };
    // A failure is reported where the load is awaited.
    load.then(end, end);
    const swaps: { at: number; milliseconds: number }[] = [];
    const stillLoaded = (): boolean => isLoaded;
    for (let isSecond = true; ; isSecond = !isSecond) {
      await pause(every * 1000);
      if (!stillLoaded()) break;
      const at = Date.now();
      const milliseconds = await swapTo(isSecond ? second : first, isSecond ? before : after);
      swaps.push({ at, milliseconds });
    }
    const result = await load;
    const last = await answerLengths(port, probes);
    let isBefore = last[0] === before[0];
    const count = options.quick ? 10 : options.swaps;
    let early = 0;
    let done = 0;
    const enough = performance.now() + ENOUGH_MILLISECONDS;
    while (done < count && performance.now() < enough) {
      await swapTo(isBefore ? second : first, isBefore ? before : after);
      isBefore = !isBefore;
      if (++done === Math.ceil(count / 10)) early = memoryMebibytes(pid).resident;
    }
    const late = memoryMebibytes(pid).resident;
    const memory = { swaps: done, early: early === 0 ? late : early, late };
    return summarise(result, swaps, [...before, ...after], options, memory);
  });
}

function summarise(
  load: GeneratedLoad,
  swaps: readonly { readonly at: number; readonly milliseconds: number }[],
  lengths: readonly number[],
  options: BenchOptions,
  memory: SwapResult["memory"],
): SwapResult {
  // Some fell before the first second that is measured, or after the last one.
  const counted = swaps.filter(({ at, milliseconds }) =>
    load.seconds.some(({ startedAt }) => at < startedAt + 1000 && at + milliseconds >= startedAt),
  );
  const seconds = load.seconds.map(({ startedAt, p99 }) => ({
    p99,
    swap: counted.some(({ at, milliseconds }) => at < startedAt + 1000 && at + milliseconds >= startedAt),
  }));
  const p99Of = (isSwap: boolean): number[] =>
    seconds.filter(({ swap }) => swap === isSwap).map(({ p99 }) => p99);
  const answers = Object.entries(load.sizes);
  return {
    policies: options.copies * POLICIES_PER_COPY,
    connections: options.connections,
    requests: load.latency.count,
    requestsPerSecond: load.rate,
    swaps: counted.length,
    failed: load.failed,
    mixed: answers.reduce((sum, [size, count]) => sum + (lengths.includes(Number(size)) ? 0 : count), 0),
    swapMilliseconds: median(counted.map(({ milliseconds }) => milliseconds)),
    steadyP99: median(p99Of(false)),
    swapP99: median(p99Of(true)),
    worstSwapP99: Math.max(0, ...p99Of(true)),
    seconds,
    memory,
  };
}
