/**
 * Two builds of the guest's core in one process, on the load-test set: `npx tsx bench/micro/cores.ts <core.wasm> [<other.wasm>]`, after
 * `npm run build`. Medians of the ratios of rounds that alternate, for single requests, batches, and requests decided together. With one
 * file it is asked single requests for `--seconds` and prints what one takes: something to profile (bench/profile.md).
 *
 * A core that another compiler generates code for comes as a bundle, which its own tree writes: `... <core.wasm> --write <bundle>`. What
 * does not begin as WebAssembly does is taken for such a bundle.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { compile } from "../../compiler/index.ts";
import { BodyTable } from "../../runtime/guest/body-table.ts";
import { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";
import { loadtestBodies, loadtestPolicies, type RequestBody } from "../load/loadtest-set.ts";
import { median, medianRatio } from "../report/statistics.ts";
import { table } from "../report/table.ts";
import { bodiesOf } from "./decisions.ts";

const COPIES = 100;
const ROUNDS = 60;
/** Calls of each body in a round, by decisions per call. */
const KINDS = [
  { size: 10, repeats: 4 },
  { size: 1000, repeats: 2 },
] as const;

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

/** Requests of 10 decisions that are decided in one call. */
const AT_ONCE = 16;

/** Microseconds per call. */
function round(engine: Engine, bodies: readonly RequestBody[], encoding: Encoding, repeats: number): number {
  const began = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const body of bodies)
      if (engine.checkBytes(body[encoding], encoding).status !== 0) throw new Error("a request was refused");
  return ((performance.now() - began) * 1000) / repeats / bodies.length;
}

/** The same for requests of 10 decisions, AT_ONCE of them in a call. */
function roundTogether(engine: Engine, bodies: readonly Uint8Array[], encoding: Encoding): number {
  const format = encoding === "json" ? FORMAT_JSON : FORMAT_MSGPACK;
  const places = new BodyTable();
  let calls = 0;
  const began = performance.now();
  for (let first = 0; first + AT_ONCE <= bodies.length; first += AT_ONCE, calls++) {
    const group = bodies.slice(first, first + AT_ONCE);
    let at = 0;
    for (const [index, { byteLength }] of group.entries()) {
      places.place(index, at, byteLength, format, format);
      at += byteLength;
    }
    if (!engine.decideBodies(places, Buffer.concat(group), AT_ONCE, 0))
      throw new Error("nothing was decided");
  }
  return ((performance.now() - began) * 1000) / calls;
}

function compareCores(first: Engine, second: Engine): void {
  const loadtest = loadtestBodies(COPIES);
  const rows: string[][] = [];
  const compare = (name: string, encoding: Encoding, time: (engine: Engine) => number): void => {
    const times: readonly [number[], number[]] = [[], []];
    for (let turn = 0; turn < ROUNDS + 10; turn++) {
      const both = turn % 2 === 0 ? ([first, second] as const) : ([second, first] as const);
      const [one, other] = both.map((engine) => time(engine));
      // The first ones warm up.
      if (turn < 10 || one === undefined || other === undefined) continue;
      times[0].push(turn % 2 === 0 ? one : other);
      times[1].push(turn % 2 === 0 ? other : one);
    }
    rows.push([
      name,
      encoding,
      median(times[0]).toFixed(2),
      median(times[1]).toFixed(2),
      medianRatio(times[1], times[0]).toFixed(3),
    ]);
  };
  for (const { size, repeats } of KINDS) {
    const bodies = bodiesOf(size, loadtest);
    for (const encoding of ["json", "msgpack"] as const)
      compare(`${size}`, encoding, (engine) => round(engine, bodies, encoding, repeats));
  }
  for (const encoding of ["json", "msgpack"] as const) {
    const bodies = loadtest.filter(({ decisions }) => decisions === 10).map((body) => body[encoding]);
    compare(`${AT_ONCE} x 10`, encoding, (engine) => roundTogether(engine, bodies, encoding));
  }
  console.log(table(["decisions per call", "encoding", "first, µs", "second, µs", "second to first"], rows));
}

function load(engine: Engine, seconds: number): void {
  const bodies = loadtestBodies(COPIES);
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) times.push(round(engine, bodies, "json", 4));
  console.log(`${median(times).toFixed(2)} µs per request`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "8" }, write: { type: "string" } },
});
const [file, other] = positionals;
if (file === undefined) {
  process.stderr.write(
    "usage: tsx bench/micro/cores.ts <core.wasm> [<other.wasm>] [--seconds <n>] [--write <bundle>]\n",
  );
  process.exitCode = 2;
} else if (values.write !== undefined) writeFileSync(values.write, await bundleOf(file));
else if (other === undefined) load(await engineOf(file), Number(values.seconds));
else compareCores(await engineOf(file), await engineOf(other));
