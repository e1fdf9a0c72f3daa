/**
 * What the guest takes when other work lies between its calls: `npx tsx bench/micro/entered-cold.ts`, after `npm run build`. Load-test bodies, eight a
 * call as on 16 connections of the daemon; between two calls so much other memory is written, and a thread beside it does nothing, computes, or streams
 * through memory. Microseconds per request, medians over calls.
 */
import { Worker } from "node:worker_threads";

import { compile } from "../../compiler/index.ts";
import { Engine } from "../../runtime/index.ts";
import { loadtestBodies, loadtestPolicies } from "../load/loadtest-set.ts";
import { pause } from "../load/processes.ts";
import { median } from "../report/statistics.ts";
import { table } from "../report/table.ts";
import { callsOf } from "./bodies-together.ts";

const COPIES = 100;
const AT_ONCE = 8;
const KIB = 1024;
const CACHE_LINE = 64;
const WARM_UP_MS = 3000;
const MEASURED_MS = 1500;
/** Written between two calls, in KiB. */
const WRITTEN = [0, 64, 256, 1024, 4096] as const;
const NEIGHBOURS = {
  nothing: null,
  computes: "let x = 1; for (;;) x = (Math.imul(x, 1103515245) + 12345) | 0;",
  streams:
    "const all = new Uint8Array(64 << 20); for (;;) for (let at = 0; at < all.length; at += 64) all[at]++;",
} as const;

const { bundle } = await compile(loadtestPolicies(COPIES));
if (bundle === undefined) throw new Error("the load-test set does not compile");
const engine = await Engine.load(bundle);
const bodies = loadtestBodies(COPIES);

function measure(calls: ReturnType<typeof callsOf>, written: Uint8Array, milliseconds: number): number {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end)
    for (const call of calls) {
      for (let at = 0; at < written.length; at += CACHE_LINE) written[at] = at;
      const began = performance.now();
      call(engine);
      times.push(((performance.now() - began) * 1000) / AT_ONCE);
    }
  return median(times);
}

const rows: string[][] = [];
for (const encoding of ["json", "msgpack"] as const) {
  const calls = callsOf(
    bodies.map((body) => body[encoding]),
    encoding,
    AT_ONCE,
  );
  measure(calls, new Uint8Array(0), WARM_UP_MS);
  for (const [neighbour, code] of Object.entries(NEIGHBOURS)) {
    const worker = code === null ? null : new Worker(code, { eval: true });
    await pause(500);
    const times = WRITTEN.map((size) => measure(calls, new Uint8Array(size * KIB), MEASURED_MS).toFixed(2));
    rows.push([encoding, neighbour, ...times]);
    await worker?.terminate();
  }
}
const headings = WRITTEN.map((size) => `${size} KiB written`);
console.log(table(["µs per request", "the thread beside it", ...headings], rows));
