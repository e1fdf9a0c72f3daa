/**
 * Builds the value of a raw list or map: everything below it too, nothing stays raw. The bytes were validated when
 * they were decoded, so the only thing that can go wrong here is a full arena.
 */
import { TAG_RAW_JSON, TAG_RAW_MSGPACK } from "../abi";
import { startOf, tagOf } from "../value/value";
import { buildJson } from "./json-build";
import { buildMsgpack } from "./msgpack-build";

/**
 * The full value of a TAG_RAW_* value; any other value is answered as it is. Answers an error (ERROR_MEMORY) when
 * the arena is full. Burns no fuel: the work is at most that of decoding, which the size of the body bounds.
 */
export function materialize(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_RAW_JSON) return buildJson(startOf(value));
  if (tag == TAG_RAW_MSGPACK) return buildMsgpack(startOf(value));
  return value;
}
