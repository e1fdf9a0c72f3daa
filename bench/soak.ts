/**
 * Memory over many decisions: `tsx bench/soak.ts [--decisions 10000000]`, after `npm run build`. Decides the load-test
 * bodies in-process in both encodings, prints memory after garbage collection at intervals, and ends with 1 when it
 * grew. The compiler runs in a process of its own, so that its memory hides nothing.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { Engine } from "../runtime/index.ts";
import {
  hasCorpus,
  loadtestBodies,
  loadtestDirectory,
  loadtestPolicies,
  writeSources,
} from "./load/loadtest-set.ts";
import { runToEnd } from "./load/processes.ts";
import { table, thousands } from "./report/table.ts";

const COPIES = 100;
const INTERVALS = 10;

/** Growth that counts as flat, in MiB: code that V8 optimises late, and pages that the allocator keeps. */
const RESIDENT_SLACK = 24;
/** The same for the heap after garbage collection, where nothing of a request may stay. */
const HEAP_SLACK = 2;

interface Sample {
  readonly decisions: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** V8's full garbage collection, which Node exposes only by this detour or a flag. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this Node does not expose its garbage collector");
  return () => {
    collect();
  };
}

/** Bytes as MiB. */
function mebibytes(count: number): number {
  return count / 2 ** 20;
}

function sample(decisions: number): Sample {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { decisions, resident: mebibytes(rss), heap: mebibytes(heapUsed), external: mebibytes(external) };
}

function decide(engine: Engine, decisions: number): Sample[] {
  const collect = garbageCollector();
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
    collect();
    samples.push(sample(done));
  }
  if (errors > 0) throw new Error(`${errors} requests were not decided`);
  return samples;
}

async function compileElsewhere(): Promise<Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), "edict-soak-"));
  try {
    writeSources(join(directory, "policies"), loadtestPolicies(COPIES));
    const file = join(directory, "loadtest.edict");
    const edict = fileURLToPath(new URL("../bin/edict.js", import.meta.url));
    await runToEnd(process.execPath, [edict, "compile", join(directory, "policies"), "-o", file], {}, 300);
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** By how much the second half of the samples lies above the first one, at most, in MiB. */
function growth(samples: readonly Sample[], of: (one: Sample) => number): number {
  const [first] = samples;
  return first === undefined ? 0 : Math.max(...samples.slice(samples.length >> 1).map(of)) - of(first);
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
  const samples = decide(await Engine.load(await compileElsewhere()), decisions);
  const rows = samples.map((one) => [
    thousands(one.decisions),
    ...[one.resident, one.heap, one.external].map((value) => value.toFixed(1)),
  ]);
  console.log(table(["decisions", "resident MiB", "heap MiB", "external MiB"], rows));
  const resident = growth(samples, (one) => one.resident);
  const heap = growth(samples, (one) => one.heap);
  const flat = resident <= RESIDENT_SLACK && heap <= HEAP_SLACK;
  console.log(
    `${flat ? "flat" : "not flat"}: resident ${resident.toFixed(1)} MiB above the first sample (${RESIDENT_SLACK} allowed), ` +
      `heap ${heap.toFixed(1)} MiB (${HEAP_SLACK} allowed)`,
  );
  return flat ? 0 : 1;
}

process.exitCode = await main();
