/**
 * What it brings to decide requests together that arrive together: `npx tsx bench/micro/together.ts`, after `npm run build`. Load-test bodies of 10
 * decisions, asked one by one, as the 16 frames of a stream's message, and as 16 bodies of different clients, alternating in one process;
 * medians of the ratios of the rounds.
 */
import { STATUS_OK } from "../../assembly/abi.ts";
import { compile } from "../../compiler/index.ts";
import { Engine } from "../../runtime/index.ts";
import { loadtestBodies, loadtestPolicies } from "../load/loadtest-set.ts";
import { median, medianRatio } from "../report/statistics.ts";
import { table } from "../report/table.ts";
import { callsOf } from "./bodies-together.ts";

const COPIES = 100;
const AT_ONCE = 16;
const DECISIONS = 10;
const ROUNDS = 120;
const WARM_UP = 20;

const { bundle } = await compile(loadtestPolicies(COPIES));
if (bundle === undefined) throw new Error("the load-test set does not compile");
const engine = await Engine.load(bundle);
const bodies = loadtestBodies(COPIES)
  .filter(({ decisions }) => decisions === DECISIONS)
  .slice(0, 64);

/** `items` in groups of AT_ONCE. */
function groups<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: items.length / AT_ONCE }, (_, at) =>
    items.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  );
}

function frame(id: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x92, id, 0xc5, body.byteLength >> 8, body.byteLength & 0xff]), body]);
}

function oneByOne(encoding: "json" | "msgpack"): () => void {
  return () => {
    for (const body of bodies)
      if (engine.checkBytes(body[encoding], encoding).status !== STATUS_OK)
        throw new Error("a request was refused");
  };
}

function asFrames(): () => void {
  const messages = groups(bodies).map((group) =>
    Buffer.concat(group.map((body, id) => frame(id, body.msgpack))),
  );
  return () => {
    for (const message of messages) {
      engine.decideFrames(message, AT_ONCE, message.byteLength);
      if (engine.framesDecided !== AT_ONCE) throw new Error("a frame was refused");
    }
  };
}

function asBodies(encoding: "json" | "msgpack"): () => void {
  const calls = callsOf(
    bodies.map((body) => body[encoding]),
    encoding,
    AT_ONCE,
  );
  return () => {
    for (const call of calls) call(engine);
  };
}

function microseconds(work: () => void): number {
  const began = performance.now();
  for (let repeat = 0; repeat < 4; repeat++) work();
  return ((performance.now() - began) * 1000) / 4 / bodies.length;
}

const rows: string[][] = [];
for (const [name, alone, together] of [
  ["msgpack, frames", oneByOne("msgpack"), asFrames()],
  ["msgpack, bodies", oneByOne("msgpack"), asBodies("msgpack")],
  ["json, bodies", oneByOne("json"), asBodies("json")],
] as const) {
  const times: readonly [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const isFirst = round % 2 === 0;
    const one = isFirst ? microseconds(alone) : 0;
    const other = microseconds(together);
    const again = isFirst ? one : microseconds(alone);
    if (round < WARM_UP) continue;
    times[0].push(again);
    times[1].push(other);
  }
  const ratio = medianRatio(times[1], times[0]);
  rows.push([name, median(times[0]).toFixed(2), median(times[1]).toFixed(2), ratio.toFixed(3)]);
}
console.log(table(["10 decisions each", "alone, µs", "together, µs", "together to alone"], rows));
