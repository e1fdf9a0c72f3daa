/**
 * Validates JSON values that nobody reads: the same strictness as for values that count (grammar, UTF-8, depth,
 * repeated keys, numbers that fit a double), and nothing kept.
 */
import { MAX_DEPTH, STATUS_DEPTH, STATUS_DUPLICATE_KEY, STATUS_MEMORY, STATUS_SYNTAX } from "../abi";
import { mark, rewind } from "../memory/arena";
import { refuse, refuseAnyway } from "./failure";
import { scanNumber } from "./json-number";
import { CLOSE_BRACKET, COMMA, MINUS, OPEN_BRACE, OPEN_BRACKET, QUOTE, Scan, skipLiteral } from "./json-scan";
import { hasEscapes, scanOn, scanString, unescape } from "./json-string";
import { addMember, MEMBER_NEW, MEMBER_REPEATED, newRun } from "./key-set";

/** value: string | number | object | array | literal. `depth` is the number of containers around it. */
export function skipValue(at: usize, depth: i32): usize {
  const byte = load<u8>(at);
  if (byte == QUOTE) {
    const end = Scan.plainEnd(at + 1);
    if (load<u8>(end) == QUOTE) return end + 1;
    const scanned = scanOn(end);
    return scanned == 0 ? 0 : <usize>(<u32>scanned) + 1;
  }
  if (byte == OPEN_BRACE) return skipObject(at, depth + 1);
  if (byte == OPEN_BRACKET) return skipArray(at, depth + 1);
  if (byte == MINUS || <u32>byte - 0x30 <= 9) return scanNumber(at);
  return skipLiteral(at);
}

/** array: `[` [value {`,` value}] `]` */
export function skipArray(at: usize, depth: i32): usize {
  if (depth > MAX_DEPTH) return refuse(STATUS_DEPTH, at);
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACKET) return at + 1;
  while (true) {
    at = skipValue(at, depth);
    if (at == 0) return 0;
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte == CLOSE_BRACKET) return at + 1;
    if (byte != COMMA) return refuse(STATUS_SYNTAX, at);
    at = Scan.space(at + 1);
  }
}

/** object: `{` [string `:` value {`,` string `:` value}] `}`, no key twice. */
export function skipObject(at: usize, depth: i32): usize {
  if (depth > MAX_DEPTH) return refuse(STATUS_DEPTH, at);
  at = Scan.firstKey(at);
  if (Scan.ended(at)) return Scan.afterObject(at);
  const before = mark();
  const keys = newRun();
  if (keys == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  while (!Scan.ended(at)) {
    at = skipKey(at, keys);
    if (at == 0) return 0;
    at = skipValue(at, depth);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  rewind(before);
  return Scan.afterObject(at);
}

/** string `:`, from the quote up to the first byte of the value; the key joins `keys`. */
export function skipKey(at: usize, keys: usize): usize {
  let start = at + 1;
  const scanned = scanString(start);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  let length = <u32>(end - start);
  if (hasEscapes(scanned)) {
    const cell = unescape(start, end);
    if (cell == 0) return 0;
    start = load<u32>(cell);
    length = load<u32>(cell, 4);
  }
  const added = addMember(keys, start, length);
  if (added != MEMBER_NEW) return refuseMember(added, at);
  return Scan.colon(end + 1);
}

/** Stops at a key that could not be added to its set. */
export function refuseMember(added: i32, at: usize): usize {
  return added == MEMBER_REPEATED ? refuse(STATUS_DUPLICATE_KEY, at) : refuseAnyway(STATUS_MEMORY, at, 0);
}
