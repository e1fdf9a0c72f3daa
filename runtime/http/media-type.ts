/** Which wire format a request has and its answer gets, from the two headers that say so. */
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";

/** The names under which msgpack travels; the first is what edict answers with. */
const MSGPACK = /application\/(?:x-|vnd\.)?msgpack\b/i;

/** FORMAT_* of a body. Like Cerbos, anything that is not msgpack is taken for JSON, whatever it is called. */
export function inputFormat(contentType: string): number {
  if (contentType === "application/json" || contentType === "") return FORMAT_JSON;
  return MSGPACK.test(contentType) ? FORMAT_MSGPACK : FORMAT_JSON;
}

/** FORMAT_* of the answer: what `Accept` names, otherwise the format of the request. */
export function outputFormat(accept: string, input: number): number {
  if (accept === "" || accept === "*/*") return input;
  if (MSGPACK.test(accept)) return FORMAT_MSGPACK;
  return accept.includes("json") ? FORMAT_JSON : input;
}
