/**
 * The lowest level of the msgpack decoder: headers, lengths, strings, numbers. It knows tokens, not the request.
 *
 * INVARIANT: a header is read only below `bodyEnd`, and a length is believed only when that many bytes are left, so
 * nothing is looped over or allocated for bytes that are not there. Vector loads may read up to 16 bytes further
 * (the input region must be followed by 16 readable bytes); what they see there is masked out.
 */
import { STATUS_NUMBER, STATUS_SYNTAX, STATUS_TRUNCATED, STATUS_UTF8, STATUS_WRONG_TYPE } from "../abi";
import { refuse } from "./failure";
import { Scan } from "./json-scan";
import { firstMalformed } from "./utf8";

export const NIL: u8 = 0xc0;
export const NEVER_USED: u8 = 0xc1;
export const FALSE_BYTE: u8 = 0xc2;
export const TRUE_BYTE: u8 = 0xc3;

const FIXMAP: u8 = 0x80;
const FIXARRAY: u8 = 0x90;
const FIXSTR: u8 = 0xa0;
/** Bytes that a fixstr has at most. */
export const MOST_FIX: u32 = 31;
/** More than any header can announce. */
export const NO_COUNT: u32 = 0xffff_ffff;
const FLOAT_32: u8 = 0xca;
const UINT_8: u8 = 0xcc;
const INT_64: u8 = 0xd3;
export const STR_8: u8 = 0xd9;
const STR_32: u8 = 0xdb;
const ARRAY_16: u8 = 0xdc;
const ARRAY_32: u8 = 0xdd;
const MAP_16: u8 = 0xde;
const MAP_32: u8 = 0xdf;

/** The end of the body: no header, and no byte of a value, is at or after it. */
export let bodyEnd: usize = 0;

/** What the last `readString` read. */
export let textStart: usize = 0;
export let textLength: u32 = 0;
/** Whether no byte of it needs an escape in JSON. */
export let textPlain: bool = false;
/** Items or entries announced by the last `readArray` or `readMap`. */
export let itemCount: u32 = 0;
/** What the last `readNumber` read. */
export let numberValue: f64 = 0;

/** Begins a body that ends before `end`. */
export function readUntil(end: usize): void {
  bodyEnd = end;
}

/** Whether a value can begin at `at`; a truncation otherwise. */
export function atValue(at: usize): bool {
  if (at < bodyEnd) return true;
  refuse(STATUS_TRUNCATED, at);
  return false;
}

/** Whether the header byte is that of a string, a map, an array or a number. */
export function isString(byte: u8): bool {
  return (byte & 0xe0) == 0xa0 || (byte >= STR_8 && byte <= STR_32);
}

export function isMap(byte: u8): bool {
  return (byte & 0xf0) == 0x80 || byte == MAP_16 || byte == MAP_32;
}

export function isArray(byte: u8): bool {
  return (byte & 0xf0) == 0x90 || byte == ARRAY_16 || byte == ARRAY_32;
}

export function isNumber(byte: u8): bool {
  return byte < 0x80 || byte >= 0xe0 || (byte >= FLOAT_32 && byte <= INT_64);
}

/** Refuses a value that is not of the type wanted; 0xc1 is no value at all. */
export function refuseHeader(at: usize): usize {
  return refuse(load<u8>(at) == NEVER_USED ? STATUS_SYNTAX : STATUS_WRONG_TYPE, at);
}

/** The short ways, expanded at their call sites: a call per value would cost more than the value. */
export class Packed {
  /** Number of entries if a fixmap header is at `at`, NO_COUNT for any other; `readMap` reads those. */
  @inline static mapCount(at: usize): u32 {
    const count = <u32>load<u8>(at) - FIXMAP;
    return count < 16 && at < bodyEnd ? count : NO_COUNT;
  }

  /** Number of items if a fixarray header is at `at`, NO_COUNT for any other; `readArray` reads those. */
  @inline static arrayCount(at: usize): u32 {
    const count = <u32>load<u8>(at) - FIXARRAY;
    return count < 16 && at < bodyEnd ? count : NO_COUNT;
  }

  /** The length that the fixstr header at `at` announces; more than 31 for any other header. */
  @inline static fixLength(at: usize): u32 {
    return <u32>load<u8>(at) - FIXSTR;
  }

  /**
   * Whether the first `length` (at most MOST_FIX) bytes at `start` are ASCII that JSON does not escape. Reads 16 bytes, or
   * 32 of a longer text.
   */
  @inline static isPlain(start: usize, length: u32): bool {
    let specials = <u32>Scan.specials(start);
    if (length > 16) specials |= (<u32>Scan.specials(start + 16)) << 16;
    return (specials & ((1 << length) - 1)) == 0;
  }

  /** Whether they are ASCII, and so need no check of their UTF-8. Reads as many bytes as `isPlain`. */
  @inline static isAscii(start: usize, length: u32): bool {
    let high = <u32>i8x16.bitmask(v128.load(start));
    if (length > 16) high |= (<u32>i8x16.bitmask(v128.load(start, 16))) << 16;
    return (high & ((1 << length) - 1)) == 0;
  }
}

/** A string: the byte after it, or 0; its text in `textStart`, `textLength`, `textPlain`. */
export function readString(at: usize): usize {
  if (!atValue(at)) return 0;
  const byte = load<u8>(at);
  if ((byte & 0xe0) != FIXSTR) return readLongString(at, byte);
  const length = <u32>(byte & 0x1f);
  if (length > <u32>(bodyEnd - at - 1)) return refuse(STATUS_TRUNCATED, bodyEnd);
  return takeText(at + 1, length);
}

function readLongString(at: usize, byte: u8): usize {
  if (byte < STR_8 || byte > STR_32) return refuseHeader(at);
  const width: usize = (<usize>1) << (byte - STR_8);
  const length = readLength(at + 1, width);
  if (length < 0) return 0;
  const start = at + 1 + width;
  if (length > <i64>(bodyEnd - start)) return refuse(STATUS_TRUNCATED, bodyEnd);
  return takeText(start, <u32>length);
}

/** A big-endian length of 1, 2 or 4 bytes, or -1 when they are not all there. */
function readLength(at: usize, width: usize): i64 {
  if (width > bodyEnd - at) {
    refuse(STATUS_TRUNCATED, bodyEnd);
    return -1;
  }
  if (width == 1) return <i64>load<u8>(at);
  if (width == 2) return <i64>bswap<u16>(load<u16>(at));
  return <i64>bswap<u32>(load<u32>(at));
}

/** Validates a text whose bytes are all there. */
function takeText(start: usize, length: u32): usize {
  textStart = start;
  textLength = length;
  const end = start + length;
  let at = start;
  while (at + 16 <= end) {
    if (Scan.specials(at) != 0) return checkText(start, length);
    at += 16;
  }
  const rest = <u32>(end - at);
  if ((Scan.specials(at) & ((1 << rest) - 1)) != 0) return checkText(start, length);
  textPlain = true;
  return end;
}

/** The same for a text with bytes that are not plain ASCII. */
function checkText(start: usize, length: u32): usize {
  const end = start + length;
  const wrong = firstMalformed(start, end);
  if (wrong != end) return refuse(STATUS_UTF8, wrong);
  textPlain = true;
  for (let at = start; at < end; at++) {
    const byte = load<u8>(at);
    if (byte < 0x20 || byte == 0x22 || byte == 0x5c) {
      textPlain = false;
      break;
    }
  }
  return end;
}

/** The header of a map: the first byte of its entries, or 0; their number in `itemCount`. */
export function readMap(at: usize): usize {
  if (!atValue(at)) return 0;
  const byte = load<u8>(at);
  if ((byte & 0xf0) == 0x80) {
    itemCount = <u32>(byte & 15);
    return itemsFit(at + 1, 2);
  }
  if (byte != MAP_16 && byte != MAP_32) return refuseHeader(at);
  return readCount(at, byte == MAP_16 ? 2 : 4, 2);
}

/** The header of an array: the first byte of its items, or 0; their number in `itemCount`. */
export function readArray(at: usize): usize {
  if (!atValue(at)) return 0;
  const byte = load<u8>(at);
  if ((byte & 0xf0) == 0x90) {
    itemCount = <u32>(byte & 15);
    return itemsFit(at + 1, 1);
  }
  if (byte != ARRAY_16 && byte != ARRAY_32) return refuseHeader(at);
  return readCount(at, byte == ARRAY_16 ? 2 : 4, 1);
}

function readCount(at: usize, width: usize, bytesPerItem: u64): usize {
  const count = readLength(at + 1, width);
  if (count < 0) return 0;
  itemCount = <u32>count;
  return itemsFit(at + 1 + width, bytesPerItem);
}

/** Whether `itemCount` items of at least so many bytes each can follow. */
function itemsFit(at: usize, bytesPerItem: u64): usize {
  if (<u64>itemCount * bytesPerItem > <u64>(bodyEnd - at)) return refuse(STATUS_TRUNCATED, bodyEnd);
  return at;
}

/** A number: the byte after it, or 0; its value, as a double like every number of a request, in `numberValue`. */
export function readNumber(at: usize): usize {
  const byte = load<u8>(at);
  if (byte < 0x80) {
    numberValue = <f64>byte;
    return at + 1;
  }
  if (byte >= 0xe0) {
    numberValue = <f64>(<i8>byte);
    return at + 1;
  }
  const width: usize = byte < UINT_8 ? (byte == FLOAT_32 ? 4 : 8) : (<usize>1) << ((byte - UINT_8) & 3);
  const start = at + 1;
  if (width > bodyEnd - start) return refuse(STATUS_TRUNCATED, bodyEnd);
  numberValue =
    byte < UINT_8 ? readFloat(start, width) : byte < 0xd0 ? readUint(start, width) : readInt(start, width);
  // JSON has neither NaN nor the infinities, and a request means the same in both formats.
  if (!isFinite<f64>(numberValue)) return refuse(STATUS_NUMBER, at);
  return start + width;
}

function readFloat(at: usize, width: usize): f64 {
  if (width == 4) return <f64>reinterpret<f32>(bswap<u32>(load<u32>(at)));
  return reinterpret<f64>(bswap<u64>(load<u64>(at)));
}

function readUint(at: usize, width: usize): f64 {
  if (width == 1) return <f64>load<u8>(at);
  if (width == 2) return <f64>bswap<u16>(load<u16>(at));
  if (width == 4) return <f64>bswap<u32>(load<u32>(at));
  return <f64>bswap<u64>(load<u64>(at));
}

function readInt(at: usize, width: usize): f64 {
  if (width == 1) return <f64>load<i8>(at);
  if (width == 2) return <f64>(<i16>bswap<u16>(load<u16>(at)));
  if (width == 4) return <f64>(<i32>bswap<u32>(load<u32>(at)));
  return <f64>(<i64>bswap<u64>(load<u64>(at)));
}
