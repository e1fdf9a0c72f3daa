/**
 * Fuzzes engines in this process. Every body must end in a status that a body may end in; what is decided is held against
 * the oracle; a known request must be answered as before, whatever came in between.
 */
import {
  FLAG_DENY_ALL,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  STATUS_AUX_DATA,
  STATUS_ESCAPE,
  STATUS_FUEL,
  STATUS_INVALID_REQUEST,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
  STATUS_TOO_MANY_ACTIONS,
  STATUS_TOO_MANY_PAIRS,
  STATUS_TOO_MANY_RESOURCES,
  STATUS_TRUNCATED,
} from "../../assembly/abi.ts";
import { Engine, STATUS_TOO_LARGE } from "../../runtime/guest/engine.ts";
import { type Format, RequestError } from "../../runtime/index.ts";
import { TokenVerifier } from "../../runtime/aux-data/token-verifier.ts";
import { TokenError } from "../../runtime/errors.ts";
import { UNVERIFIED_OPTIONS } from "../differential/generate/tokens.ts";
import { Random } from "../differential/random.ts";
import { AnswerCheck, mayAllow } from "./check-answer.ts";
import { type Body, BodySource } from "./bodies.ts";
import type { Findings } from "./findings.ts";
import { claimsOf, judge, requestOf } from "./oracle.ts";
import { PLAIN_JSON, writeJson } from "./write-json.ts";
import { writeMsgpack } from "./write-msgpack.ts";
import type { World } from "./worlds.ts";

export interface EngineRunOptions {
  readonly requests: number;
  readonly seed: number;
  /** Every how many bodies an answer without an ALLOW, or a refusal, is held against the oracle. */
  readonly every: number;
  /** The same for answers with an ALLOW; 1 is all of them. */
  readonly everyAllow: number;
  readonly progress: (done: number) => void;
}

export interface EngineCounts {
  readonly statuses: ReadonlyMap<number, number>;
  readonly compared: number;
  readonly allowed: number;
  readonly canaries: number;
  readonly claims: number;
  /** The slowest bodies: milliseconds, bytes, what was done. */
  readonly slowest: readonly Slow[];
}

export interface Slow {
  readonly ms: number;
  readonly bytes: number;
  readonly what: string;
}

/** Requests between two looks at a known one. */
const CANARY_EVERY = 16;
const MASK = '"cerbosCallId":"';
const CALL_ID_LENGTH = 26;
const SLOWEST = 5;
const WORTH_A_LOOK_MS = 5;
/** Refusals between two whose words are asked for, which takes far longer than refusing. */
const DESCRIBED_EVERY = 5;
/** Tokens that are new take a promise each, so only every so many are verified. */
const TOKENS_EVERY = 8;

const numbers = { json: FORMAT_JSON, msgpack: FORMAT_MSGPACK } as const;
const BUDGET: ReadonlySet<number> = new Set([STATUS_FUEL, STATUS_MEMORY, STATUS_OUTPUT_FULL]);

function isRefusal(status: number): boolean {
  return (
    (status >= STATUS_TRUNCATED && status <= STATUS_ESCAPE) ||
    status === STATUS_INVALID_REQUEST ||
    status === STATUS_TOO_LARGE ||
    status === STATUS_TOO_MANY_PAIRS ||
    status === STATUS_TOO_MANY_ACTIONS ||
    status === STATUS_TOO_MANY_RESOURCES
  );
}

/** A known request and what it is answered. */
interface Canary {
  readonly bytes: Buffer;
  readonly format: Format;
  answer: Buffer | null;
}

interface Subject {
  readonly engine: Engine;
  readonly check: AnswerCheck;
  readonly canaries: readonly Canary[];
}

/** Runs; findings are added to `findings`. */
export async function fuzzEngines(
  worlds: readonly World[],
  options: EngineRunOptions,
  findings: Findings,
): Promise<EngineCounts> {
  const run = new EngineRun(options, findings);
  await run.start(worlds);
  const source = new BodySource(worlds, options.seed);
  for (let turn = 0; turn < options.requests; turn += 1) {
    const body = source.next();
    const answered = run.ask(body, turn);
    if (answered.isRequest) source.keep(body);
    if (answered.later !== null) await answered.later;
    options.progress(turn + 1);
  }
  return run.counts();
}

class EngineRun {
  readonly #options: EngineRunOptions;
  readonly #findings: Findings;
  readonly #subjects = new Map<World, Subject>();
  readonly #statuses = new Map<number, number>();
  readonly #slowest: Slow[] = [];
  readonly #random: Random;
  #canaries = 0;
  #claims = 0;

  constructor(options: EngineRunOptions, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
    this.#random = new Random(options.seed ^ 0x0ff5e7);
  }

  async start(worlds: readonly World[]): Promise<void> {
    for (const world of worlds) {
      const tokens = await TokenVerifier.start(UNVERIFIED_OPTIONS);
      const engine = await Engine.load(world.bundle, { ...world.options, tokens });
      const limits = {
        maxActions: engine.options.maxActionsPerResource,
        maxResources: engine.options.maxResourcesPerRequest,
      };
      const canaries = world.requests.slice(0, 4).flatMap((request): readonly Canary[] => [
        { bytes: writeJson(request, PLAIN_JSON, this.#random), format: "json", answer: null },
        { bytes: writeMsgpack(request, 0, this.#random), format: "msgpack", answer: null },
      ]);
      const subject = { engine, check: new AnswerCheck(this.#findings, limits), canaries };
      this.#subjects.set(world, subject);
      for (const canary of canaries) canary.answer = this.#answer(subject, canary);
    }
  }

  /** The answer to a known request, without its id. */
  #answer({ engine }: Subject, { bytes, format }: Canary): Buffer {
    const status = engine.decide(bytes, numbers[format], FORMAT_JSON, 0);
    if (status !== STATUS_OK) return Buffer.from(`status ${status}`);
    const answer = Buffer.from(engine.output());
    const at = answer.lastIndexOf(MASK);
    if (at >= 0) answer.fill(0x78, at + MASK.length, at + MASK.length + CALL_ID_LENGTH);
    return answer;
  }

  /** Asks one body: whether it was taken for a request, and a promise when its tokens are verified. */
  ask(body: Body, turn: number): { readonly isRequest: boolean; readonly later: Promise<void> | null } {
    const subject = this.#subjects.get(body.world);
    if (subject === undefined) throw new Error("no engine for this world");
    const { engine } = subject;
    const output = this.#random.chance(0.6) ? body.format : this.#random.chance(0.5) ? "json" : "msgpack";
    const traps = engine.traps;
    const begun = performance.now();
    const status = engine.decide(body.bytes, numbers[body.format], numbers[output], 0);
    this.#slow(begun, body, "deciding", () =>
      engine.decide(body.bytes, numbers[body.format], numbers[output], 0),
    );
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const later =
      status === STATUS_AUX_DATA && turn % TOKENS_EVERY === 0
        ? this.#withTokens(subject, body, output)
        : null;
    if (status === STATUS_OK) this.#decided(subject, body, output, turn);
    else if (BUDGET.has(status)) this.#overBudget(subject, body, output);
    else if (isRefusal(status)) this.#refused(subject, body, status, turn);
    else if (status !== STATUS_AUX_DATA) this.#findings.add(`status ${status}`, "no status of a body", body);
    if (engine.traps !== traps) this.#findings.add("trap", engine.failure(-1, body.bytes, 0).message, body);
    if (turn % CANARY_EVERY === 0 || BUDGET.has(status)) this.#lookAtCanary(subject, body);
    return { isRequest: status === STATUS_OK || status === STATUS_AUX_DATA, later };
  }

  #decided({ engine, check }: Subject, body: Body, output: Format, turn: number): void {
    const answer = engine.output();
    const rate = mayAllow(answer) ? this.#options.everyAllow : this.#options.every;
    if (turn % rate === 0) check.decided(body, Buffer.from(answer), output);
    else if (body.format === "json") {
      try {
        JSON.parse(body.bytes.toString("utf8"));
      } catch (error) {
        this.#findings.add("decided what is no JSON", String(error), body);
      }
    }
  }

  #overBudget({ engine, check }: Subject, body: Body, output: Format): void {
    const status = engine.decide(body.bytes, numbers[body.format], numbers[output], FLAG_DENY_ALL);
    if (status === STATUS_OK) check.denied(body, Buffer.from(engine.output()), output);
    else if (!BUDGET.has(status)) this.#findings.add(`status ${status} for denying all`, "", body);
  }

  #refused({ engine, check }: Subject, body: Body, status: number, turn: number): void {
    if (turn % DESCRIBED_EVERY !== 0) return;
    const begun = performance.now();
    const error = engine.failure(status, body.bytes, numbers[body.format]);
    this.#slow(begun, body, `describing status ${status}`, () =>
      engine.failure(status, body.bytes, numbers[body.format]),
    );
    if (!(error instanceof RequestError) || error.message === "") {
      this.#findings.add(`no words for status ${status}`, error.message, body);
    }
    if (turn % this.#options.every === 0 && status !== STATUS_TOO_LARGE) check.refused(body, String(status));
  }

  /** Tokens whose signatures nobody looks at: their claims decide. */
  async #withTokens({ engine, check }: Subject, body: Body, output: Format): Promise<void> {
    const format = numbers[body.format];
    let claims: Uint8Array;
    try {
      claims = engine.rememberedClaims(body.bytes, format) ?? (await engine.verifyTokens(body.bytes, format));
    } catch (error) {
      if (!(error instanceof TokenError)) this.#findings.add("verifying failed", String(error), body);
      return;
    }
    this.#claims += 1;
    const status = engine.decide(body.bytes, format, numbers[output], 0, claims);
    const { maxActionsPerResource, maxResourcesPerRequest } = engine.options;
    const limits = { maxActions: maxActionsPerResource, maxResources: maxResourcesPerRequest };
    const wanted = judge(body.bytes, body.format, limits);
    if (wanted.kind !== "tokens") {
      this.#findings.add("tokens where there are none", wanted.kind, body);
      return;
    }
    const auxData = claimsOf(wanted.parsed);
    if (auxData === undefined) this.#findings.add("accepted what is no token", "", body);
    else if (status === STATUS_OK) {
      check.compare(body, { ...requestOf(wanted.content), auxData }, Buffer.from(engine.output()), output);
    } else if (!BUDGET.has(status)) this.#findings.add(`status ${status} with claims`, "", body);
  }

  #lookAtCanary(subject: Subject, after: Body): void {
    const canary = subject.canaries[this.#random.below(subject.canaries.length)];
    if (canary === undefined) return;
    this.#canaries += 1;
    const answer = this.#answer(subject, canary);
    if (canary.answer !== null && answer.equals(canary.answer)) return;
    this.#findings.add(
      "a known request is answered otherwise",
      `${canary.answer?.toString()} now ${answer.toString()}`,
      after,
    );
  }

  /** Notes what took long, if it takes long again: the first time it may have been the machine. */
  #slow(begun: number, body: Body, what: string, again: () => unknown): void {
    const first = performance.now() - begun;
    if (first < WORTH_A_LOOK_MS) return;
    const before = performance.now();
    again();
    const ms = Math.min(first, performance.now() - before);
    if (this.#slowest.length === SLOWEST && ms <= (this.#slowest.at(-1)?.ms ?? 0)) return;
    this.#slowest.push({ ms, bytes: body.bytes.length, what: `${what}, ${body.world.name}, ${body.format}` });
    this.#slowest.sort((a, b) => b.ms - a.ms);
    this.#slowest.length = Math.min(this.#slowest.length, SLOWEST);
  }

  counts(): EngineCounts {
    const checks = [...this.#subjects.values()].map(({ check }) => check);
    return {
      statuses: this.#statuses,
      compared: checks.reduce((sum, { compared }) => sum + compared, 0),
      allowed: checks.reduce((sum, { allowed }) => sum + allowed, 0),
      canaries: this.#canaries,
      claims: this.#claims,
      slowest: this.#slowest,
    };
  }
}
