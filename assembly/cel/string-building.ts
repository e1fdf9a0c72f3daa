/**
 * Functions that write new text: `replace`, `join`, `strings.quote`. Each measures first, then writes once into
 * the arena. `format` is in format.ts.
 */
import { ERROR_NO_SUCH_OVERLOAD, TAG_INT, TAG_LIST, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  fail,
  intOf,
  isError,
  itemAt,
  lengthOf,
  NULL,
  ofString,
  startOf,
  tagOf,
} from "../value/value";
import { countCodePoints, widthOf } from "./code-points";
import { noFuel, noMemory, noOverload1, noOverload2, noOverload3, noOverload4 } from "./failure";
import { countPieces, findFirst } from "./text-search";

const NO_LIMIT: u32 = 0xffff_ffff;
/** Longest text that a function here may write, in bytes: anything longer does not fit any arena. */
const MAX_TEXT: u64 = 0x7fff_0000;

/** Room for a text of `size` bytes, or 0; burns the fuel for writing it. */
function reserve(size: u64): usize {
  if (size > MAX_TEXT || !fits(<usize>size)) return 0;
  return allocate(<usize>size);
}

/** Replaces the first `limit` pieces. */
function replaceText(text: u64, piece: u64, by: u64, limit: u32): u64 {
  const start = startOf(text);
  const length = lengthOf(text);
  const pieceLength = lengthOf(piece);
  if (pieceLength == 0) return insertText(start, length, by, limit);
  const count = countPieces(start, length, startOf(piece), pieceLength, limit);
  if (count < 0) return noFuel();
  if (count == 0) return text;
  const byLength = lengthOf(by);
  const size = <u64>length - <u64>count * pieceLength + <u64>count * byLength;
  if (!burn(<u32>(1 + (size >> 4)))) return noFuel();
  const out = reserve(size);
  if (out == 0) return noMemory();
  let from: u32 = 0;
  let to = out;
  for (let left = count; left > 0; left--) {
    const found = findFirst(start, length, startOf(piece), pieceLength, from);
    if (found < 0) return noFuel();
    memory.copy(to, start + from, <u32>found - from);
    to += <u32>found - from;
    memory.copy(to, startOf(by), byLength);
    to += byLength;
    from = <u32>found + pieceLength;
  }
  memory.copy(to, start + from, length - from);
  return ofString(out, <u32>size);
}

/** Replacing the empty text: `by` goes in front of each code point and behind the last, `limit` times at most. */
function insertText(start: usize, length: u32, by: u64, limit: u32): u64 {
  if (!burn(1 + length)) return noFuel();
  const places = countCodePoints(start, length) + 1;
  const count = places < limit ? places : limit;
  const byLength = lengthOf(by);
  const size = <u64>length + <u64>count * byLength;
  if (!burn(<u32>(1 + (size >> 4)))) return noFuel();
  const out = reserve(size);
  if (out == 0) return noMemory();
  let from: u32 = 0;
  let to = out;
  for (let left = count; left > 0; left--) {
    memory.copy(to, startOf(by), byLength);
    to += byLength;
    if (left == 1 || from >= length) break;
    const width = widthOf(load<u8>(start + from));
    memory.copy(to, start + from, width);
    to += width;
    from += width;
  }
  memory.copy(to, start + from, length - from);
  return ofString(out, <u32>size);
}

function isText(value: u64): bool {
  return tagOf(value) == TAG_STRING;
}

export function replace3(text: u64, piece: u64, by: u64): u64 {
  if (!isText(text) || !isText(piece) || !isText(by)) return noOverload3(text, piece, by);
  return replaceText(text, piece, by, NO_LIMIT);
}

/** Replaces the first `limit` pieces; a negative limit is none. */
export function replace4(text: u64, piece: u64, by: u64, limit: u64): u64 {
  if (!isText(text) || !isText(piece) || !isText(by) || tagOf(limit) != TAG_INT) {
    return noOverload4(text, piece, by, limit);
  }
  const most = intOf(limit);
  if (most == 0) return text;
  return replaceText(text, piece, by, most < 0 || most > <i64>NO_LIMIT ? NO_LIMIT : <u32>most);
}

/** The items of a list of strings, `length` bytes at `separator` between them. */
function joinItems(list: u64, separator: usize, length: u32): u64 {
  const count = countOf(list);
  if (!burn(1 + count)) return noFuel();
  let size: u64 = count == 0 ? 0 : <u64>(count - 1) * length;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (isError(item)) return item;
    if (!isText(item)) return fail(ERROR_NO_SUCH_OVERLOAD, NULL);
    size += lengthOf(item);
  }
  if (!burn(<u32>(1 + (size >> 4)))) return noFuel();
  const out = reserve(size);
  if (out == 0) return noMemory();
  let to = out;
  for (let index: u32 = 0; index < count; index++) {
    if (index > 0) {
      memory.copy(to, separator, length);
      to += length;
    }
    const item = itemAt(list, index);
    memory.copy(to, startOf(item), lengthOf(item));
    to += lengthOf(item);
  }
  return ofString(out, <u32>size);
}

export function join1(value: u64): u64 {
  const list = settle(value);
  return tagOf(list) == TAG_LIST ? joinItems(list, 0, 0) : noOverload1(list);
}

export function join2(value: u64, separator: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST || !isText(separator)) return noOverload2(list, separator);
  return joinItems(list, startOf(separator), lengthOf(separator));
}

/** The letter after the backslash in the escape of a byte, or 0 when the byte stands for itself. */
function escapeOf(byte: u8): u8 {
  if (byte == 0x22 || byte == 0x5c) return byte;
  if (byte < 0x07 || byte > 0x0d) return 0;
  if (byte == 0x07) return 0x61;
  if (byte == 0x08) return 0x62;
  if (byte == 0x09) return 0x74;
  if (byte == 0x0a) return 0x6e;
  if (byte == 0x0b) return 0x76;
  return byte == 0x0c ? 0x66 : 0x72;
}

/** CEL `strings.quote`: in double quotes, with the escapes of a CEL literal. */
export function quote(text: u64): u64 {
  if (!isText(text)) return noOverload1(text);
  const start = startOf(text);
  const length = lengthOf(text);
  if (!burn(1 + (length >> 3))) return noFuel();
  let size: u64 = <u64>length + 2;
  for (let at: u32 = 0; at < length; at++) size += escapeOf(load<u8>(start + at)) != 0 ? 1 : 0;
  const out = reserve(size);
  if (out == 0) return noMemory();
  store<u8>(out, 0x22);
  let to = out + 1;
  for (let at: u32 = 0; at < length; at++) {
    const byte = load<u8>(start + at);
    const escape = escapeOf(byte);
    if (escape != 0) store<u8>(to++, 0x5c);
    store<u8>(to++, escape != 0 ? escape : byte);
  }
  store<u8>(to, 0x22);
  return ofString(out, <u32>size);
}
