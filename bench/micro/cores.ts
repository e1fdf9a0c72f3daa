/**
 * Two builds of the guest's core in one process, on the load-test set: `npx tsx bench/micro/cores.ts <core.wasm> [<other.wasm>]`, after
 * `npm run build`. Medians of the ratios of rounds that alternate, for single requests, batches, requests decided together, and AuthZEN batches, or
 * for the one that `--load` names. With one file it is asked one load for `--seconds` and prints what a call takes: something to profile (instructions.ts, bench/profile.md).
 *
 * A core that another compiler generates code for comes as a bundle, which its own tree writes: `... <core.wasm> --write <bundle>`. What
 * does not begin as WebAssembly does is taken for such a bundle.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { compile } from "../../compiler/index.ts";
import { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";
import { median, medianRatio } from "../report/statistics.ts";
import { table } from "../report/table.ts";
import { AT_ONCE, LOADS, policiesOf, roundOf, type Load, type Round } from "./loads.ts";

const COPIES = 100;
const ROUNDS = 60;
/** What each core is asked before anything counts: until V8 has optimised it. */
const WARM_UP_MS = 3000;
const ENCODINGS = ["json", "msgpack"] as const;
/** How often a load is asked before the time is taken, and what its rows are called. */
const REPEATS: Readonly<Record<Load, number>> = { single: 4, batch: 2, together: 1, evaluations: 10 };
const NAMES: Readonly<Record<Load, string>> = {
  single: "10",
  batch: "1000",
  together: `${AT_ONCE} x 10`,
  evaluations: "1000 evaluations",
};

/** The load-test set with the core in `file`, or the bundle that it is. */
async function bundleOf(file: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(readFileSync(file));
  if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "\0asm") return bytes;
  const { bundle } = await compile(policiesOf(COPIES), { core: bytes });
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
  for (const engine of [first, second]) {
    const end = performance.now() + WARM_UP_MS;
    while (performance.now() < end) round(engine);
  }
  for (let turn = 0; turn < ROUNDS; turn++) {
    const both = turn % 2 === 0 ? ([first, second] as const) : ([second, first] as const);
    const [one, other] = both.map((engine) => timed(engine, round, REPEATS[load]));
    if (one === undefined || other === undefined) continue;
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

function compareCores(first: Engine, second: Engine, loads: readonly Load[]): void {
  const rows = loads.flatMap((load) => ENCODINGS.map((encoding) => compare(first, second, load, encoding)));
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
    load: { type: "string" },
    encoding: { type: "string", default: "json" },
    write: { type: "string" },
  },
});
const [file, other] = positionals;
if (file === undefined) {
  process.stderr.write(
    "usage: tsx bench/micro/cores.ts <core.wasm> [<other.wasm>] [--seconds <n>] [--load single|batch|together|evaluations] [--encoding json|msgpack] [--write <bundle>]\n",
  );
  process.exitCode = 2;
} else if (values.write !== undefined) writeFileSync(values.write, await bundleOf(file));
else if (other === undefined) {
  const encoding = oneOf(ENCODINGS, values.encoding);
  askOne(await engineOf(file), oneOf(LOADS, values.load ?? "single"), encoding, Number(values.seconds));
} else {
  const loads = values.load === undefined ? LOADS : [oneOf(LOADS, values.load)];
  compareCores(await engineOf(file), await engineOf(other), loads);
}
