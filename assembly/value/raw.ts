/**
 * Values of the request that are still bytes (TAG_RAW_*), from the operations' side. How they are built is in
 * decode/materialize.ts.
 */
import { TAG_RAW_JSON, TAG_RAW_MSGPACK } from "../abi";
import { materialize } from "../decode/materialize";
import { tagOf } from "./value";

/** The value itself, or the list or map that a raw value stands for (an error when it does not fit the arena). */
export function settle(value: u64): u64 {
  const tag = tagOf(value);
  return tag == TAG_RAW_JSON || tag == TAG_RAW_MSGPACK ? materialize(value) : value;
}
