/**
 * Two builds of the guest's core in one process, on the load-test set: `npx tsx bench/micro/cores.ts <core.wasm> [<other.wasm>]`, after
 * `npm run build`. Medians of the ratios of rounds that alternate, for single requests, batches, and requests decided together. With one
 * file it is asked one load for `--seconds` and prints what a call takes: something to profile (instructions.ts, bench/profile.md).
 *
 * A core that another compiler generates code for comes as a bundle, which its own tree writes: `... <core.wasm> --write <bundle>`. What
 * does not begin as WebAssembly does is taken for such a bundle.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { compile } from "../../compiler/index.ts";
import { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";
import { loadtestPolicies } from "../load/loadtest-set.ts";
import { median, medianRatio } from "../report/statistics.ts";
import { table } from "../report/table.ts";
import { AT_ONCE, LOADS, roundOf, type Load, type Round } from "./loads.ts";

const COPIES = 100;
const ROUNDS = 60;
const ENCODINGS = ["json", "msgpack"] as const;
/** How often a load is asked before the time is taken, and what its rows are called. */
const REPEATS: Readonly<Record<Load, number>> = { single: 4, batch: 2, together: 1 };
const NAMES: Readonly<Record<Load, string>> = {
  single: "10",
  batch: "1000",
  together: `${AT_ONCE} x 10`,
};

/** The load-test set with the core in `file`, or the bundle that it is. */
async function bundleOf(file: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(readFileSync(file));
  if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "\0asm") return bytes;
  const { bundle } = await compile(loadtestPolicies(COPIES), { core: bytes });
  if (bundle === undefined) throw new Error("the load-test set does not compile");
  return bundle;
}

async function engineOf(file: string): Promise<Engine> {
  return Engine.load(await bundleOf(file), { maxResourcesPerRequest: 1000, maxBodyBytes: 16 * 1024 * 1024 });
}

/** Microseconds per call. */
function timed(engine: Engine, round: Round, repeats: number): number {
  const began = performance.now();
  let calls = 0;
  for (let repeat = 0; repeat < repeats; repeat++) calls += round(engine);
  return ((performance.now() - began) * 1000) / calls;
}

/** A row of the comparison. */
function compare(first: Engine, second: Engine, load: Load, encoding: Encoding): string[] {
  const round = roundOf(load, encoding, COPIES);
  const times: readonly [number[], number[]] = [[], []];
  for (let turn = 0; turn < ROUNDS + 10; turn++) {
    const both = turn % 2 === 0 ? ([first, second] as const) : ([second, first] as const);
    const [one, other] = both.map((engine) => timed(engine, round, REPEATS[load]));
    // The first ones warm up.
    if (turn < 10 || one === undefined || other === undefined) continue;
    times[0].push(turn % 2 === 0 ? one : other);
    times[1].push(turn % 2 === 0 ? other : one);
  }
  return [
    NAMES[load],
    encoding,
    median(times[0]).toFixed(2),
    median(times[1]).toFixed(2),
    medianRatio(times[1], times[0]).toFixed(3),
  ];
}

function compareCores(first: Engine, second: Engine): void {
  const rows = LOADS.flatMap((load) => ENCODINGS.map((encoding) => compare(first, second, load, encoding)));
  console.log(table(["decisions per call", "encoding", "first, µs", "second, µs", "second to first"], rows));
}

function askOne(engine: Engine, load: Load, encoding: Encoding, seconds: number): void {
  const round = roundOf(load, encoding, COPIES);
  const times: number[] = [];
  console.log("asking");
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) times.push(timed(engine, round, REPEATS[load]));
  console.log(`${median(times).toFixed(2)} µs per call`);
}

/** The one of `known` that an option names. */
function oneOf<Name extends string>(known: readonly Name[], name: string): Name {
  const found = known.find((one) => one === name);
  if (found === undefined) throw new Error(`"${name}" is none of ${known.join(", ")}`);
  return found;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "8" },
    load: { type: "string", default: "single" },
    encoding: { type: "string", default: "json" },
    write: { type: "string" },
  },
});
const [file, other] = positionals;
if (file === undefined) {
  process.stderr.write(
    "usage: tsx bench/micro/cores.ts <core.wasm> [<other.wasm>] [--seconds <n>] [--load single|batch|together] [--encoding json|msgpack] [--write <bundle>]\n",
  );
  process.exitCode = 2;
} else if (values.write !== undefined) writeFileSync(values.write, await bundleOf(file));
else if (other === undefined) {
  const encoding = oneOf(ENCODINGS, values.encoding);
  askOne(await engineOf(file), oneOf(LOADS, values.load), encoding, Number(values.seconds));
} else compareCores(await engineOf(file), await engineOf(other));
