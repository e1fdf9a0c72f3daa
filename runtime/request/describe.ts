/**
 * Turns a status with which the guest refused a request into the error a client reads: what is wrong, in which field,
 * at which line and column (JSON) or byte (msgpack). Texts follow protobuf's JSON parser where it has one for the case
 * (COMPAT.md 10.3). Only called on the error path.
 */
import {
  FORMAT_MSGPACK,
  INVALID_AUTHZEN_SUBJECT,
  MAX_DEPTH,
  STATUS_AUX_DATA,
  STATUS_DEPTH,
  STATUS_DUPLICATE_KEY,
  STATUS_ESCAPE,
  STATUS_INVALID_REQUEST,
  STATUS_NUMBER,
  STATUS_SYNTAX,
  STATUS_TOO_MANY_ACTIONS,
  STATUS_TOO_MANY_PAIRS,
  STATUS_TOO_MANY_RESOURCES,
  STATUS_TRAILING,
  STATUS_TRUNCATED,
  STATUS_UNKNOWN_FIELD,
  STATUS_UTF8,
  STATUS_WRONG_TYPE,
} from "../../assembly/abi.ts";
import { RequestError } from "../errors.ts";
import type { Location } from "./field-path.ts";
import { locateJson } from "./locate-json.ts";
import { locateMsgpack } from "./locate-msgpack.ts";
import {
  decodeRequest,
  ruleViolation,
  validateRequest,
  validationError,
  type Violation,
} from "./validate.ts";

/** Bytes of the largest body that is read again to find everything that is wrong with it. */
const MAX_REREAD = 256 * 1024;

/** What is known about a refused request. */
export interface Refusal {
  /** A STATUS_* of abi.ts, or that the body exceeds the limit. */
  readonly status: number | "too-large";
  readonly bytes: Uint8Array;
  /** FORMAT_*. */
  readonly format: number;
  /** Byte offset where decoding stopped; for a broken rule the index of the resource. */
  readonly offset: number;
  /** The count found, when a limit was exceeded; for a broken rule which one, INVALID_*. */
  readonly detail: number;
  /** What is wrong with an AuthZEN body that breaks a rule, with the path of the field in backticks. */
  readonly text?: string;
  readonly limits: {
    readonly maxActionsPerResource: number;
    readonly maxResourcesPerRequest: number;
    readonly maxPairsPerRequest: number;
    readonly maxBodyBytes: number;
  };
}

/** The error for a refused request; never null, so that an unforeseen status is still refused. */
export function describeFailure(refusal: Refusal): RequestError {
  const { status, limits, detail } = refusal;
  switch (status) {
    case "too-large":
      return tooLarge(limits.maxBodyBytes);
    case STATUS_INVALID_REQUEST:
      if (detail >= INVALID_AUTHZEN_SUBJECT) return brokenEvaluation(refusal);
      return validationError(violationsOf(refusal));
    case STATUS_TOO_MANY_ACTIONS:
      return overLimit("actions", detail, limits.maxActionsPerResource);
    case STATUS_TOO_MANY_RESOURCES:
      return overLimit("resources in batch", detail, limits.maxResourcesPerRequest);
    case STATUS_TOO_MANY_PAIRS:
      return overLimit("resource and action pairs in batch", detail, limits.maxPairsPerRequest);
    case STATUS_AUX_DATA:
      return new RequestError("EDICT_REQUEST_AUX_DATA", "invalid auxData", "auxData");
    default:
      return malformed(refusal, status);
  }
}

/** An AuthZEN body whose top level breaks a rule; the text names the field in backticks. */
function brokenEvaluation({ text = "" }: Refusal): RequestError {
  const [, key = "", within] = /`([^`]+)`(?: in `([^`]+)`)?/u.exec(text) ?? [];
  const field = within === undefined ? key : `${within}[${JSON.stringify(key)}]`;
  const details = field === "" ? [] : [{ field, reason: text }];
  return new RequestError("EDICT_REQUEST_INVALID", text, field, details);
}

/** All violations, or of a large body the first one, which the guest names: reading millions of values again takes too long. */
function violationsOf({ bytes, format, detail, offset }: Refusal): readonly Violation[] {
  if (bytes.byteLength > MAX_REREAD) return ruleViolation(detail, offset);
  return validateRequest(decodeRequest(bytes, format));
}

/** A body longer than `limit` bytes. */
export function tooLarge(limit: number): RequestError {
  return new RequestError("EDICT_REQUEST_TOO_LARGE", `request body exceeds the limit of ${limit} bytes`);
}

function overLimit(what: string, count: number, limit: number): RequestError {
  const message = `number of ${what} (${count}) exceeds configured limit (${limit})`;
  return new RequestError("EDICT_REQUEST_LIMIT", message, "resources");
}

function malformed(refusal: Refusal, status: number): RequestError {
  const { bytes, offset } = refusal;
  let location: Location;
  let place: string;
  if (refusal.format === FORMAT_MSGPACK) {
    location = locateMsgpack(bytes, offset);
    place = `msgpack: (byte ${location.offset})`;
  } else {
    const found = locateJson(bytes, offset);
    location = found;
    place = `proto: (line ${found.line}:${found.column})`;
  }
  const reason = reasonFor(status, location);
  const where = location.path === "" ? "" : ` at \`${location.path}\``;
  const details = location.path === "" ? [] : [{ field: location.path, reason }];
  return new RequestError("EDICT_REQUEST_MALFORMED", `${place}: ${reason}${where}`, location.path, details);
}

function reasonFor(status: number, { key, token, freeForm }: Location): string {
  switch (status) {
    case STATUS_TRUNCATED:
      return "unexpected end of input";
    case STATUS_SYNTAX:
      return token === "" ? "unexpected end of input" : `syntax error: unexpected token ${token}`;
    case STATUS_TRAILING:
      return "syntax error: unexpected data after the request";
    case STATUS_DEPTH:
      return `nested deeper than ${MAX_DEPTH} levels`;
    case STATUS_UTF8:
      return "invalid UTF-8 in string";
    case STATUS_DUPLICATE_KEY:
      return freeForm ? `duplicate map key ${JSON.stringify(key)}` : `duplicate field ${JSON.stringify(key)}`;
    case STATUS_UNKNOWN_FIELD:
      return `unknown field ${JSON.stringify(key)}`;
    case STATUS_WRONG_TYPE:
      return key === "" ? `invalid value: ${token}` : `invalid value for field ${key}: ${token}`;
    case STATUS_NUMBER:
      return `invalid number ${token}`;
    case STATUS_ESCAPE:
      return "invalid escape sequence or control character in string";
    default:
      return `the request cannot be decoded (status ${status})`;
  }
}
