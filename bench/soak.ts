/**
 * Memory over many decisions: `tsx bench/soak.ts [--decisions 10000000]`, after `npm run build`. Decides the load-test
 * bodies in-process in both encodings, prints memory after garbage collection at intervals, and ends with 1 when it
 * grew. The compiler runs in a process of its own, so that its memory hides nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
/** As part of the suite. */
const LIMIT_SECONDS = 300;

/** Growth that counts as flat, in MiB: code that V8 optimises late, and pages that the allocator keeps. */
const RESIDENT_SLACK = 24;
/** The same for the heap after garbage collection, where nothing of a request may stay. */
const HEAP_SLACK = 2;

export interface Sample {
  readonly decisions: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
  /** Sizes of all memories that guests have, together. */
  readonly guest: number;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** Every memory that an engine makes from now on: they must keep their size. */
function watchMemories(): readonly Memory[] {
  const api = globalThis as unknown as { WebAssembly: { Memory: new (limits: object) => Memory } };
  const memories: Memory[] = [];
  const { Memory } = api.WebAssembly;
  api.WebAssembly.Memory = class extends Memory {
    constructor(limits: object) {
      super(limits);
      memories.push(this);
    }
  };
  return memories;
}

const memories = watchMemories();

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
  const guest = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  return {
    decisions,
    resident: mebibytes(rss),
    heap: mebibytes(heapUsed),
    external: mebibytes(external),
    guest: mebibytes(guest),
  };
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

/** Memory over many decisions. */
export interface MemoryResult {
  readonly decisions: number;
  readonly samples: readonly Sample[];
  /** By how much the later samples lie above the first one, in MiB. */
  readonly resident: number;
  readonly heap: number;
  readonly flat: boolean;
}

/** Decides in this process, which nothing else should have used before. */
async function measureHere(decisions: number, bundleFile: string): Promise<MemoryResult> {
  const bundle = bundleFile === "" ? await compileElsewhere() : readFileSync(bundleFile);
  const samples = decide(await Engine.load(bundle), decisions);
  const resident = growth(samples, (one) => one.resident);
  const heap = growth(samples, (one) => one.heap);
  const guestIsFixed = growth(samples, (one) => one.guest) === 0;
  const flat = resident <= RESIDENT_SLACK && heap <= HEAP_SLACK && guestIsFixed;
  return { decisions, samples, resident, heap, flat };
}

/** The same in a process of its own, for the suite; `bundle` is the compiled load-test set. */
export async function measureMemory(bundle: Uint8Array, decisions: number): Promise<MemoryResult> {
  const directory = mkdtempSync(join(tmpdir(), "edict-soak-"));
  try {
    const file = join(directory, "loadtest.edict");
    writeFileSync(file, bundle);
    const self = fileURLToPath(import.meta.url);
    const args = ["--import", "tsx", self, "--json", "--decisions", String(decisions), "--bundle", file];
    const result: MemoryResult = JSON.parse(await runToEnd(process.execPath, args, {}, LIMIT_SECONDS));
    return result;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      decisions: { type: "string", default: "10000000" },
      json: { type: "boolean", default: false },
      bundle: { type: "string", default: "" },
    },
  });
  const decisions = Number(values.decisions);
  if (!Number.isInteger(decisions) || decisions < INTERVALS) {
    say(`\`--decisions\` wants a whole number from ${INTERVALS}`);
    return 2;
  }
  if (!hasCorpus()) {
    say(`the load-test set is not at ${loadtestDirectory()}; point EDICT_CORPUS at the corpus`);
    return 2;
  }
  const { samples, resident, heap, flat, ...rest } = await measureHere(decisions, values.bundle);
  if (values.json) {
    console.log(JSON.stringify({ samples, resident, heap, flat, ...rest }));
    return 0;
  }
  const rows = samples.map((one) => [
    thousands(one.decisions),
    one.resident.toFixed(1),
    one.heap.toFixed(1),
    one.external.toFixed(1),
    one.guest.toFixed(1),
  ]);
  console.log(table(["decisions", "resident MiB", "heap MiB", "external MiB", "guest MiB"], rows));
  console.log(
    `${flat ? "flat" : "not flat"}: resident ${resident.toFixed(1)} MiB above the first sample (${RESIDENT_SLACK} allowed), ` +
      `heap ${heap.toFixed(1)} MiB (${HEAP_SLACK} allowed)`,
  );
  return flat ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
