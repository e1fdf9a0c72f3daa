/**
 * Answers other than decisions: errors in Cerbos's form `{code, message, details}` (COMPAT.md 10.3) and small JSON
 * documents. Error bodies are JSON for msgpack clients too.
 */
import { EngineError, type RequestError } from "../errors.ts";
import { endSmall } from "./unsent.ts";
import type { HttpResponse } from "./uws.ts";

/** The gRPC codes that Cerbos puts into error bodies. */
export const CODE_INVALID_ARGUMENT = 3;
export const CODE_NOT_FOUND = 5;
export const CODE_PERMISSION_DENIED = 7;
export const CODE_RESOURCE_EXHAUSTED = 8;
export const CODE_UNIMPLEMENTED = 12;
export const CODE_INTERNAL = 13;
export const CODE_UNAVAILABLE = 14;
export const CODE_UNAUTHENTICATED = 16;

/** An answer ready to be written. */
export interface Reply {
  /** As in `400 Bad Request`. */
  readonly status: string;
  readonly contentType: string;
  readonly body: string;
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number;
  /** Further header lines, each starting with CRLF. */
  readonly lines?: string;
}

export const JSON_TYPE = "application/json";

/** A JSON document with status 200. */
export function document(value: unknown, status = "200 OK"): Reply {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(value) };
}

/** An error body. */
export function errorReply(
  status: string,
  code: number,
  message: string,
  details: readonly unknown[] = [],
): Reply {
  return { status, contentType: JSON_TYPE, body: JSON.stringify({ code, message, details }) };
}

export const NOT_FOUND_API = errorReply("404 Not Found", CODE_NOT_FOUND, "Not Found");
export const NOT_FOUND_PLAIN: Reply = {
  status: "404 Not Found",
  contentType: "text/plain; charset=utf-8",
  body: "404 page not found\n",
};
/** What Cerbos answers to the wrong method on one of its routes. */
export const WRONG_METHOD_CERBOS = errorReply(
  "501 Not Implemented",
  CODE_UNIMPLEMENTED,
  "Method Not Allowed",
);
export const WRONG_METHOD = errorReply("405 Method Not Allowed", CODE_UNIMPLEMENTED, "Method Not Allowed");
export const ONLY_POST: Reply = { ...WRONG_METHOD, lines: "\r\nAllow: POST" };
/** A body of a media type that the route does not take; AuthZEN asks for 400. */
export const UNSUPPORTED_TYPE = errorReply(
  "400 Bad Request",
  CODE_INVALID_ARGUMENT,
  "`Content-Type` must be application/json or application/msgpack",
);
export const OVERLOADED: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "too many request bodies in progress"),
  retryAfter: 1,
};
/** Requests arrive faster than they can be decided. */
export const TOO_BUSY: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "the server is overloaded"),
  retryAfter: 1,
};
export const TOKENS_OVERLOADED: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "too many tokens are being verified"),
  retryAfter: 1,
};
export const SEARCHES_OVERLOADED: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "too many searches are under way"),
  retryAfter: 1,
};
export const BATCHES_OVERLOADED: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "too many large requests are being decided"),
  retryAfter: 1,
};
/** A worker ended while it decided; nothing of its request is answered. */
export const WORKER_LOST: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "the request could not be decided, ask again"),
  retryAfter: 1,
};
/** The engine failed; the cause is in the log, not in the answer. */
export const CHECK_FAILED = errorReply("500 Internal Server Error", CODE_INTERNAL, "Policy check failed");

/** The answer to a request that was not decided. */
export function failureReply(error: RequestError | EngineError): Reply {
  if (error instanceof EngineError) return CHECK_FAILED;
  if (error.code === "EDICT_REQUEST_TOO_LARGE") {
    return errorReply("413 Payload Too Large", CODE_RESOURCE_EXHAUSTED, error.message);
  }
  return errorReply("400 Bad Request", CODE_INVALID_ARGUMENT, error.message, error.details);
}

/** Writes a reply. `headers` are further header lines, each starting with CRLF; a HEAD gets no body. */
export function send(
  res: HttpResponse,
  reply: Reply,
  headers: string,
  closeConnection: boolean,
  isHead = false,
): void {
  const retry = reply.retryAfter === undefined ? "" : `\r\nRetry-After: ${reply.retryAfter}`;
  res.writeStatus(reply.status);
  res.writeHeader("Content-Type", `${reply.contentType}${retry}${reply.lines ?? ""}${headers}`);
  endSmall(res, isHead ? "" : reply.body, closeConnection);
}
