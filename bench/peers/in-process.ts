/**
 * Engines that run inside the asking process, on the same requests: bytes of JSON in, bytes of JSON out. Each has to give
 * edict's decisions on a sample of the bodies before it is measured; the order alternates by rounds.
 */
import { compile } from "../../compiler/index.ts";
import { Engine } from "../../runtime/index.ts";
import { loadtestBodies, loadtestPolicies, type RequestBody } from "../load/loadtest-set.ts";
import type { BenchOptions } from "../options.ts";
import { median, spread } from "../report/statistics.ts";
import { casbin } from "./casbin.ts";
import { casl } from "./casl.ts";
import { cedar } from "./cedar.ts";
import { answer, type Peer } from "./peer.ts";
import { plainTypeScript } from "./plain-typescript.ts";
import { steadily } from "../load/steadiness.ts";

export interface PeerRow {
  readonly name: string;
  readonly version: string;
  /** Medians over the rounds. */
  readonly microsecondsPerRequest: number;
  readonly decisionsPerSecond: number;
  readonly spread: number;
}

/** Everything on one set of policies. */
export interface PeersResult {
  readonly copies: number;
  readonly bodies: number;
  readonly decisionsPerRequest: number;
  readonly rows: readonly PeerRow[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

interface Response {
  readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
}

/** Bodies that each engine has to decide as edict does; more repeat the same policies, and slow engines take seconds for them. */
const COMPARED_BODIES = 6;

function effectsOf(bytes: Uint8Array): string {
  const response: Response = JSON.parse(Buffer.from(bytes).toString());
  return JSON.stringify(
    response.results.map(({ actions }) => Object.entries(actions).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}

interface Contender {
  readonly name: string;
  readonly version: string;
  readonly answer: (body: Uint8Array) => Uint8Array;
  readonly rates: number[];
}

/** Answers whole rounds of the bodies until the time is up; returns requests per second. */
function burst(contender: Contender, bodies: readonly RequestBody[], milliseconds: number): number {
  const started = performance.now();
  let requests = 0;
  for (;;) {
    for (const body of bodies) {
      contender.answer(body.json);
      requests++;
      // Slow engines do not get through all of them in time; the clock is read so seldom that fast ones do not notice.
      if ((requests & 1) !== 0) continue;
      const elapsed = performance.now() - started;
      if (elapsed > milliseconds) return (requests * 1000) / elapsed;
    }
  }
}

async function findPeers(copies: number, notes: string[]): Promise<Peer[]> {
  const peers = [plainTypeScript(copies)];
  for (const [name, make] of [
    ["CASL", casl],
    ["casbin", casbin],
    ["cedar-wasm", cedar],
  ] as const) {
    try {
      const peer = await make(copies);
      if (peer === undefined)
        notes.push(`${name} is not installed: run \`npm ci --prefix bench/peers\`; it was left out`);
      else peers.push(peer);
    } catch (error) {
      notes.push(
        `${name} failed and was left out: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return peers;
}

/**
 * Measures all on the whole load-test set, and on one copy of it: some engines try every policy for every question, and
 * their users keep the sets small.
 */
export async function measurePeers(
  bundle: Uint8Array,
  options: BenchOptions,
): Promise<readonly PeersResult[]> {
  const { bundle: small } = await compile(loadtestPolicies(1));
  if (small === undefined) throw new Error("one copy of the load-test set does not compile");
  return [await measureSet(small, 1, options), await measureSet(bundle, options.copies, options)];
}

async function measureSet(bundle: Uint8Array, copies: number, options: BenchOptions): Promise<PeersResult> {
  const bodies = loadtestBodies(copies);
  const notes: string[] = [];
  const engine = await Engine.load(bundle);
  const contenders: Contender[] = [
    { name: "edict", version: "", answer: (body) => engine.checkBytes(body, "json").bytes, rates: [] },
  ];
  const expected = bodies.map((body) => effectsOf(engine.checkBytes(body.json, "json").bytes));
  for (const peer of await findPeers(copies, notes)) {
    const contender = { ...peer, answer: (body: Uint8Array) => answer(peer, body), rates: [] };
    const wrong = bodies
      .slice(0, COMPARED_BODIES)
      .findIndex((body, index) => effectsOf(contender.answer(body.json)) !== expected[index]);
    if (wrong >= 0) notes.push(`${peer.name} decides body ${wrong} otherwise than edict and was left out`);
    else contenders.push(contender);
  }
  const milliseconds = options.quick ? 200 : 700;
  for (const contender of contenders) burst(contender, bodies, milliseconds);
  for (let round = 0; round < Math.min(3, options.rounds); round++) {
    for (const contender of contenders)
      contender.rates.push(await steadily(() => burst(contender, bodies, milliseconds)));
  }
  const decisions = bodies.reduce((sum, body) => sum + body.decisions, 0) / bodies.length;
  return {
    copies,
    bodies: bodies.length,
    decisionsPerRequest: decisions,
    rows: contenders.map(({ name, version, rates }) => ({
      name,
      version,
      microsecondsPerRequest: 1e6 / median(rates),
      decisionsPerSecond: median(rates) * decisions,
      spread: spread(rates),
    })),
    notes,
  };
}
