/**
 * POST /access/v1/search/{subject,resource,action}: bodies in, pages out. What there is to find is runtime/search's; a search may last
 * several turns of the event loop, so the request stays open, and is given up when its client is gone. The connection is not paused
 * meanwhile, because a closed one would go unnoticed.
 */
import { pack } from "msgpackr";
import { FORMAT_JSON } from "../../assembly/abi.ts";
import { RequestError, SearchOverloadError, TokenError, TokenOverloadError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import type { Searched } from "../guest/search-request.ts";
import { throttledLog } from "../observe/log.ts";
import { tooLarge } from "../request/describe.ts";
import type { SearchAnswer, Searcher } from "../search/searcher.ts";
import { BodyBuffer } from "./body.ts";
import type { HttpContext } from "./decision-route.ts";
import { HeldRequest } from "./held-request.ts";
import { outputFormat, strictInputFormat } from "./media-type.ts";
import {
  CHECK_FAILED,
  failureReply,
  OVERLOADED,
  type Reply,
  SEARCHES_OVERLOADED,
  send,
  TOKENS_OVERLOADED,
  TOO_BUSY,
  UNSUPPORTED_TYPE,
} from "./replies.ts";
import { requestIdLine } from "./request-id.ts";
import { refuseUnread } from "./unread.ts";
import { endScarce, unsent } from "./unsent.ts";
import type { Handler, HttpRequest, HttpResponse } from "./uws.ts";

/** At most one line per this many milliseconds about failing searches. */
const LOG_INTERVAL = 1000;

/** A page that was not searched to its end because a request may not take longer; what is not found is not permitted. */
const NOTHING_FOUND = { page: { next_token: "", count: 0 }, results: [] };

/** The handler for searches of one kind. */
export function searchRoute(context: HttpContext, searcher: Searcher, searched: Searched): Handler {
  const route = new SearchRoute(context, searcher, searched);
  return (res, req) => {
    route.receive(res, req);
  };
}

class SearchRoute {
  readonly #context: HttpContext;
  readonly #searcher: Searcher;
  readonly #searched: Searched;
  readonly #log = throttledLog(LOG_INTERVAL);

  constructor(context: HttpContext, searcher: Searcher, searched: Searched) {
    this.#context = context;
    this.#searcher = searcher;
    this.#searched = searched;
  }

  /** Reads what it needs of the headers and waits for the body. */
  receive(res: HttpResponse, req: HttpRequest): void {
    const { cors, gate, state, access, bodies, memory } = this.#context;
    const lines = cors.headers(cors.readsOrigin ? req.getHeader("origin") : "") + requestIdLine(req);
    if (!gate.admits()) {
      state.noteShed();
      send(res, TOO_BUSY, lines, state.draining);
      return;
    }
    const input = strictInputFormat(req.getHeader("content-type"));
    const forbidden = access?.refusal(req, "search") ?? null;
    const refusal = forbidden ?? (input < 0 ? UNSUPPORTED_TYPE : null);
    if (refusal !== null) {
      state.counters.add(forbidden === null ? "invalid" : "unauthorized");
      refuseUnread(res, refusal, lines, state);
      return;
    }
    const output = outputFormat(req.getHeader("accept"), input);
    const body = new BodyBuffer(bodies, state.engine.options.maxBodyBytes, memory);
    let open = true;
    this.#context.inFlight++;
    res.onAborted(() => {
      if (!open) return;
      open = false;
      this.#context.inFlight--;
      body.release();
    });
    res.onData((chunk, isLast) => {
      if (!open) return;
      body.append(new Uint8Array(chunk));
      const isAbusive = body.isAbusive;
      if (!isLast && !isAbusive) return;
      open = false;
      this.#context.inFlight--;
      if (body.state === "ok") this.#search(res, body.bytes(), input, output, lines);
      else {
        const limit = state.engine.options.maxBodyBytes;
        const reply = body.state === "too-large" ? failureReply(tooLarge(limit)) : OVERLOADED;
        send(res, reply, lines, state.draining || isAbusive);
      }
      body.release();
    });
  }

  /** Searches and answers later. `bytes` are read before it returns. */
  #search(res: HttpResponse, bytes: Uint8Array, input: number, output: number, lines: string): void {
    const context = this.#context;
    const { state } = context;
    const size = bytes.byteLength;
    if (!context.bodies.take(size)) {
      send(res, OVERLOADED, lines, state.draining);
      return;
    }
    const held = new HeldRequest(context, res, size, false);
    this.#searcher
      .search({ searched: this.#searched, bytes, input, output }, () => held.isOpen)
      .then(
        (answer) =>
          held.answer(() => {
            // Nobody waits for one that was given up.
            if (answer === null) return;
            state.counters.add("searched");
            this.#write(res, answer.page ?? emptyPage(output), output, headOf(answer) + lines);
          }),
        (error: unknown) => held.answer(() => send(res, this.#refusal(error), lines, state.draining)),
      );
  }

  #write(res: HttpResponse, page: Uint8Array, output: number, lines: string): void {
    const type = output === FORMAT_JSON ? "application/json" : "application/msgpack";
    res.writeHeader("Content-Type", type + lines);
    if (unsent.isScarce) endScarce(res, page, this.#context);
    else res.end(page, this.#context.state.draining);
  }

  #refusal(error: unknown): Reply {
    if (error instanceof TokenError) this.#log(`tokens of a search were refused: ${error.reason}`);
    if (error instanceof RequestError) return failureReply(error);
    if (error instanceof TokenOverloadError) return TOKENS_OVERLOADED;
    if (error instanceof SearchOverloadError) return SEARCHES_OVERLOADED;
    this.#log(`a search failed: ${oneLine(error)}`);
    return CHECK_FAILED;
  }
}

function headOf({ engine, denial, page }: SearchAnswer): string {
  const reason = denial ?? (page === null ? "evaluation-budget" : null);
  const line = reason === null ? "" : `\r\nEdict-Deny-Reason: ${reason}`;
  return `\r\nEdict-Bundle: ${engine.bundle.shortDigest}${line}`;
}

function emptyPage(output: number): Uint8Array {
  return output === FORMAT_JSON ? Buffer.from(JSON.stringify(NOTHING_FOUND)) : pack(NOTHING_FOUND);
}
