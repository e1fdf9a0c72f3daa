/**
 * Asks everybody the requests of a batch and compares the answers with the interpreter's: edict's engines (peers.ts) and the
 * real Cerbos where it is installed. Differences that a known defect of the binary explains are counted by defect.
 */
import type { SourceFile } from "../../../compiler/load/index.ts";
import type { Program } from "../../../compiler/ir/program.ts";
import { withPolicyDirectory, type CaseEngine } from "../../support/cases.ts";
import { programOf } from "../../support/programs.ts";
import { differences } from "../compare.ts";
import { check } from "../interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "../interpreter/request.ts";
import type { EngineSettings } from "../interpreter/settings.ts";
import { explain, unchanging, type Suspect } from "./explain.ts";
import { filesOf, withSchemas } from "./schemas.ts";
import { CERBOS, cerbosPeer, edictPeers, type Peer, type Reply } from "./peers.ts";

/** Somebody answered otherwise than the interpreter. */
export interface Difference {
  readonly who: string;
  readonly settings: CaseEngine;
  readonly request: CheckRequest;
  readonly lines: readonly string[];
}

export interface BatchResult {
  readonly differences: readonly Difference[];
  readonly explained: ReadonlyMap<string, number>;
  /** Answers compared, by who gave them. */
  readonly answers: ReadonlyMap<string, number>;
  readonly requests: number;
  readonly decisions: number;
  readonly allowed: number;
  readonly outputs: number;
  readonly outputErrors: number;
  readonly traps: number;
}

/** Requests in flight, so that the servers work while the interpreter does. */
const AT_ONCE = 8;

/** Runs the requests. */
export async function checkBatch(
  policies: readonly object[],
  settings: CaseEngine,
  requests: readonly CheckRequest[],
  withCerbos: boolean,
): Promise<BatchResult> {
  const sources = filesOf(policies);
  const { program, diagnostics } = programOf(sources);
  if (program === undefined) {
    throw new Error(`edict refuses the set: ${diagnostics.map(({ message }) => message).join("; ")}`);
  }
  return withPolicyDirectory(spread(sources), async (directory) => {
    const peers: Peer[] = [];
    let traps = 0;
    const run = new Run(program, peers);
    try {
      peers.push(...(await edictPeers(sources, settings, directory)));
      if (withCerbos) peers.push(await cerbosPeer(directory, settings));
      for (let at = 0; at < requests.length; at += AT_ONCE) {
        await Promise.all(requests.slice(at, at + AT_ONCE).map((request) => run.ask(request, settings)));
      }
    } finally {
      for (const peer of peers) traps += await peer.stop();
    }
    if (withCerbos) {
      await run.putToTheTest(settings, async () => {
        const peer = await cerbosPeer(directory, settings);
        return { ask: (request) => peer.answer(request, "json"), stop: () => peer.stop() };
      });
    }
    return { ...run.result(), traps };
  });
}

/** On many lines: error contexts of one long line make Cerbos slow to start. */
function spread(sources: readonly SourceFile[]): readonly SourceFile[] {
  return sources.map(({ path, text }) => ({ path, text: JSON.stringify(JSON.parse(text), null, 1) }));
}

class Run {
  readonly #program: Program;
  readonly #peers: readonly Peer[];
  readonly #found: Difference[] = [];
  readonly #explained = new Map<string, number>();
  readonly #answers = new Map<string, number>();
  readonly #suspects: Suspect[] = [];
  readonly #counts = { requests: 0, decisions: 0, allowed: 0, outputs: 0, outputErrors: 0 };

  constructor(program: Program, peers: readonly Peer[]) {
    this.#program = program;
    this.#peers = peers;
  }

  async ask(request: CheckRequest, settings: CaseEngine): Promise<void> {
    const turn = this.#counts.requests;
    const now = BigInt(Date.now()) * 1_000_000n;
    const want = this.#check(request, settings, now);
    this.#count(want);
    // A prime, so that no peer that takes turns meets one format only.
    const format = turn % 7 < 4 ? "json" : "msgpack";
    const compare = async (peer: Peer): Promise<void> => {
      const isSame = peer.settings.onError === settings.onError;
      const expected = isSame ? want : this.#check(request, peer.settings, now);
      const reply = await peer.answer(request, format);
      add(this.#answers, `${peer.name}, ${peer.settings.onError}`);
      const lines = differences(reply.body, expected);
      if (lines.length === 0) return;
      const isExplained =
        peer.name === CERBOS &&
        (await this.#explain(peer, request, { ...withSchemas(this.#program, settings), now }, reply));
      const who = peer.name === CERBOS ? CERBOS : `${peer.name} (${format})`;
      if (!isExplained) this.#found.push({ who, settings: peer.settings, request, lines });
    };
    await Promise.all(this.#peers.filter((peer) => peer.takes(turn)).map(compare));
  }

  #check(request: CheckRequest, settings: CaseEngine, now: bigint): CheckResponse {
    return check(this.#program, request, { ...withSchemas(this.#program, settings), now });
  }

  async #explain(
    peer: Peer,
    request: CheckRequest,
    settings: Partial<EngineSettings>,
    reply: Reply,
  ): Promise<boolean> {
    const ask = (one: CheckRequest): Promise<Reply> => peer.answer(one, "json");
    const explained = await explain(this.#program, request, settings, reply, ask);
    for (const name of explained?.names ?? []) add(this.#explained, name);
    this.#suspects.push(...(explained?.suspects ?? []));
    return explained !== undefined;
  }

  /** Explanations that say the answer changes from start to start: where it does not, there is a difference. */
  async putToTheTest(settings: CaseEngine, start: Parameters<typeof unchanging>[1]): Promise<void> {
    for (const { request, answer } of await unchanging(this.#suspects, start)) {
      const want = this.#check(request, settings, BigInt(Date.now()) * 1_000_000n);
      const lines = ["the same at every start", ...differences(answer, want)];
      this.#found.push({ who: CERBOS, settings, request, lines });
    }
  }

  #count({ results }: CheckResponse): void {
    this.#counts.requests += 1;
    for (const { actions, outputs = [] } of results) {
      const effects = Object.values(actions);
      this.#counts.decisions += effects.length;
      this.#counts.allowed += effects.filter((effect) => effect === "EFFECT_ALLOW").length;
      this.#counts.outputs += outputs.length;
      this.#counts.outputErrors += outputs.filter(({ error }) => error !== undefined).length;
    }
  }

  result(): Omit<BatchResult, "traps"> {
    return {
      differences: this.#found,
      explained: this.#explained,
      answers: this.#answers,
      ...this.#counts,
    };
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
