/**
 * The public engine: a verified bundle that decides. It owns one guest instance at a time and replaces it when it
 * traps, so that a bug in a condition costs one request and never the process. It fails closed: nothing but a
 * response written by the guest counts as a decision.
 */
import {
  FLAG_DENY_ALL,
  FLAG_ENTITIES,
  FLAG_SCHEMAS,
  FLAG_TRACE,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  MAX_CANDIDATES_SIZE,
  STATUS_AUX_DATA,
  STATUS_ENTITIES,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_NOT_READY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
  STATUS_SCHEMAS,
} from "../../assembly/abi.ts";
import { MAX_CLAIMS_SIZE } from "../aux-data/options.ts";
import { readTokens, type RequestToken } from "../aux-data/request-tokens.ts";
import type { TokenVerifier } from "../aux-data/token-verifier.ts";
import { type Bundle, readBundle } from "../bundle/bundle-file.ts";
import { parseRuleIndex, type RuleIndex } from "../bundle/rule-index.ts";
import { checkSelfTest } from "../bundle/self-test.ts";
import type { VerifyKeys } from "../bundle/signature.ts";
import { EngineError, RequestError, TokenError } from "../errors.ts";
import type { EntityLookup } from "../directory/entity-lookup.ts";
import { describeFailure } from "../request/describe.ts";
import { explainRequest, type Explanation } from "./explain.ts";
import type {
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
} from "./authzen-messages.ts";
import type { BodyTable } from "./body-table.ts";
import { evaluateMany, evaluateManyAsync, evaluateOne, evaluateOneAsync } from "./evaluate.ts";
import { Guest, type PartFacts } from "./guest.ts";
import type { CheckRequest, CheckResponse, Json } from "./messages.ts";
import type { EngineObserver } from "./observer.ts";
import { type CompiledBundle, compileModules, oneLine } from "./modules.ts";
import { AUTHZEN_FLAGS, FurtherCalls } from "./further-calls.ts";
import { noSearch, type SearchAnswer, searchCandidates, type SearchRequest } from "./search-request.ts";
import {
  type EngineOptions,
  guestSettings,
  pairLimit,
  resolveOptions,
  type ResolvedOptions,
} from "./options.ts";

/** Host-side status: the instance trapped and was replaced. */
export const STATUS_TRAP = -1;
/** Host-side status: the request is longer than `maxBodyBytes`. */
export const STATUS_TOO_LARGE = -2;

/** A decision and what led to it. */
export interface Examination {
  readonly response: CheckResponse;
  /** Records of TRACE_WORDS words. */
  readonly trace: Uint32Array;
  /** Whether a condition or an output asked what time it is. */
  readonly usedNow: boolean;
  /** OUTCOME_* of a condition for the last resource of the request. */
  evaluateCondition(id: number): number;
  /** Which rules and conditions led there, for people. Asks the guest again, so the trace is gone afterwards. */
  explain(): Explanation;
}

export type Format = "json" | "msgpack";

const FORMAT_NUMBERS: Readonly<Record<Format, number>> = { json: FORMAT_JSON, msgpack: FORMAT_MSGPACK };

const NOTHING = new Uint8Array(0);

export interface LoadOptions extends EngineOptions {
  /** Keys of which one must have signed the bundle; unsigned ones load when there are none. */
  readonly verifyKeys?: VerifyKeys | null;
}

/** A loaded bundle. Create with `Engine.load`; safe to share within a thread. */
export class Engine {
  readonly bundle: Bundle;
  readonly options: ResolvedOptions;
  /** The modules that any number of engines, also of other threads, can be started from. */
  readonly compiled: CompiledBundle;
  /** Whether every action is denied, whatever the policies say; requests are read and refused as always. */
  denies = false;
  /** Stored properties of subjects and resources, for AuthZEN bodies that carry identifiers only. */
  entities: EntityLookup | null = null;
  /** Told about every decision; set while the engine serves. */
  observer: EngineObserver | null = null;
  #guest: Guest;
  #traps = 0;
  #lastTrap: unknown = null;
  #ruleIndex: RuleIndex | null = null;
  /** FLAG_SCHEMAS when schemas are enforced and the bundle has some. */
  readonly #schemaFlag: number;
  readonly #furtherCalls: FurtherCalls;

  /**
   * Verifies, compiles, starts and self-tests a bundle. With `verifyKeys` one of them has to have signed it. Rejects with
   * `BundleError` or `EngineError`.
   */
  static async load(file: Uint8Array, { verifyKeys, ...options }: LoadOptions = {}): Promise<Engine> {
    const bundle = readBundle(file);
    await verifyKeys?.verify(bundle, new Date());
    const compiled = await compileModules(bundle);
    const engine = Engine.start(compiled, options);
    await checkSelfTest(compiled);
    return engine;
  }

  /** Starts another engine from what `load` has verified and compiled, which may come from another thread. Throws `EngineError`. */
  static start(compiled: CompiledBundle, options: EngineOptions = {}): Engine {
    return new Engine(compiled, resolveOptions(options));
  }

  private constructor(compiled: CompiledBundle, options: ResolvedOptions) {
    this.compiled = compiled;
    this.bundle = compiled.bundle;
    this.options = options;
    this.#guest = Guest.start(compiled, guestSettings(options));
    const enforced = options.schemaEnforcement !== "none" && compiled.bundle.manifest.schemasUsed;
    this.#schemaFlag = enforced ? FLAG_SCHEMAS : 0;
    // Compiled now, so that no request waits for it.
    this.#furtherCalls = new FurtherCalls(compiled.bundle.schemas, options.schemaEnforcement === "reject");
    if (enforced) this.#furtherCalls.compileSchemas();
  }

  /** Does `work` with nobody told about the decisions it makes. */
  unobserved<T>(work: () => T): T {
    const { observer } = this;
    this.observer = null;
    try {
      return work();
    } finally {
      this.observer = observer;
    }
  }

  /** How often an instance trapped and was replaced. Anything but 0 is a bug in edict. */
  get traps(): number {
    return this.#traps;
  }

  /** Rules, conditions and derived roles with their places; parsed on first use. */
  get ruleIndex(): RuleIndex {
    this.#ruleIndex ??= parseRuleIndex(this.bundle.rules);
    return this.#ruleIndex;
  }

  /**
   * The hot path: decides `bytes` and returns a status of abi.ts, or STATUS_TRAP, or STATUS_TOO_LARGE. On
   * STATUS_OK the response is `output()`. Formats are FORMAT_*, flags FLAG_*. `claims` come from `rememberedClaims` or
   * `verifyTokens` once the answer was STATUS_AUX_DATA.
   */
  decide(
    bytes: Uint8Array,
    inputFormat: number,
    outputFormat: number,
    flags: number,
    claims: Uint8Array = NOTHING,
  ): number {
    if (bytes.byteLength > this.options.maxBodyBytes || claims.byteLength > MAX_CLAIMS_SIZE) {
      return STATUS_TOO_LARGE;
    }
    try {
      const all = flags | this.#schemaFlag | (this.denies ? FLAG_DENY_ALL : 0) | this.#entityFlag(flags);
      let status = this.#guest.decide(bytes, inputFormat, outputFormat, all, claims, NOTHING);
      if (status === STATUS_SCHEMAS || status === STATUS_ENTITIES) {
        const call = { bytes, input: inputFormat, output: outputFormat, flags: all, claims };
        status = this.#furtherCalls.decide(this.#guest, status, call, this.entities);
      }
      if (status === STATUS_OK && this.observer !== null) {
        this.observer.decided(bytes, inputFormat, all, claims, this.#guest);
      }
      return status;
    } catch (error) {
      return this.#replace(error);
    }
  }

  /**
   * Whether `decideFrames` and `decideBodies` may be asked for requests with `flags`: nothing is wanted of single ones but their answers, and
   * nothing has to be looked up for them.
   */
  decidesTogether(flags: number): boolean {
    const isPlain = this.#schemaFlag === 0 && this.#entityFlag(flags) === 0;
    return isPlain && !this.denies && this.observer?.samples !== true;
  }

  /**
   * Decides frames `[id, bin]` of a stream's message (runtime/stream/frames.ts), one after the other and at most `most`, with requests of at
   * most `longest` bytes. `output()` is the answers to `framesDecided` of them; what follows them in `bytes` is at `framesEnd`.
   * Returns STATUS_OK, or the status of the request at `framesEnd`, which was not decided, or STATUS_TRAP: then none was.
   */
  decideFrames(bytes: Uint8Array, most: number, longest: number): number {
    try {
      const status = this.#guest.decideFrames(bytes, most, Math.min(longest, this.options.maxBodyBytes), 0);
      const { frames } = this.#guest;
      if (frames > 0) this.observer?.decidedMany(frames, this.#guest);
      return status;
    } catch (error) {
      return this.#replace(error);
    }
  }

  /**
   * Decides the bodies of `table`, `count` of at most MOST_BODIES, which lie in `bodies` and are none longer than `maxBodyBytes`; `flags` as for
   * `decide`. `output()` is all responses, `table` says what came of each. False when nothing was decided.
   */
  decideBodies(table: BodyTable, bodies: Uint8Array, count: number, flags: number): boolean {
    try {
      const isDone = this.#guest.decideBodies(table, bodies, count, flags);
      if (isDone && this.#guest.frames > 0) this.observer?.decidedMany(this.#guest.frames, this.#guest);
      return isDone;
    } catch (error) {
      this.#replace(error);
      return false;
    }
  }

  /** Frames that the last `decideFrames` has decided. */
  get framesDecided(): number {
    return this.#guest.frames;
  }

  /** Offset of what follows them. */
  get framesEnd(): number {
    return this.#guest.framesEnd;
  }

  /**
   * Decides one part of a request, as `decide` does. `entries` is how many entries the parts have together; `flags` say which
   * part it is (FLAG_CONTINUES, FLAG_UNFINISHED).
   */
  decidePart(
    bytes: Uint8Array,
    inputFormat: number,
    outputFormat: number,
    flags: number,
    claims: Uint8Array,
    entries: number,
  ): number {
    this.#guest.expectEntries(entries);
    return this.decide(bytes, inputFormat, outputFormat, flags, claims);
  }

  /** Whether requests are validated against schemas. */
  get enforcesSchemas(): boolean {
    return this.#schemaFlag !== 0;
  }

  /** Figures of the part that was decided last. */
  partFacts(): PartFacts {
    return this.#guest.partFacts();
  }

  /**
   * One step of an AuthZEN search: which of some candidates the body's question comes to ALLOW for. Attributes are not validated against
   * schemas, so an engine that enforces them has to be asked by evaluations.
   */
  searchChunk(request: SearchRequest): SearchAnswer {
    const { bytes, candidates, claims = NOTHING } = request;
    const isTooLarge = bytes.byteLength > this.options.maxBodyBytes || claims.byteLength > MAX_CLAIMS_SIZE;
    if (isTooLarge || candidates.byteLength > MAX_CANDIDATES_SIZE) return noSearch(STATUS_TOO_LARGE);
    try {
      return searchCandidates(this.#guest, request, this.#knownEntities(), this.denies);
    } catch (error) {
      return noSearch(this.#replace(error));
    }
  }

  /** Stored properties, if there are any. */
  #knownEntities(): EntityLookup | null {
    return this.entities === null || this.entities.isEmpty ? null : this.entities;
  }

  /** FLAG_ENTITIES for AuthZEN bodies while there are stored properties. */
  #entityFlag(flags: number): number {
    return (flags & AUTHZEN_FLAGS) !== 0 && this.#knownEntities() !== null ? FLAG_ENTITIES : 0;
  }

  /** A view of the last response in guest memory, valid until the next call. */
  output(): Uint8Array {
    return this.#guest.output();
  }

  /**
   * Decides a request given as bytes. `bytes` of the answer is a view of guest memory that the next call overwrites;
   * it is empty unless `status` is STATUS_OK.
   */
  checkBytes(
    bytes: Uint8Array,
    format: Format,
    outputFormat: Format = format,
  ): { readonly status: number; readonly bytes: Uint8Array } {
    const status = this.decide(bytes, FORMAT_NUMBERS[format], FORMAT_NUMBERS[outputFormat], 0);
    return { status, bytes: status === STATUS_OK ? this.output() : NOTHING };
  }

  /**
   * Decides a request given as an object. Throws `RequestError` for a bad request and `EngineError` for no decision.
   * Tokens take time to verify: a request that carries one whose claims are not remembered needs `checkAsync`.
   */
  check(request: CheckRequest): CheckResponse {
    return this.#check(request, 0);
  }

  /** As `check`, for requests that may carry tokens. Rejects with what `check` throws. */
  async checkAsync(request: CheckRequest): Promise<CheckResponse> {
    return this.#check(request, 0, await this.#claimsOf(request));
  }

  /**
   * Answers an AuthZEN evaluation. Throws as `check` does; a request whose tokens are not remembered needs `evaluateAsync`.
   */
  evaluate(request: EvaluationRequest): EvaluationResponse {
    return evaluateOne(this, request);
  }

  /** Answers AuthZEN evaluations in one call; one that is wrong is denied, with `context.error`, and leaves the others alone. */
  evaluateAll(request: EvaluationsRequest): EvaluationsResponse {
    return evaluateMany(this, request);
  }

  /** As `evaluate`, for requests that may carry tokens. */
  evaluateAsync(request: EvaluationRequest): Promise<EvaluationResponse> {
    return evaluateOneAsync(this, request);
  }

  /** As `evaluateAll`, for requests that may carry tokens, also different ones. */
  evaluateAllAsync(request: EvaluationsRequest): Promise<EvaluationsResponse> {
    return evaluateManyAsync(this, request);
  }

  /**
   * As `check`, with claims taken on trust: `auxData` is what conditions read as `request.auxData`, `{jwt: {...}}` or
   * `{jwts: {name: {claims: {...}}}}`, whatever tokens the request has. For test suites, whose fixtures are claims.
   */
  checkWithClaims(request: CheckRequest, auxData: Readonly<Record<string, Json>>): CheckResponse {
    return this.#check(request, 0, encode(auxData));
  }

  /**
   * As `checkWithClaims` (null for none), with what led there: the guest's trace, whether the clock was read, and a way to
   * ask for single conditions, valid until the next call. For test suites and their coverage.
   */
  examine(request: CheckRequest, auxData: Readonly<Record<string, Json>> | null): Examination {
    const claims = auxData === null ? NOTHING : encode(auxData);
    const response = this.#check(request, FLAG_TRACE, claims);
    const trace = this.#guest.trace();
    const usedNow = this.#guest.usedNow();
    return {
      response,
      trace,
      usedNow,
      evaluateCondition: (id) => this.#evaluateCondition(id),
      explain: () => this.#explain(request, claims),
    };
  }

  /** Decides a request and says which rules and conditions led there. Throws as `check` does. */
  explain(request: CheckRequest): Explanation {
    return this.#explain(request, NOTHING);
  }

  /** As `explain`, for requests that may carry tokens. Rejects with what `explain` throws. */
  async explainAsync(request: CheckRequest): Promise<Explanation> {
    return this.#explain(request, await this.#claimsOf(request));
  }

  /**
   * The claims for a request that was answered STATUS_AUX_DATA, when all its tokens are remembered; null when they have to
   * be verified first. Throws `TokenError` when one cannot be accepted. `flags` are those of the request.
   */
  rememberedClaims(bytes: Uint8Array, format: number, flags = 0): Uint8Array | null {
    return this.#tokens().remembered(readTokens(bytes, format, flags));
  }

  /** The same after verifying them. Rejects with `TokenError` or `TokenOverloadError`. `bytes` are read before it returns. */
  async verifyTokens(bytes: Uint8Array, format: number, flags = 0): Promise<Uint8Array> {
    return this.#tokens().verify(readTokens(bytes, format, flags));
  }

  /**
   * Whether evaluations of the body that was answered STATUS_AUX_DATA carry different tokens, so that they have to be decided
   * one by one (runtime/request/separate-evaluations.ts).
   */
  get tokensDiffer(): boolean {
    return this.#guest.errorDetail() === 1;
  }

  /** The claims of the tokens, verified unless they are remembered. Rejects with `TokenError` or `TokenOverloadError`. */
  async claimsFor(tokens: readonly RequestToken[]): Promise<Uint8Array> {
    return this.#tokens().verify(tokens);
  }

  #tokens(): TokenVerifier {
    if (this.options.tokens === null) throw new TokenError("no key set is configured");
    return this.options.tokens;
  }

  async #claimsOf(request: CheckRequest): Promise<Uint8Array> {
    const bytes = encode(request);
    // The guest sees the request first, so that nobody's tokens are verified for a request that is refused anyway.
    const status = this.decide(bytes, FORMAT_JSON, FORMAT_JSON, 0);
    return status === STATUS_AUX_DATA ? this.verifyTokens(bytes, FORMAT_JSON) : NOTHING;
  }

  #check(request: CheckRequest, flags: number, claims: Uint8Array = NOTHING): CheckResponse {
    const bytes = encode(request);
    let status = this.decide(bytes, FORMAT_JSON, FORMAT_JSON, flags, claims);
    if (status === STATUS_AUX_DATA && claims.byteLength === 0) {
      const remembered = this.rememberedClaims(bytes, FORMAT_JSON);
      if (remembered === null) {
        throw new RequestError(
          "EDICT_REQUEST_AUX_DATA",
          "the tokens of the request are not verified yet, use `checkAsync`",
          "auxData",
        );
      }
      status = this.decide(bytes, FORMAT_JSON, FORMAT_JSON, flags, remembered);
    }
    if (status !== STATUS_OK) throw this.failure(status, bytes, FORMAT_JSON);
    return JSON.parse(new TextDecoder().decode(this.output())) as CheckResponse;
  }

  #explain(request: CheckRequest, claims: Uint8Array): Explanation {
    return explainRequest(request, this.ruleIndex, {
      check: (one, flags) => this.#check(one, flags, claims),
      trace: () => this.#guest.trace(),
      evaluateCondition: (id) => this.#evaluateCondition(id),
      conditionError: () => this.#guest.errorText(),
    });
  }

  /** The typed error for a status that was not STATUS_OK; call it before the next decision. */
  failure(status: number, bytes: Uint8Array, format: number): RequestError | EngineError {
    this.observer?.failed(status);
    switch (status) {
      case STATUS_TRAP:
        return new EngineError("EDICT_ENGINE_TRAP", `the guest trapped: ${oneLine(this.#lastTrap)}`, {
          cause: this.#lastTrap,
        });
      case STATUS_FUEL:
        return new EngineError("EDICT_ENGINE_BUDGET", "the conditions used up the evaluation budget");
      case STATUS_MEMORY:
        return new EngineError("EDICT_ENGINE_BUDGET", "the request needs more memory than a request may use");
      case STATUS_OUTPUT_FULL:
        return new EngineError("EDICT_ENGINE_BUDGET", "the response is larger than a response may be");
      case STATUS_NOT_READY:
        return new EngineError("EDICT_ENGINE_START", "the guest is not started");
      default:
        return describeFailure({
          status: status === STATUS_TOO_LARGE ? "too-large" : status,
          bytes,
          format,
          offset: this.#guest.errorOffset(),
          detail: this.#guest.errorDetail(),
          text: this.#guest.errorText(),
          limits: { ...this.options, maxPairsPerRequest: pairLimit(this.options) },
        });
    }
  }

  #evaluateCondition(id: number): number {
    try {
      return this.#guest.evaluateCondition(id);
    } catch (error) {
      throw this.failure(this.#replace(error), NOTHING, FORMAT_JSON);
    }
  }

  /** Puts a fresh instance in place of one that trapped. Our own misuse is not a trap and is rethrown. */
  #replace(error: unknown): number {
    if (error instanceof EngineError) throw error;
    this.#traps++;
    this.#lastTrap = error;
    this.#guest = Guest.start(this.compiled, guestSettings(this.options));
    return STATUS_TRAP;
  }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
