/**
 * The hot path: checks and AuthZEN evaluations, which differ in their question (question.ts). The body goes from the socket into
 * guest memory in one copy (two when it waits for others of its turn, turn.ts), the response from guest memory to the socket in another; what lies
 * between is one call.
 * Everything that is not a decision leaves this path at once, for code that may be slow.
 */
import {
  FLAG_DENY_ALL,
  FLAG_EVALUATIONS,
  FORMAT_JSON,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import type { BatchPool } from "../batch/batch-pool.ts";
import type { SharedMemory } from "../batch/shared-memory.ts";
import { RequestError, TokenError, TokenOverloadError } from "../errors.ts";
import type { BodyTable } from "../guest/body-table.ts";
import { type Engine, STATUS_TRAP } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import { throttledLog } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { tooLarge } from "../request/describe.ts";
import { decideSeparately, separate, type SeparateEvaluations } from "../request/separate-evaluations.ts";
import { BodyBuffer, type BodyBudget } from "./body.ts";
import { LargeRequests } from "./large-request.ts";
import type { Access } from "./access.ts";
import type { Cors } from "./cors.ts";
import type { LoadGate } from "./load-gate.ts";
import { HeldRequest } from "./held-request.ts";
import { outputFormat } from "./media-type.ts";
import type { Question } from "./question.ts";
import {
  CHECK_FAILED,
  failureReply,
  OVERLOADED,
  type Reply,
  send,
  TOKENS_OVERLOADED,
  TOO_BUSY,
  UNSUPPORTED_TYPE,
} from "./replies.ts";
import { requestIdLine } from "./request-id.ts";
import { refuseUnread } from "./unread.ts";
import { endScarce, unsent } from "./unsent.ts";
import { MAX_GATHERED, Turn, type Waiting } from "./turn.ts";
import type { Handler, HttpRequest, HttpResponse } from "./uws.ts";

/** What the routes of one server share. */
export interface HttpContext {
  readonly state: ServingState;
  /** Who may ask; null when everybody may. */
  readonly access: Access | null;
  readonly cors: Cors;
  readonly bodies: BodyBudget;
  readonly gate: LoadGate;
  /** Where bodies are kept while they arrive and while workers read them. */
  readonly memory: SharedMemory;
  /** Decides large requests. */
  readonly batches: BatchPool;
  /** Requests received but not answered. */
  inFlight: number;
}

/** Requests that ran out of budget are answered DENY and say so in this header line. */
const BUDGET_REASON = "\r\nEdict-Deny-Reason: evaluation-budget";

/** At most one line per this many milliseconds about failing checks, and one about refused tokens. */
const FAILURE_LOG_INTERVAL = 1000;

const NOTHING = new Uint8Array(0);

/** The handler for requests that ask `question`. */
export function decisionRoute(context: HttpContext, question: Question): Handler {
  const route = new DecisionRoute(context, question);
  return (res, req) => {
    route.receive(res, req);
  };
}

/** `lines` are everywhere the header lines that answer one request: what cors.ts and request-id.ts made of its headers. */
class DecisionRoute {
  readonly #context: HttpContext;
  readonly #question: Question;
  readonly #logFailure = throttledLog(FAILURE_LOG_INTERVAL);
  readonly #logToken = throttledLog(FAILURE_LOG_INTERVAL);
  readonly #large: LargeRequests;
  readonly #turn: Turn;
  /**
   * The value of Content-Type with the remaining header lines behind it, by output format: uWebSockets.js copies a
   * value as it is, so one call writes all headers, and they are joined once per engine, not per request. The same as bytes with the
   * status before them, which reach the socket without a conversion.
   * INVARIANT: nothing of a request gets in here but the lines that cors.ts and request-id.ts have checked.
   */
  #jsonHeaders = "";
  #jsonHead = NOTHING;
  #msgpackHeaders = "";
  #msgpackHead = NOTHING;

  constructor(context: HttpContext, question: Question) {
    this.#context = context;
    this.#question = question;
    this.#large = new LargeRequests(context, {
      headers: (output, lines) => this.#headers(output, lines),
      refusal: (error) => this.#tokenRefusal(error),
      budgetReason: BUDGET_REASON,
    });
    this.#turn = new Turn({
      version: () => context.state.engine,
      decideAll: (table, bodies, count) => this.#responses(table, bodies, count),
      decide: (bytes, input, output) => this.#response(bytes, input, output),
      write: (res, body, output, lines) => this.#write(res, body, output, lines),
      answer: (res, bytes, input, output, lines) => this.#decide(res, bytes, input, output, lines),
      settled: () => {
        context.inFlight--;
      },
    });
    context.state.onEngine((engine) => {
      const { denial } = context.state;
      const reason = denial === null ? "" : `\r\nEdict-Deny-Reason: ${denial}`;
      const shared = `\r\nEdict-Bundle: ${engine.bundle.shortDigest}${reason}${context.cors.fixedHeaders}`;
      this.#jsonHeaders = `application/json${shared}`;
      this.#jsonHead = headOf(this.#jsonHeaders);
      this.#msgpackHeaders = `application/msgpack${shared}`;
      this.#msgpackHead = headOf(this.#msgpackHeaders);
    });
  }

  /** Reads what it needs of the headers and waits for the body. */
  receive(res: HttpResponse, req: HttpRequest): void {
    const context = this.#context;
    const question = this.#question;
    const { cors } = context;
    const lines =
      (cors.readsOrigin ? cors.originHeader(req.getHeader("origin")) : "") +
      (question.echoesRequestId ? requestIdLine(req) : "");
    if (!context.gate.admits()) {
      context.state.noteShed();
      this.#send(res, TOO_BUSY, lines);
      return;
    }
    const refused = context.access?.refusal(req, question.permission) ?? null;
    if (refused !== null) {
      context.state.counters.add("unauthorized");
      refuseUnread(res, refused, cors.fixedHeaders + lines, context.state);
      return;
    }
    const input = question.inputFormat(req.getHeader("content-type"));
    if (input < 0) {
      context.state.counters.add("invalid");
      refuseUnread(res, UNSUPPORTED_TYPE, cors.fixedHeaders + lines, context.state);
      return;
    }
    const output = outputFormat(req.getHeader("accept"), input);
    const largeBytes = question.mayBeLarge ? context.batches.minBytes : Number.POSITIVE_INFINITY;
    let body: BodyBuffer | null = null;
    let open = true;
    let waiting: Waiting | null = null;
    context.inFlight++;

    res.onAborted(() => {
      if (waiting !== null) this.#turn.drop(waiting, res);
      if (!open) return;
      open = false;
      context.inFlight--;
      body?.release();
    });
    res.onData((chunk, isLast) => {
      if (!open) return;
      if (isLast && body === null && chunk.byteLength < largeBytes) {
        open = false;
        waiting = this.#turn.gather(res, chunk, input, output, lines);
        if (waiting !== null) return;
        context.inFlight--;
        this.#decide(res, new Uint8Array(chunk), input, output, lines);
        return;
      }
      body ??= new BodyBuffer(context.bodies, context.state.engine.options.maxBodyBytes, context.memory);
      body.append(new Uint8Array(chunk));
      const { isAbusive } = body;
      if (!isLast && !isAbusive) return;
      open = false;
      context.inFlight--;
      const refusal = refusalOf(body, context.state.engine);
      if (refusal === null && body.length >= largeBytes) {
        this.#large.receive(res, body, input, output, lines);
        return;
      }
      if (refusal !== null) context.state.counters.add(body.state === "too-large" ? "tooLarge" : "failed");
      if (refusal === null) this.#decide(res, body.bytes(), input, output, lines);
      else send(res, refusal, cors.fixedHeaders + lines, context.state.draining || isAbusive);
      body.release();
    });
  }

  /** Decides by the engine of this moment and answers; inside a cork. `claims` are those of the request's tokens. */
  #decide(
    res: HttpResponse,
    bytes: Uint8Array,
    input: number,
    output: number,
    lines: string,
    claims: Uint8Array = NOTHING,
  ): void {
    const { engine } = this.#context.state;
    try {
      const status = engine.decide(bytes, input, output, this.#question.flags, claims);
      if (status !== STATUS_OK) {
        if (status === STATUS_AUX_DATA && claims === NOTHING) {
          this.#decideWithTokens(res, engine, bytes, input, output, lines);
        } else this.#refuse(res, engine, status, bytes, input, output, lines, claims);
        return;
      }
      // No cork here: inside onData the socket is corked already, so headers and body leave in one write.
      this.#write(res, engine.output(), output, lines);
    } catch (error) {
      // Not even a fresh instance could be had. Thrown into uWebSockets.js it would end the process.
      this.#logFailure(`a check failed: ${oneLine(error)}`);
      this.#send(res, CHECK_FAILED, lines);
    }
  }

  /** The responses to gathered requests, or null when they have to be decided one by one. */
  #responses(table: BodyTable, bodies: Uint8Array, count: number): Uint8Array | null {
    const { engine } = this.#context.state;
    const { flags } = this.#question;
    if (!engine.decidesTogether(flags) || engine.options.maxBodyBytes < MAX_GATHERED) return null;
    const { traps } = engine;
    try {
      if (engine.decideBodies(table, bodies, count, flags)) return engine.output();
    } catch {
      // Each is tried again, where failures are answered and logged.
      return null;
    }
    if (engine.traps !== traps) {
      this.#context.state.noteTrap();
      this.#logFailure("checks failed together: the guest trapped; they are decided one by one");
    }
    return null;
  }

  /** The response to a gathered request, or null when it has to be decided on its own. */
  #response(bytes: Uint8Array, input: number, output: number): Uint8Array | null {
    const { engine } = this.#context.state;
    try {
      return engine.decide(bytes, input, output, this.#question.flags) === STATUS_OK ? engine.output() : null;
    } catch {
      // It will be tried again, where failures are answered and logged.
      return null;
    }
  }

  /** Writes a decided response; inside a cork. */
  #write(res: HttpResponse, body: Uint8Array, output: number, lines: string): void {
    // Only what is echoed needs a string of its own.
    if (lines === "") res.writeStatus(output === FORMAT_JSON ? this.#jsonHead : this.#msgpackHead);
    else res.writeHeader("Content-Type", this.#headers(output, lines));
    if (unsent.isScarce) endScarce(res, body, this.#context);
    else res.end(body, this.#context.state.draining);
  }

  /** Finds the claims of the request's tokens, then decides: at once when they are remembered. */
  #decideWithTokens(
    res: HttpResponse,
    engine: Engine,
    bytes: Uint8Array,
    input: number,
    output: number,
    lines: string,
  ): void {
    const areSeveral = this.#question.flags === FLAG_EVALUATIONS;
    if (areSeveral && engine.tokensDiffer) {
      this.#decideSeparately(res, engine, bytes, input, output, lines);
      return;
    }
    let claims: Uint8Array | null;
    try {
      claims = engine.rememberedClaims(bytes, input, this.#question.flags);
    } catch (error) {
      // Of several evaluations only those fail that bring a token which is not accepted.
      if (areSeveral) this.#decideSeparately(res, engine, bytes, input, output, lines);
      else this.#refuseTokens(res, error, lines);
      return;
    }
    if (claims !== null) {
      this.#decide(res, bytes, input, output, lines, claims);
      return;
    }
    if (!this.#context.bodies.take(bytes.byteLength)) {
      this.#send(res, OVERLOADED, lines);
      return;
    }
    // The bytes belong to uWebSockets.js or to a buffer that is about to be freed.
    const copy = bytes.slice();
    const held = new HeldRequest(this.#context, res, copy.byteLength, true);
    engine.verifyTokens(copy, input, this.#question.flags).then(
      (verified) => held.answer(() => this.#decide(res, copy, input, output, lines, verified)),
      (error: unknown) =>
        held.answer(() => {
          if (areSeveral && error instanceof TokenError) {
            this.#decideSeparately(res, engine, copy, input, output, lines);
          } else this.#refuseTokens(res, error, lines);
        }),
    );
  }

  /** Decides evaluations that bring tokens of their own, once all of those are verified. */
  #decideSeparately(
    res: HttpResponse,
    first: Engine,
    bytes: Uint8Array,
    input: number,
    output: number,
    lines: string,
  ): void {
    if (!this.#context.bodies.take(bytes.byteLength)) {
      this.#send(res, OVERLOADED, lines);
      return;
    }
    const copy = bytes.slice();
    const held = new HeldRequest(this.#context, res, copy.byteLength, true);
    const decide = (items: SeparateEvaluations): void => {
      const { engine } = this.#context.state;
      try {
        const decided = decideSeparately(engine, items, input, output);
        if (typeof decided === "number")
          this.#refuse(res, engine, decided, copy, input, output, lines, NOTHING);
        else this.#write(res, decided, output, lines);
      } catch (error) {
        this.#refuseTokens(res, error, lines);
      }
    };
    separate(first, copy, input).then(
      (items) => held.answer(() => decide(items)),
      (error: unknown) => held.answer(() => this.#refuseTokens(res, error, lines)),
    );
  }

  #refuseTokens(res: HttpResponse, error: unknown, lines: string): void {
    this.#send(res, this.#tokenRefusal(error), lines);
  }

  /** The client learns no reason: it could be that of somebody who guesses. */
  #tokenRefusal(error: unknown): Reply {
    if (error instanceof TokenError) {
      this.#context.state.counters.add("tokens");
      this.#logToken(`tokens were refused: ${error.reason}`);
      return failureReply(error);
    }
    if (error instanceof RequestError) return failureReply(error);
    if (error instanceof TokenOverloadError) return TOKENS_OVERLOADED;
    this.#logFailure(`a check failed: ${oneLine(error)}`);
    return CHECK_FAILED;
  }

  #send(res: HttpResponse, reply: Reply, lines: string): void {
    const { state, cors } = this.#context;
    send(res, reply, cors.fixedHeaders + lines, state.draining);
  }

  #headers(output: number, lines: string): string {
    return (output === FORMAT_JSON ? this.#jsonHeaders : this.#msgpackHeaders) + lines;
  }

  /** Everything but a decision. Fails closed: out of budget is DENY for every action, a broken engine is 500. */
  #refuse(
    res: HttpResponse,
    engine: Engine,
    status: number,
    bytes: Uint8Array,
    input: number,
    output: number,
    lines: string,
    claims: Uint8Array,
  ): void {
    const { state } = this.#context;
    const { flags } = this.#question;
    const isBudget = status === STATUS_FUEL || status === STATUS_OUTPUT_FULL || status === STATUS_MEMORY;
    if (isBudget && engine.decide(bytes, input, output, flags | FLAG_DENY_ALL, claims) === STATUS_OK) {
      const value = this.#headers(output, lines) + BUDGET_REASON;
      res.writeHeader("Content-Type", value).end(engine.output(), state.draining);
      return;
    }
    if (status === STATUS_TRAP) state.noteTrap();
    const error = engine.failure(status, bytes, input);
    const reply = failureReply(error);
    if (reply.status.startsWith("5")) this.#logFailure(`a check failed: ${error.message}`);
    this.#send(res, reply, lines);
  }
}

/** The status and the headers of a decision, as one status line that uWebSockets.js copies as it is. */
function headOf(headers: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`200 OK\r\nContent-Type: ${headers}`);
}

/** The answer to a body that could not be kept, null when it could. */
function refusalOf(body: BodyBuffer, engine: Engine): Reply | null {
  switch (body.state) {
    case "ok":
      return null;
    case "too-large":
      return failureReply(tooLarge(engine.options.maxBodyBytes));
    case "overloaded":
      return OVERLOADED;
  }
}
