/**
 * Validates msgpack values that nobody reads: the same strictness as for values that count (types that JSON has,
 * UTF-8, depth, repeated keys, finite numbers), and nothing kept.
 */
import { MAX_DEPTH, STATUS_DEPTH, STATUS_DUPLICATE_KEY, STATUS_MEMORY } from "../abi";
import { mark, rewind } from "../memory/arena";
import { refuse, refuseAnyway } from "./failure";
import { addMember, MEMBER_NEW, MEMBER_REPEATED, newRun } from "./key-set";
import {
  atValue,
  FALSE_BYTE,
  isArray,
  isMap,
  isNumber,
  isString,
  itemCount,
  NIL,
  readArray,
  readMap,
  readNumber,
  readString,
  refuseHeader,
  textLength,
  textStart,
  TRUE_BYTE,
} from "./msgpack-scan";

/** Any value of a type that JSON has too. `depth` is the number of containers around it. */
export function skipValue(at: usize, depth: i32): usize {
  if (!atValue(at)) return 0;
  const byte = load<u8>(at);
  if (isString(byte)) return readString(at);
  if (isNumber(byte)) return readNumber(at);
  if (byte == NIL || byte == FALSE_BYTE || byte == TRUE_BYTE) return at + 1;
  if (isMap(byte)) return skipMap(at, depth + 1);
  if (isArray(byte)) return skipArray(at, depth + 1);
  return refuseHeader(at);
}

export function skipArray(at: usize, depth: i32): usize {
  if (depth > MAX_DEPTH) return refuse(STATUS_DEPTH, at);
  at = readArray(at);
  for (let left = itemCount; at != 0 && left != 0; left--) at = skipValue(at, depth);
  return at;
}

export function skipMap(at: usize, depth: i32): usize {
  if (depth > MAX_DEPTH) return refuse(STATUS_DEPTH, at);
  at = readMap(at);
  if (at == 0) return 0;
  let left = itemCount;
  if (left == 0) return at;
  const before = mark();
  const keys = newRun();
  if (keys == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  while (left != 0) {
    at = skipKey(at, keys);
    if (at == 0) return 0;
    at = skipValue(at, depth);
    if (at == 0) return 0;
    left -= 1;
  }
  rewind(before);
  return at;
}

/** A key, which joins `keys`; the first byte of its value. */
export function skipKey(at: usize, keys: usize): usize {
  const end = readString(at);
  if (end == 0) return 0;
  const added = addMember(keys, textStart, textLength);
  return added == MEMBER_NEW ? end : refuseMember(added, at);
}

/** Stops at a key that could not be added to its set. */
export function refuseMember(added: i32, at: usize): usize {
  return added == MEMBER_REPEATED ? refuse(STATUS_DUPLICATE_KEY, at) : refuseAnyway(STATUS_MEMORY, at, 0);
}
