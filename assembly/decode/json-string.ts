/**
 * JSON strings: one validating scan over the raw bytes (UTF-8, control characters, escapes, surrogate pairs),
 * and, only for strings that have escapes, a second pass that writes their text into the arena.
 */
import { STATUS_ESCAPE, STATUS_MEMORY, STATUS_UTF8 } from "../abi";
import { refuse, refuseAnyway } from "./failure";
import { BACKSLASH, QUOTE, Scan } from "./json-scan";
import { reserve } from "./reserve";
import { sequenceLength } from "./utf8";

/** Set in the answer of `scanString` when the string has escapes. */
const ESCAPED: u64 = 0x1_0000_0000;

const LETTER_U: u8 = 0x75;

/**
 * Validates the string whose first byte (after the quote) is at `at`. Answers the address of its closing quote
 * in the low 32 bits, `hasEscapes` in the others; 0 when it is refused.
 */
export function scanString(at: usize): u64 {
  const end = Scan.plainEnd(at);
  return load<u8>(end) == QUOTE ? <u64>end : scanOn(end);
}

/** Whether an answer of `scanString` tells of escapes. */
export function hasEscapes(scanned: u64): bool {
  return scanned >= ESCAPED;
}

/** Goes on with `scanString` at `at`, up to which the string is plain (the answer of `Scan.plainEnd`). */
export function scanOn(at: usize): u64 {
  let escaped: u64 = 0;
  while (true) {
    const special = Scan.specials(at);
    if (special == 0) {
      at += 16;
      continue;
    }
    at += ctz<i32>(special);
    const byte = load<u8>(at);
    if (byte == QUOTE) return escaped | <u64>at;
    if (byte >= 0x80) {
      // Text in other scripts comes in runs: stay here until the next ASCII byte.
      do {
        const length = sequenceLength(at);
        if (length == 0) return refuse(STATUS_UTF8, firstWrong(at));
        at += length;
      } while (load<u8>(at) >= 0x80);
    } else if (byte == BACKSLASH) {
      escaped = ESCAPED;
      at = skipEscape(at);
      if (at == 0) return 0;
    } else {
      return refuse(STATUS_ESCAPE, at);
    }
  }
}

/** The byte that makes the sequence at `at` malformed: where the body ends inside it, the end. */
function firstWrong(at: usize): usize {
  let end = at + 1;
  while (end < at + 4 && (load<u8>(end) & 0xc0) == 0x80) end += 1;
  return load<u8>(end) == 0 ? end : at;
}

/** From a backslash to the byte after the escape (after the pair, for surrogates); 0 when it is refused. */
function skipEscape(at: usize): usize {
  const letter = load<u8>(at + 1);
  if (letter != LETTER_U) {
    return simpleEscape(letter) != 0 ? at + 2 : refuse(STATUS_ESCAPE, at + 1);
  }
  const unit = hexUnit(at + 2);
  if (unit < 0) return refuse(STATUS_ESCAPE, afterHex(at + 2));
  if ((unit & 0xf800) != 0xd800) return at + 6;
  if (unit >= 0xdc00) return refuse(STATUS_UTF8, at);
  if (load<u8>(at + 6) != BACKSLASH) return refuse(STATUS_UTF8, load<u8>(at + 6) == 0 ? at + 6 : at);
  if (load<u8>(at + 7) != LETTER_U) return refuse(STATUS_UTF8, load<u8>(at + 7) == 0 ? at + 7 : at);
  const low = hexUnit(at + 8);
  if (low < 0) return refuse(STATUS_ESCAPE, afterHex(at + 8));
  return (low & 0xfc00) == 0xdc00 ? at + 12 : refuse(STATUS_UTF8, at);
}

/** The byte that a one-letter escape stands for, or 0. */
function simpleEscape(letter: u8): u8 {
  switch (letter) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
      return letter;
    case 0x62: // b
      return 8;
    case 0x66: // f
      return 12;
    case 0x6e: // n
      return 10;
    case 0x72: // r
      return 13;
    case 0x74: // t
      return 9;
    default:
      return 0;
  }
}

/** The four hexadecimal digits at `at`, or -1. Stops reading at the first byte that is none. */
function hexUnit(at: usize): i32 {
  let unit: i32 = 0;
  for (let index: usize = 0; index < 4; index++) {
    const digit = hexDigit(load<u8>(at + index));
    if (digit < 0) return -1;
    unit = (unit << 4) | digit;
  }
  return unit;
}

function hexDigit(byte: u8): i32 {
  const decimal = <u32>byte - 0x30;
  if (decimal < 10) return decimal;
  const letter = (<u32>byte | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : -1;
}

function afterHex(at: usize): usize {
  while (hexDigit(load<u8>(at)) >= 0) at += 1;
  return at;
}

/**
 * Writes the text of a scanned string with escapes into the arena, followed by a quote (so that field names can
 * be matched there). Answers its cell (u32 start, u32 length), or 0 when it does not fit.
 */
export function unescape(at: usize, end: usize): usize {
  const cell = reserve(8 + (end - at) + 1);
  if (cell == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  const text = cell + 8;
  let out = text;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte != BACKSLASH) {
      store<u8>(out, byte);
      at += 1;
      out += 1;
      continue;
    }
    const letter = load<u8>(at + 1);
    if (letter != LETTER_U) {
      store<u8>(out, simpleEscape(letter));
      at += 2;
      out += 1;
      continue;
    }
    let point = <u32>hexUnit(at + 2);
    at += 6;
    if ((point & 0xfc00) == 0xd800) {
      point = 0x10000 + ((point - 0xd800) << 10) + (<u32>hexUnit(at + 2) - 0xdc00);
      at += 6;
    }
    out = writePoint(out, point);
  }
  store<u8>(out, QUOTE);
  store<u32>(cell, <u32>text);
  store<u32>(cell, <u32>(out - text), 4);
  return cell;
}

/** UTF-8 of a code point; never longer than its escape. */
function writePoint(out: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(out, point);
    return out + 1;
  }
  if (point < 0x800) {
    store<u8>(out, 0xc0 | (point >> 6));
    store<u8>(out, 0x80 | (point & 0x3f), 1);
    return out + 2;
  }
  if (point < 0x10000) {
    store<u8>(out, 0xe0 | (point >> 12));
    store<u8>(out, 0x80 | ((point >> 6) & 0x3f), 1);
    store<u8>(out, 0x80 | (point & 0x3f), 2);
    return out + 3;
  }
  store<u8>(out, 0xf0 | (point >> 18));
  store<u8>(out, 0x80 | ((point >> 12) & 0x3f), 1);
  store<u8>(out, 0x80 | ((point >> 6) & 0x3f), 2);
  store<u8>(out, 0x80 | (point & 0x3f), 3);
  return out + 4;
}
