/**
 * `npm run bench`: every part in its order, each by itself: one that fails or takes too long is reported and the others go on.
 * This file is the table of contents; how each figure is taken is in the files it calls and in bench/README.md.
 */
import { type EditRow, measureEdits } from "./load/edit.ts";
import { measureEvaluations } from "./load/evaluations.ts";
import { measureHugeBesideSmall } from "./load/huge-beside-small.ts";
import { measureLatency, measureSoak } from "./load/latency.ts";
import { hasCorpus, loadtestDirectory } from "./load/loadtest-set.ts";
import { NotMeasured } from "./load/not-measured.ts";
import { killChildren, takeCrashes } from "./load/processes.ts";
import { measureScale } from "./load/scale.ts";
import { bePatient, rested, takeSteal } from "./load/steadiness.ts";
import { measureStream } from "./load/stream.ts";
import { measureSwap } from "./load/swap.ts";
import { measureThroughput } from "./load/throughput.ts";
import { measureCompile } from "./micro/compile-time.ts";
import { measureDecisions } from "./micro/decisions.ts";
import { measureMicro } from "./micro/micro.ts";
import { parseOptions, type PartName, USAGE, type BenchOptions } from "./options.ts";
import { measureCerbosGrpc } from "./peers/cerbos-grpc.ts";
import { measurePeers } from "./peers/in-process.ts";
import { readResults, withEarlierParts } from "./report/earlier-parts.ts";
import { describeMachine } from "./report/machine.ts";
import { renderMarkdown } from "./report/markdown.ts";
import type { BenchResults, FailedPart, PartResults } from "./report/results.ts";
import { writeResults } from "./report/write.ts";
import { measureMemory } from "./soak.ts";

/** Progress and complaints go to stderr, so that stdout is the report. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** After so many minutes, rests aside, no further part is begun. */
const MOST_MINUTES = 40;
const QUICK_MINUTES = 8;

/** One part of the run; fills in its results. */
interface Part {
  readonly name: PartName;
  readonly title: string;
  /** Seconds after which it is given up, rests aside. */
  readonly limit: number;
  readonly run: (results: PartResults, bundle: Uint8Array) => Promise<void>;
}

/** The parts after the compile, which gives the bundle that they serve. */
function partsOf(options: BenchOptions, notes: string[]): Part[] {
  // What the load over HTTP takes per target, starts and a round measured again included.
  const loadSeconds = options.rounds * (options.seconds + 1) * 2;
  const parts: Part[] = [
    {
      name: "in-process",
      title: "deciding in-process",
      limit: 180,
      run: async (results, bundle) => {
        results.inProcess = await measureDecisions(bundle, options);
      },
    },
    {
      name: "http",
      title: "asking over HTTP: echo, edict, Cerbos",
      limit: 150 + loadSeconds * 14,
      run: async (results, bundle) => {
        results.http = await measureThroughput(bundle, options);
      },
    },
    {
      name: "latency",
      title: "asking at fixed rates: echo, edict",
      limit: 300 + options.soakMinutes * 150,
      run: async (results, bundle) => {
        results.latency = await measureLatency(bundle, options);
        if (options.soakMinutes > 0) results.soak = await measureSoak(bundle, options, results.latency);
      },
    },
    {
      name: "stream",
      title: "asking over the stream: echo, edict",
      limit: 120,
      run: async (results, bundle) => {
        results.stream = await measureStream(bundle, options);
      },
    },
    {
      name: "authzen",
      title: "AuthZEN: evaluations beside the echo, batches, search",
      limit: 200 + loadSeconds * 8,
      run: async (results, bundle) => {
        results.authzen = await measureEvaluations(bundle, options);
      },
    },
    {
      name: "swap",
      title: "swapping under load",
      limit: 300,
      run: async (results, bundle) => {
        results.swap = await measureSwap(bundle, options);
      },
    },
    {
      name: "huge",
      title: "asking much beside little",
      limit: 120,
      run: async (results, bundle) => {
        const [rounds, seconds] = options.quick ? [1, 1] : [2, 4];
        const { copies } = options;
        results.huge = await measureHugeBesideSmall(bundle, {
          copies,
          rate: 5000,
          hugeRate: 20,
          seconds,
          rounds,
          workers: 0,
        });
      },
    },
    {
      name: "micro",
      title: "single costs",
      limit: 120,
      run: async (results) => {
        results.micro = await measureMicro(options);
      },
    },
    {
      name: "scale",
      title: "many policies",
      limit: 400,
      run: async (results) => {
        results.scale = await measureScale(options, say, notes);
      },
    },
    {
      name: "edit",
      title: "editing one policy of many",
      limit: 300,
      run: async (results) => {
        const rows: EditRow[] = [];
        results.edits = rows;
        await measureEdits(options, say, rows);
      },
    },
    {
      name: "memory",
      title: "memory over many decisions",
      limit: 300,
      run: async (results, bundle) => {
        results.memory = await measureMemory(bundle, options.soakDecisions);
      },
    },
  ];
  if (options.peers) {
    parts.push({
      name: "peers",
      title: "other engines",
      limit: 300,
      run: async (results, bundle) => {
        results.peers = await measurePeers(bundle, options);
        const grpc = options.cerbos ? await measureCerbosGrpc(bundle, options) : "Cerbos was left out";
        if (typeof grpc === "string") notes.push(grpc);
        else results.cerbosGrpc = grpc;
      },
    });
  }
  // Its senders take their time whatever the options say.
  const isQuick = options.quick && options.only.length === 0;
  if (isQuick) notes.push("quick: large requests beside small ones were left out");
  return parts.filter(({ name }) =>
    options.only.length === 0 ? !(isQuick && name === "huge") : options.only.includes(name),
  );
}

/** Runs a part with its limit; what it started is gone afterwards. */
async function attempt(
  part: Part,
  results: PartResults,
  bundle: Uint8Array,
): Promise<FailedPart | undefined> {
  const started = performance.now();
  const restedBefore = rested();
  const worked = (): number => performance.now() - started - (rested() - restedBefore);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (worked() > part.limit * 1000) reject(new NotMeasured(`took more than ${part.limit} s`));
    }, 1000);
  });
  say(part.title);
  try {
    const run = part.run(results, bundle);
    // After the limit nobody waits for it any more.
    run.catch(() => undefined);
    await Promise.race([run, limit]);
    const crashes = takeCrashes();
    if (crashes.length > 0) throw new Error(crashes.join("\n"));
    say(`  ${(worked() / 1000).toFixed(0)} s`);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say(`  failed: ${message}`);
    const crashes = takeCrashes();
    const isBroken = crashes.length > 0 || !(error instanceof NotMeasured);
    return { part: part.name, message: [message, ...crashes].join("\n"), isBroken };
  } finally {
    clearInterval(timer);
    killChildren();
    const steal = takeSteal();
    if (steal !== undefined) results.steal = [...(results.steal ?? []), { part: part.name, ...steal }];
  }
}

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  if (parsed.kind === "help") {
    console.log(USAGE);
    return 0;
  }
  if (parsed.kind === "wrong") {
    say(`${parsed.message}\n\n${USAGE}`);
    return 2;
  }
  if (!hasCorpus()) {
    say(`the load-test set is not at ${loadtestDirectory()}; point EDICT_CORPUS at the corpus`);
    return 2;
  }
  const { options } = parsed;
  // Before anything is measured, should it not be there.
  let earlier: BenchResults | undefined;
  try {
    if (options.keep !== "") earlier = readResults(options.keep);
  } catch (error) {
    say(`--keep: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const started = performance.now();
  const date = new Date().toISOString();
  const machine = describeMachine();
  say(`compiling ${options.copies} copies of the load-test set`);
  const { result: compile, bundle } = await measureCompile(options.copies, options.quick ? 1 : 3);
  const filled: PartResults = { compile };
  const failed: FailedPart[] = [];
  const notes: string[] = [];
  if (!options.peers) notes.push("without `--peers`, other engines than Cerbos over HTTP were left out");
  bePatient(options.patienceMs, say);
  const most = (options.quick ? QUICK_MINUTES : MOST_MINUTES) + options.soakMinutes * 3;
  for (const part of partsOf(options, notes)) {
    if (performance.now() - started - rested() > most * 60_000) {
      failed.push({
        part: part.name,
        message: `not begun: the run took more than ${most} minutes`,
        isBroken: false,
      });
      continue;
    }
    const failure = await attempt(part, filled, bundle);
    if (failure !== undefined) failed.push(failure);
  }
  const minutes = (performance.now() - started) / 60_000;
  const measured: BenchResults = { date, quick: options.quick, minutes, machine, failed, notes, ...filled };
  const results = earlier === undefined ? measured : withEarlierParts(measured, options.only, earlier);
  console.log(options.json ? JSON.stringify(results, undefined, 2) : renderMarkdown(results));
  if (options.write) say(`written: ${writeResults(results).join(", ")}`);
  // A quick run proves that the benchmark works; which machine it ran on is none of its business.
  return failed.some(({ isBroken }) => isBroken || !options.quick) ? 1 : 0;
}

// A part that was given up may still hold the process.
process.exit(await main());
