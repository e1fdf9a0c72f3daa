/**
 * Single members of objects that were validated and kept as bytes: those of a context with a meaning of their own
 * (`cerbos.auxData`...), found by name in either format. Objects rarely have any, so a vector pass over their bytes says first
 * whether looking is worth it.
 */
import { TAG_RAW_JSON } from "../abi";
import { equalBytes } from "../memory/bytes";
import { ABSENT } from "../value/value";
import { buildJson } from "./json-build";
import { BACKSLASH, Scan } from "./json-scan";
import { skipValue as skipJson } from "./json-skip";
import { hasEscapes, scanString, unescape } from "./json-string";
import { buildMsgpack } from "./msgpack-build";
import { itemCount, readMap, readString, textLength, textStart } from "./msgpack-scan";
import { skipValue as skipMsgpack } from "./msgpack-skip";

const LETTER_C: u8 = 0x63;
const LETTER_E: u8 = 0x65;
const LETTER_R: u8 = 0x72;

/** Depth at which values of validated objects are skipped again: any that leaves them their depth. */
const DEPTH: i32 = 0;

/**
 * Whether the bytes of an object may hold a member whose name begins with `cerbos.`: false is certain. Reads up to 17 bytes behind
 * `end`.
 */
export function mayHoldReserved(start: usize, end: usize): bool {
  for (let at = start; at < end; at += 16) {
    const block = v128.load(at);
    const here = v128.and(
      v128.and(i8x16.eq(block, i8x16.splat(LETTER_C)), i8x16.eq(v128.load(at, 1), i8x16.splat(LETTER_E))),
      i8x16.eq(v128.load(at, 2), i8x16.splat(LETTER_R)),
    );
    // Behind a backslash the name may be written in other ways.
    if (v128.any_true(v128.or(here, i8x16.eq(block, i8x16.splat(BACKSLASH))))) return true;
  }
  return false;
}

/** Where the value of a member begins, 0 when the object (its first byte at `start`, TAG_RAW_* `tag`) has no such member. */
export function memberPlace(tag: i32, start: usize, name: usize, length: u32): usize {
  return tag == TAG_RAW_JSON ? jsonMember(start, name, length) : msgpackMember(start, name, length);
}

/** The value of a member; ABSENT without one, an error when the arena is full. */
export function memberValue(tag: i32, start: usize, name: usize, length: u32): u64 {
  const at = memberPlace(tag, start, name, length);
  if (at == 0) return ABSENT;
  return tag == TAG_RAW_JSON ? buildJson(at) : buildMsgpack(at);
}

function jsonMember(at: usize, name: usize, length: u32): usize {
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    let start = at + 1;
    const scanned = scanString(start);
    const end = <usize>(<u32>scanned);
    let size = <u32>(end - start);
    if (hasEscapes(scanned)) {
      const cell = unescape(start, end);
      if (cell == 0) return 0;
      start = load<u32>(cell);
      size = load<u32>(cell, 4);
    }
    at = Scan.colon(end + 1);
    if (size == length && equalBytes(start, name, length)) return at;
    at = skipJson(at, DEPTH);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return 0;
}

function msgpackMember(at: usize, name: usize, length: u32): usize {
  at = readMap(at);
  if (at == 0) return 0;
  for (let left = itemCount; left != 0; left--) {
    at = readString(at);
    if (at == 0) return 0;
    if (textLength == length && equalBytes(textStart, name, length)) return at;
    at = skipMsgpack(at, DEPTH);
    if (at == 0) return 0;
  }
  return 0;
}
