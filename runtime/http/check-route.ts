/**
 * POST /api/check/resources: the hot path. The body goes from the socket into guest memory in one copy, the response
 * from guest memory to the socket in another; what lies between is one call. Everything that is not a decision
 * leaves this path at once, for code that may be slow.
 */
import {
  FLAG_DENY_ALL,
  FORMAT_JSON,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import type { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import { throttledLog } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { tooLarge } from "../request/describe.ts";
import { BodyBuffer, type BodyBudget } from "./body.ts";
import type { Cors } from "./cors.ts";
import { inputFormat, outputFormat } from "./media-type.ts";
import { CHECK_FAILED, failureReply, OVERLOADED, type Reply, send } from "./replies.ts";
import type { Handler, HttpRequest, HttpResponse } from "./uws.ts";

/** What the routes of one server share. */
export interface HttpContext {
  readonly state: ServingState;
  readonly cors: Cors;
  readonly bodies: BodyBudget;
  /** Requests received but not answered. */
  inFlight: number;
}

/** Requests that ran out of budget are answered DENY and say so in this header line. */
const BUDGET_REASON = "\r\nEdict-Deny-Reason: evaluation-budget";

/** At most one line per this many milliseconds about failing checks. */
const FAILURE_LOG_INTERVAL = 1000;

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
  /**
   * The value of Content-Type with the remaining header lines behind it, per output format: uWebSockets.js copies a
   * value as it is, so one call writes all headers. INVARIANT: no part of it comes from a request.
   */
  #jsonHeaders = "";
  #msgpackHeaders = "";

  constructor(context: HttpContext) {
    this.#context = context;
    context.state.onEngine((engine) => {
      const shared = `\r\nEdict-Bundle: ${engine.bundle.shortDigest}`;
      this.#jsonHeaders = `application/json${shared}`;
      this.#msgpackHeaders = `application/msgpack${shared}`;
    });
  }

  /** Reads what it needs of the headers and waits for the body. */
  receive(res: HttpResponse, req: HttpRequest): void {
    const context = this.#context;
    const input = inputFormat(req.getHeader("content-type"));
    const output = outputFormat(req.getHeader("accept"), input);
    const { cors } = context;
    const headers = cors.readsOrigin ? cors.headers(req.getHeader("origin")) : cors.fixedHeaders;
    let body: BodyBuffer | null = null;
    let open = true;
    context.inFlight++;

    res.onAborted(() => {
      if (!open) return;
      open = false;
      context.inFlight--;
      body?.release();
    });
    res.onData((chunk, isLast) => {
      // After an early answer (413, 503) the rest of the body still arrives.
      if (!open) return;
      if (isLast && body === null) {
        open = false;
        context.inFlight--;
        this.#decide(res, new Uint8Array(chunk), input, output, headers);
        return;
      }
      body ??= new BodyBuffer(context.bodies, context.state.engine.options.maxBodyBytes);
      const refusal = append(body, chunk, context.state.engine);
      if (!isLast && refusal === null) return;
      open = false;
      context.inFlight--;
      if (refusal === null) this.#decide(res, body.bytes(), input, output, headers);
      else send(res, refusal, headers, context.state.draining);
      body.release();
    });
  }

  #decide(res: HttpResponse, bytes: Uint8Array, input: number, output: number, headers: string): void {
    const { state } = this.#context;
    const { engine } = state;
    let status: number;
    try {
      status = engine.decide(bytes, input, output, 0);
    } catch (error) {
      // Not even a fresh instance could be had; the next request may be luckier.
      this.#logFailure(`a check failed: ${oneLine(error)}`);
      send(res, CHECK_FAILED, headers, state.draining);
      return;
    }
    if (status !== STATUS_OK) {
      this.#refuse(res, engine, status, bytes, input, output, headers);
      return;
    }
    // No cork: inside onData the socket is corked already, so headers and body leave in one write.
    const kind = output === FORMAT_JSON ? this.#jsonHeaders : this.#msgpackHeaders;
    res.writeHeader("Content-Type", kind + headers).end(engine.output(), state.draining);
  }

  /** Everything but a decision. Fails closed: out of budget is DENY for every action, a broken engine is 500. */
  #refuse(
    res: HttpResponse,
    engine: Engine,
    status: number,
    bytes: Uint8Array,
    input: number,
    output: number,
    headers: string,
  ): void {
    const { state } = this.#context;
    const isBudget = status === STATUS_FUEL || status === STATUS_OUTPUT_FULL || status === STATUS_MEMORY;
    if (isBudget && engine.decide(bytes, input, output, FLAG_DENY_ALL) === STATUS_OK) {
      const kind = output === FORMAT_JSON ? this.#jsonHeaders : this.#msgpackHeaders;
      res.writeHeader("Content-Type", kind + BUDGET_REASON + headers).end(engine.output(), state.draining);
      return;
    }
    const error = engine.failure(status, bytes, input);
    const reply = failureReply(error);
    if (reply.status.startsWith("5")) this.#logFailure(`a check failed: ${error.message}`);
    send(res, reply, headers, state.draining);
  }
}

/** Adds a chunk; the reply to give when it cannot be taken. */
function append(body: BodyBuffer, chunk: ArrayBuffer, engine: Engine): Reply | null {
  switch (body.append(new Uint8Array(chunk))) {
    case "ok":
      return null;
    case "too-large":
      return failureReply(tooLarge(engine.options.maxBodyBytes));
    case "overloaded":
      return OVERLOADED;
  }
}
