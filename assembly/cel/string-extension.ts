/**
 * CEL's strings extension (cel-go `ext.Strings`): positions, parts, case, trimming. Indices count code points.
 * `replace`, `join` and `quote` are in string-building.ts, `format` is in format.ts, `reverse` in lists.ts.
 */
import { ERROR_INDEX_OUT_OF_RANGE, TAG_INT, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { fail, intOf, lengthOf, newList, ofInt, ofString, startOf, tagOf } from "../value/value";
import { codePointAt, countCodePoints, offsetOf, widthOf } from "./code-points";
import { noFuel, noMemory, noOverload1, noOverload2, noOverload3 } from "./failure";
import { findFirst, findLast, SEARCH_STOPPED, splitText } from "./text-search";

export { join1, join2, quote, replace3, replace4 } from "./string-building";

const NO_LIMIT: u32 = 0xffff_ffff;

function isText(value: u64): bool {
  return tagOf(value) == TAG_STRING;
}

/** Takes the fuel for one pass over a text. */
function burnPass(length: u32): bool {
  return burn(1 + (length >> 4));
}

/** The code point at an index, as a string; "" right behind the last one. */
export function charAt(text: u64, index: u64): u64 {
  if (!isText(text) || tagOf(index) != TAG_INT) return noOverload2(text, index);
  const position = intOf(index);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  if (position < 0 || position > <i64>countCodePoints(startOf(text), length)) {
    return fail(ERROR_INDEX_OUT_OF_RANGE, index);
  }
  const offset = offsetOf(startOf(text), length, <u32>position);
  if (offset == length) return ofString(startOf(text), 0);
  return ofString(startOf(text) + offset, widthOf(load<u8>(startOf(text) + offset)));
}

/** Code points in front of a byte offset, as an int. */
function indexAt(text: u64, offset: i32): u64 {
  return ofInt(countCodePoints(startOf(text), <u32>offset));
}

/** Index of the first `piece` at code point `position` or later, else -1. */
function firstIndex(text: u64, piece: u64, position: i64, index: u64): u64 {
  if (position < 0) return fail(ERROR_INDEX_OUT_OF_RANGE, index);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  const count = <i64>countCodePoints(startOf(text), length);
  if (lengthOf(piece) == 0) return ofInt(position < count ? position : count);
  if (position >= count) return ofInt(-1);
  const from = offsetOf(startOf(text), length, <u32>position);
  const found = findFirst(startOf(text), length, startOf(piece), lengthOf(piece), from);
  if (found == SEARCH_STOPPED) return noFuel();
  return found < 0 ? ofInt(-1) : indexAt(text, found);
}

export function indexOf2(text: u64, piece: u64): u64 {
  if (!isText(text) || !isText(piece)) return noOverload2(text, piece);
  return firstIndex(text, piece, 0, text);
}

/** An index past the end finds nothing (-1); a negative one is an error. */
export function indexOf3(text: u64, piece: u64, index: u64): u64 {
  if (!isText(text) || !isText(piece) || tagOf(index) != TAG_INT) return noOverload3(text, piece, index);
  return firstIndex(text, piece, intOf(index), index);
}

/** Index of the last `piece` that starts at byte `from` or before, else -1. */
function lastIndex(text: u64, piece: u64, from: u32): u64 {
  const found = findLast(startOf(text), lengthOf(text), startOf(piece), lengthOf(piece), from);
  if (found == SEARCH_STOPPED) return noFuel();
  return found < 0 ? ofInt(-1) : indexAt(text, found);
}

export function lastIndexOf2(text: u64, piece: u64): u64 {
  if (!isText(text) || !isText(piece)) return noOverload2(text, piece);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  if (lengthOf(piece) == 0) return ofInt(countCodePoints(startOf(text), length));
  return lastIndex(text, piece, length);
}

/** An index past the end finds nothing (-1); a negative one is an error. */
export function lastIndexOf3(text: u64, piece: u64, index: u64): u64 {
  if (!isText(text) || !isText(piece) || tagOf(index) != TAG_INT) return noOverload3(text, piece, index);
  const position = intOf(index);
  if (position < 0) return fail(ERROR_INDEX_OUT_OF_RANGE, index);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  const count = <i64>countCodePoints(startOf(text), length);
  if (lengthOf(piece) == 0) return ofInt(position < count ? position : count);
  if (position >= count) return ofInt(-1);
  return lastIndex(text, piece, offsetOf(startOf(text), length, <u32>position));
}

/** A copy with the letters `first`..`first + 25` moved to the other case. */
function changeCase(text: u64, first: u32): u64 {
  if (!isText(text)) return noOverload1(text);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  if (!fits(length)) return noMemory();
  const from = startOf(text);
  const out = allocate(length);
  for (let at: u32 = 0; at < length; at++) {
    const byte = load<u8>(from + at);
    store<u8>(out + at, <u32>byte - first < 26 ? byte ^ 0x20 : byte);
  }
  return ofString(out, length);
}

export function lowerAscii(text: u64): u64 {
  return changeCase(text, 0x41);
}

export function upperAscii(text: u64): u64 {
  return changeCase(text, 0x61);
}

export function split2(text: u64, separator: u64): u64 {
  if (!isText(text) || !isText(separator)) return noOverload2(text, separator);
  return splitText(startOf(text), lengthOf(text), startOf(separator), lengthOf(separator), NO_LIMIT);
}

/** At most `limit` parts; a negative limit is none, 0 gives an empty list. */
export function split3(text: u64, separator: u64, limit: u64): u64 {
  if (!isText(text) || !isText(separator) || tagOf(limit) != TAG_INT)
    return noOverload3(text, separator, limit);
  const most = intOf(limit);
  if (most == 0) return newList(0);
  const parts = most < 0 || most > <i64>NO_LIMIT ? NO_LIMIT : <u32>most;
  return splitText(startOf(text), lengthOf(text), startOf(separator), lengthOf(separator), parts);
}

export function substring2(text: u64, first: u64): u64 {
  if (!isText(text) || tagOf(first) != TAG_INT) return noOverload2(text, first);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  const from = intOf(first);
  if (from < 0 || from > <i64>countCodePoints(startOf(text), length))
    return fail(ERROR_INDEX_OUT_OF_RANGE, first);
  const offset = offsetOf(startOf(text), length, <u32>from);
  return ofString(startOf(text) + offset, length - offset);
}

/** The code points `first` up to and without `end`; both must lie in the text, in this order. */
export function substring3(text: u64, first: u64, end: u64): u64 {
  if (!isText(text) || tagOf(first) != TAG_INT || tagOf(end) != TAG_INT) return noOverload3(text, first, end);
  const length = lengthOf(text);
  if (!burnPass(length)) return noFuel();
  const from = intOf(first);
  const to = intOf(end);
  if (from < 0 || from > to) return fail(ERROR_INDEX_OUT_OF_RANGE, first);
  if (to > <i64>countCodePoints(startOf(text), length)) return fail(ERROR_INDEX_OUT_OF_RANGE, end);
  const offset = offsetOf(startOf(text), length, <u32>from);
  const rest = startOf(text) + offset;
  return ofString(rest, offsetOf(rest, length - offset, <u32>(to - from)));
}

/** Unicode white space, as Go's `unicode.IsSpace` has it. */
function isSpace(point: u32): bool {
  if (point < 0x80) return point == 0x20 || (point >= 0x09 && point <= 0x0d);
  if (point >= 0x2000 && point <= 0x200a) return true;
  if (point == 0x85 || point == 0xa0 || point == 0x1680 || point == 0x3000) return true;
  return point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f;
}

/** Without white space at either end. */
export function trim(text: u64): u64 {
  if (!isText(text)) return noOverload1(text);
  if (!burnPass(lengthOf(text))) return noFuel();
  let start = startOf(text);
  let end = start + lengthOf(text);
  while (start < end && isSpace(codePointAt(start, end))) start += widthOf(load<u8>(start));
  while (start < end) {
    let at = end - 1;
    while (at > start && (load<u8>(at) & 0xc0) == 0x80) at--;
    if (!isSpace(codePointAt(at, end))) break;
    end = at;
  }
  return ofString(start, <u32>(end - start));
}
