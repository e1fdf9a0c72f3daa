/**
 * POST /api/check/resources: the hot path. The body goes from the socket into guest memory in one copy, the response
 * from guest memory to the socket in another; what lies between is one call. Everything that is not a decision
 * leaves this path at once, for code that may be slow.
 */
import {
  FLAG_DENY_ALL,
  FORMAT_JSON,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import type { BatchPool } from "../batch/batch-pool.ts";
import type { SharedMemory } from "../batch/shared-memory.ts";
import { TokenError, TokenOverloadError } from "../errors.ts";
import { type Engine, STATUS_TRAP } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import { throttledLog } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { tooLarge } from "../request/describe.ts";
import { BodyBuffer, type BodyBudget } from "./body.ts";
import { LargeRequests } from "./large-request.ts";
import type { Cors } from "./cors.ts";
import type { LoadGate } from "./load-gate.ts";
import { inputFormat, outputFormat } from "./media-type.ts";
import {
  CHECK_FAILED,
  failureReply,
  OVERLOADED,
  type Reply,
  send,
  TOKENS_OVERLOADED,
  TOO_BUSY,
} from "./replies.ts";
import { endScarce, unsent } from "./unsent.ts";
import { Turn, type Waiting } from "./turn.ts";
import type { Handler, HttpRequest, HttpResponse } from "./uws.ts";

/** What the routes of one server share. */
export interface HttpContext {
  readonly state: ServingState;
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

/**
 * A body that is refused is still read to its end, because closing a connection with unread data makes clients lose
 * the answer; beyond this many bytes the connection is closed all the same.
 */
const MAX_DROPPED = 64 * 1024 * 1024;

/** At most one line per this many milliseconds about failing checks, and one about refused tokens. */
const FAILURE_LOG_INTERVAL = 1000;

const NOTHING = new Uint8Array(0);

/** The handler for check requests. */
export function checkRoute(context: HttpContext): Handler {
  const route = new CheckRoute(context);
  return (res, req) => {
    route.receive(res, req);
  };
}

class CheckRoute {
  readonly #context: HttpContext;
  readonly #logFailure = throttledLog(FAILURE_LOG_INTERVAL);
  readonly #logToken = throttledLog(FAILURE_LOG_INTERVAL);
  readonly #large: LargeRequests;
  readonly #turn: Turn;
  /**
   * The value of Content-Type with the remaining header lines behind it, by output format: uWebSockets.js copies a
   * value as it is, so one call writes all headers, and they are joined once per engine, not per request.
   * INVARIANT: nothing of a request gets in here but an origin that cors.ts has checked.
   */
  #jsonHeaders = "";
  #jsonHeaderBytes = NOTHING;
  #msgpackHeaders = "";
  #msgpackHeaderBytes = NOTHING;

  constructor(context: HttpContext) {
    this.#context = context;
    this.#large = new LargeRequests(context, {
      headers: (output, origin) => this.#headers(output, origin),
      refusal: (error) => this.#tokenRefusal(error),
      budgetReason: BUDGET_REASON,
    });
    this.#turn = new Turn({
      version: () => context.state.engine,
      decide: (bytes, input, output) => this.#response(bytes, input, output),
      write: (res, body, output, origin) => this.#write(res, body, output, origin),
      answer: (res, bytes, input, output, origin) => this.#decide(res, bytes, input, output, origin),
      settled: () => {
        context.inFlight--;
      },
    });
    context.state.onEngine((engine) => {
      const { denial } = context.state;
      const reason = denial === null ? "" : `\r\nEdict-Deny-Reason: ${denial}`;
      const shared = `\r\nEdict-Bundle: ${engine.bundle.shortDigest}${reason}${context.cors.fixedHeaders}`;
      this.#jsonHeaders = `application/json${shared}`;
      this.#jsonHeaderBytes = new TextEncoder().encode(this.#jsonHeaders);
      this.#msgpackHeaders = `application/msgpack${shared}`;
      this.#msgpackHeaderBytes = new TextEncoder().encode(this.#msgpackHeaders);
    });
  }

  /** Reads what it needs of the headers and waits for the body. */
  receive(res: HttpResponse, req: HttpRequest): void {
    const context = this.#context;
    if (!context.gate.admits()) {
      context.state.noteShed();
      send(res, TOO_BUSY, context.cors.headers(req.getHeader("origin")), context.state.draining);
      return;
    }
    const input = inputFormat(req.getHeader("content-type"));
    const output = outputFormat(req.getHeader("accept"), input);
    const { cors } = context;
    const origin = cors.readsOrigin ? req.getHeader("origin") : "";
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
      if (isLast && body === null && chunk.byteLength < context.batches.minBytes) {
        open = false;
        waiting = this.#turn.gather(res, chunk, input, output, origin);
        if (waiting !== null) return;
        context.inFlight--;
        this.#decide(res, new Uint8Array(chunk), input, output, origin);
        return;
      }
      body ??= new BodyBuffer(context.bodies, context.state.engine.options.maxBodyBytes, context.memory);
      body.append(new Uint8Array(chunk));
      const isAbusive = body.dropped > MAX_DROPPED;
      if (!isLast && !isAbusive) return;
      open = false;
      context.inFlight--;
      const refusal = refusalOf(body, context.state.engine);
      if (refusal === null && body.length >= context.batches.minBytes) {
        this.#large.receive(res, body, input, output, origin);
        return;
      }
      if (refusal !== null) context.state.counters.add(body.state === "too-large" ? "tooLarge" : "failed");
      if (refusal === null) this.#decide(res, body.bytes(), input, output, origin);
      else send(res, refusal, cors.headers(origin), context.state.draining || isAbusive);
      body.release();
    });
  }

  /** Decides by the engine of this moment and answers; inside a cork. `claims` are those of the request's tokens. */
  #decide(
    res: HttpResponse,
    bytes: Uint8Array,
    input: number,
    output: number,
    origin: string,
    claims: Uint8Array = NOTHING,
  ): void {
    const { state } = this.#context;
    const { engine } = state;
    try {
      const status = engine.decide(bytes, input, output, 0, claims);
      if (status !== STATUS_OK) {
        if (status === STATUS_AUX_DATA && claims === NOTHING) {
          this.#decideWithTokens(res, engine, bytes, input, output, origin);
        } else this.#refuse(res, engine, status, bytes, input, output, origin, claims);
        return;
      }
      // No cork here: inside onData the socket is corked already, so headers and body leave in one write.
      this.#write(res, engine.output(), output, origin);
    } catch (error) {
      // Not even a fresh instance could be had. Thrown into uWebSockets.js it would end the process.
      this.#logFailure(`a check failed: ${oneLine(error)}`);
      send(res, CHECK_FAILED, this.#context.cors.headers(origin), state.draining);
    }
  }

  /** The response to a gathered request, or null when it has to be decided on its own. */
  #response(bytes: Uint8Array, input: number, output: number): Uint8Array | null {
    const { engine } = this.#context.state;
    try {
      return engine.decide(bytes, input, output, 0) === STATUS_OK ? engine.output() : null;
    } catch {
      // It will be tried again, where failures are answered and logged.
      return null;
    }
  }

  /** Writes a decided response; inside a cork. */
  #write(res: HttpResponse, body: Uint8Array, output: number, origin: string): void {
    // Bytes reach the socket without a conversion; only an echoed origin needs a string of its own.
    const bytesOf = output === FORMAT_JSON ? this.#jsonHeaderBytes : this.#msgpackHeaderBytes;
    const headers = origin === "" ? bytesOf : this.#headers(output, origin);
    if (unsent.isScarce) endScarce(res.writeHeader("Content-Type", headers), body, this.#context);
    else res.writeHeader("Content-Type", headers).end(body, this.#context.state.draining);
  }

  /** Finds the claims of the request's tokens, then decides: at once when they are remembered. */
  #decideWithTokens(
    res: HttpResponse,
    engine: Engine,
    bytes: Uint8Array,
    input: number,
    output: number,
    origin: string,
  ): void {
    let claims: Uint8Array | null;
    try {
      claims = engine.rememberedClaims(bytes, input);
    } catch (error) {
      this.#refuseTokens(res, error, origin);
      return;
    }
    if (claims !== null) {
      this.#decide(res, bytes, input, output, origin, claims);
      return;
    }
    const { cors, bodies, state } = this.#context;
    if (!bodies.take(bytes.byteLength)) {
      send(res, OVERLOADED, cors.headers(origin), state.draining);
      return;
    }
    // The bytes belong to uWebSockets.js or to a buffer that is about to be freed.
    const copy = bytes.slice();
    const answer = this.#suspend(res, copy.byteLength);
    engine.verifyTokens(copy, input).then(
      (verified) => answer(() => this.#decide(res, copy, input, output, origin, verified)),
      (error: unknown) => answer(() => this.#refuseTokens(res, error, origin)),
    );
  }

  /**
   * Leaves the request open. What it returns must be called once and calls its argument, which answers, unless the client
   * is gone by then.
   *
   * uWebSockets.js closes a connection on which it reads the next pipelined request while this one is open. Pausing
   * keeps it from reading on; requests that arrived in the same read are lost with the connection all the same.
   */
  #suspend(res: HttpResponse, size: number): (reply: () => void) => void {
    const context = this.#context;
    let open = true;
    const close = (): void => {
      open = false;
      context.inFlight--;
      context.bodies.give(size);
    };
    context.inFlight++;
    res.onAborted(() => {
      if (open) close();
    });
    res.pause();
    return (reply) => {
      if (!open) return;
      close();
      res.cork(() => {
        res.resume();
        reply();
      });
    };
  }

  #refuseTokens(res: HttpResponse, error: unknown, origin: string): void {
    const { state, cors } = this.#context;
    send(res, this.#tokenRefusal(error), cors.headers(origin), state.draining);
  }

  /** The client learns no reason: it could be that of somebody who guesses. */
  #tokenRefusal(error: unknown): Reply {
    if (error instanceof TokenError) {
      this.#context.state.counters.add("tokens");
      this.#logToken(`tokens were refused: ${error.reason}`);
      return failureReply(error);
    }
    if (error instanceof TokenOverloadError) return TOKENS_OVERLOADED;
    this.#logFailure(`a check failed: ${oneLine(error)}`);
    return CHECK_FAILED;
  }

  #headers(output: number, origin: string): string {
    const value = output === FORMAT_JSON ? this.#jsonHeaders : this.#msgpackHeaders;
    return origin === "" ? value : value + this.#context.cors.originHeader(origin);
  }

  /** Everything but a decision. Fails closed: out of budget is DENY for every action, a broken engine is 500. */
  #refuse(
    res: HttpResponse,
    engine: Engine,
    status: number,
    bytes: Uint8Array,
    input: number,
    output: number,
    origin: string,
    claims: Uint8Array,
  ): void {
    const { state, cors } = this.#context;
    const isBudget = status === STATUS_FUEL || status === STATUS_OUTPUT_FULL || status === STATUS_MEMORY;
    if (isBudget && engine.decide(bytes, input, output, FLAG_DENY_ALL, claims) === STATUS_OK) {
      const value = this.#headers(output, origin) + BUDGET_REASON;
      res.writeHeader("Content-Type", value).end(engine.output(), state.draining);
      return;
    }
    if (status === STATUS_TRAP) state.noteTrap();
    const error = engine.failure(status, bytes, input);
    const reply = failureReply(error);
    if (reply.status.startsWith("5")) this.#logFailure(`a check failed: ${error.message}`);
    send(res, reply, cors.headers(origin), state.draining);
  }
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
