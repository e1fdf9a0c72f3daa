/** Which wire format a request has and its answer gets, from the two headers that say so. */
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";

/** What most requests name, looked for first: a comparison takes less than a pattern. */
const PLAIN_JSON = "application/json";
const PLAIN_MSGPACK = "application/msgpack";

/** The names under which msgpack travels. */
const MSGPACK = /application\/(?:x-|vnd\.)?msgpack\b/i;

/** FORMAT_* of a body. Like Cerbos, anything that is not msgpack is taken for JSON, whatever it is called. */
export function inputFormat(contentType: string): number {
  if (contentType === PLAIN_JSON || contentType === "") return FORMAT_JSON;
  if (contentType === PLAIN_MSGPACK) return FORMAT_MSGPACK;
  return MSGPACK.test(contentType) ? FORMAT_MSGPACK : FORMAT_JSON;
}

/** The same with parameters behind it. */
const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;
const WHOLE_MSGPACK = /^application\/(?:x-|vnd\.)?msgpack[ \t]*(?:;|$)/i;

/** As `inputFormat` for routes that refuse what they do not know, and bodies without a media type: -1 for those. */
export function strictInputFormat(contentType: string): number {
  if (contentType === PLAIN_JSON) return FORMAT_JSON;
  if (contentType === PLAIN_MSGPACK) return FORMAT_MSGPACK;
  if (JSON_TYPE.test(contentType)) return FORMAT_JSON;
  return WHOLE_MSGPACK.test(contentType) ? FORMAT_MSGPACK : -1;
}

/** FORMAT_* of the answer: what `Accept` names, otherwise the format of the request. */
export function outputFormat(accept: string, input: number): number {
  if (accept === PLAIN_JSON) return FORMAT_JSON;
  if (accept === PLAIN_MSGPACK) return FORMAT_MSGPACK;
  if (accept === "" || accept === "*/*") return input;
  if (MSGPACK.test(accept)) return FORMAT_MSGPACK;
  return accept.includes("json") ? FORMAT_JSON : input;
}
