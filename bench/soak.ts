/**
 * Memory over many decisions: `tsx bench/soak.ts [--decisions 10000000]`. Decides the load-test bodies in-process,
 * prints resident, heap and external memory at ten intervals, and ends with 1 when memory grew after the first of them.
 */
import { parseArgs } from "node:util";

import { Engine } from "../runtime/index.ts";
import { hasCorpus, loadtestBodies, loadtestDirectory } from "./load/loadtest-set.ts";
import { measureCompile } from "./micro/compile-time.ts";
import { table, thousands } from "./report/table.ts";

const COPIES = 100;
const INTERVALS = 10;

/** Growth that counts as flat, in MiB: garbage not yet collected, and code that V8 optimises late. */
const SLACK_MEBIBYTES = 24;

interface Sample {
  readonly decisions: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

const mebibytes = (count: number): number => count / 2 ** 20;

function sample(decisions: number): Sample {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { decisions, resident: mebibytes(rss), heap: mebibytes(heapUsed), external: mebibytes(external) };
}

function decide(engine: Engine, decisions: number): Sample[] {
  const bodies = loadtestBodies(COPIES);
  const samples: Sample[] = [];
  let done = 0;
  let errors = 0;
  for (let interval = 1; interval <= INTERVALS; interval++) {
    while (done < (decisions * interval) / INTERVALS) {
      for (const body of bodies) {
        if (engine.checkBytes(body.json, "json").status !== 0) errors++;
        if (engine.checkBytes(body.msgpack, "msgpack").status !== 0) errors++;
        done += 2 * body.decisions;
      }
    }
    samples.push(sample(done));
  }
  if (errors > 0) throw new Error(`${errors} requests were not decided`);
  return samples;
}

/** MiB by which resident memory of the second half lies above the first sample, at most. */
function growth(samples: readonly Sample[]): number {
  const first = samples[0]?.resident ?? 0;
  return Math.max(...samples.slice(samples.length >> 1).map(({ resident }) => resident)) - first;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { decisions: { type: "string", default: "10000000" } } });
  const decisions = Number(values.decisions);
  if (!Number.isInteger(decisions) || decisions < INTERVALS) {
    say(`\`--decisions\` wants a whole number from ${INTERVALS}`);
    return 2;
  }
  if (!hasCorpus()) {
    say(`the load-test set is not at ${loadtestDirectory()}; point EDICT_CORPUS at the corpus`);
    return 2;
  }
  const { bundle } = await measureCompile(COPIES, 0);
  const samples = decide(await Engine.load(bundle), decisions);
  const rows = samples.map((one) => [
    thousands(one.decisions),
    ...[one.resident, one.heap, one.external].map((value) => value.toFixed(1)),
  ]);
  console.log(table(["decisions", "resident MiB", "heap MiB", "external MiB"], rows));
  const grown = growth(samples);
  const flat = grown <= SLACK_MEBIBYTES;
  console.log(
    `${flat ? "flat" : "not flat"}: ${grown.toFixed(1)} MiB above the first sample, ${SLACK_MEBIBYTES} allowed`,
  );
  return flat ? 0 : 1;
}

process.exitCode = await main();
