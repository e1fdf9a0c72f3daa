/**
 * Finding, splitting and counting pieces of text by bytes (UTF-8 is self-synchronising, so a match never starts
 * inside a code point). Plain scanning: the worst case is quadratic, so every comparison burns fuel.
 */
import { TAG_LIST, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { box } from "../value/value";

import { widthOf } from "./code-points";
import { noFuel, noMemory } from "./failure";

export const NOT_FOUND: i32 = -1;
/** The fuel ran out during the search. */
export const SEARCH_STOPPED: i32 = -2;

/** Bytes of scanning per unit of fuel. */
const SCAN_SHIFT: u32 = 4;

/** Byte offset of the first `piece` at `from` or later, NOT_FOUND or SEARCH_STOPPED. `pieceLength` > 0. */
export function findFirst(start: usize, length: u32, piece: usize, pieceLength: u32, from: u32): i32 {
  if (pieceLength > length || from > length - pieceLength) return NOT_FOUND;
  const lead = load<u8>(piece);
  const last = length - pieceLength;
  const cost = 1 + (pieceLength >> SCAN_SHIFT);
  if (!burn(1 + ((last - from) >> SCAN_SHIFT))) return SEARCH_STOPPED;
  for (let at = from; at <= last; at++) {
    if (load<u8>(start + at) != lead) continue;
    if (!burn(cost)) return SEARCH_STOPPED;
    if (equalBytes(start + at, piece, pieceLength)) return <i32>at;
  }
  return NOT_FOUND;
}

/** Byte offset of the last `piece` that starts at `from` or before, NOT_FOUND or SEARCH_STOPPED. */
export function findLast(start: usize, length: u32, piece: usize, pieceLength: u32, from: u32): i32 {
  if (pieceLength > length) return NOT_FOUND;
  const lead = load<u8>(piece);
  const last = length - pieceLength;
  const cost = 1 + (pieceLength >> SCAN_SHIFT);
  const first = from < last ? from : last;
  if (!burn(1 + (first >> SCAN_SHIFT))) return SEARCH_STOPPED;
  for (let at = <i32>first; at >= 0; at--) {
    if (load<u8>(start + at) != lead) continue;
    if (!burn(cost)) return SEARCH_STOPPED;
    if (equalBytes(start + at, piece, pieceLength)) return at;
  }
  return NOT_FOUND;
}

/** Number of non-overlapping pieces, at most `limit`; SEARCH_STOPPED when fuel ran out. */
export function countPieces(start: usize, length: u32, piece: usize, pieceLength: u32, limit: u32): i32 {
  let count: u32 = 0;
  let from: u32 = 0;
  while (count < limit) {
    const found = findFirst(start, length, piece, pieceLength, from);
    if (found == SEARCH_STOPPED) return SEARCH_STOPPED;
    if (found < 0) break;
    count++;
    from = <u32>found + pieceLength;
  }
  return <i32>count;
}

/** A list of `count` strings whose cells lie right behind it, or 0 when it does not fit. */
function stringList(count: u32): usize {
  const size = 8 + ((<usize>count) << 4);
  if (count >= 1 << 26 || !fits(size)) return 0;
  const list = allocate(size);
  store<u32>(list, count);
  store<u32>(list, 0, 4);
  return list;
}

/** Sets string `index` of a list made by `stringList`. */
function setString(list: usize, index: u32, start: usize, length: u32): void {
  const count = load<u32>(list);
  const cell = list + 8 + ((<usize>count + index) << 3);
  store<u32>(cell, <u32>start);
  store<u32>(cell, length, 4);
  store<u64>(list + 8 + ((<usize>index) << 3), box(TAG_STRING, cell));
}

/** The parts between separators, at most `limit` of them (the last one holds the rest); `limit` > 0. */
export function splitText(
  start: usize,
  length: u32,
  separator: usize,
  separatorLength: u32,
  limit: u32,
): u64 {
  if (separatorLength == 0) return splitCodePoints(start, length, limit);
  const separators = countPieces(start, length, separator, separatorLength, limit - 1);
  if (separators < 0) return noFuel();
  const list = stringList(<u32>separators + 1);
  if (list == 0) return noMemory();
  let from: u32 = 0;
  for (let index: u32 = 0; index < <u32>separators; index++) {
    const found = findFirst(start, length, separator, separatorLength, from);
    if (found < 0) return noFuel();
    setString(list, index, start + from, <u32>found - from);
    from = <u32>found + separatorLength;
  }
  setString(list, separators, start + from, length - from);
  return box(TAG_LIST, list);
}

/** The code points one by one, at most `limit` parts (the last one holds the rest). */
function splitCodePoints(start: usize, length: u32, limit: u32): u64 {
  if (!burn(1 + length)) return noFuel();
  let count: u32 = 0;
  let at: u32 = 0;
  while (at < length && count < limit) {
    at += widthOf(load<u8>(start + at));
    count++;
  }
  const list = stringList(count);
  if (list == 0) return noMemory();
  at = 0;
  for (let index: u32 = 0; index < count; index++) {
    const width = index + 1 == limit ? length - at : widthOf(load<u8>(start + at));
    setString(list, index, start + at, width);
    at += width;
  }
  return box(TAG_LIST, list);
}
