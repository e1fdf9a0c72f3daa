/**
 * Text to double with everything that Go's `strconv.ParseFloat` takes, which is what CEL `double(string)` is in
 * Cerbos: decimal numbers, `inf`, `infinity` and `nan` in any case, hexadecimal numbers (`0x1.8p3`, the exponent
 * is required), and underscores between digits. JSON numbers go to parse-double.ts directly.
 */
import { allocate, fits } from "../memory/arena";
import { NUMBER_OK, NUMBER_RANGE, NUMBER_SYNTAX, parseDouble, parseStatus } from "./parse-double";
import { bit } from "./wide";

/** Exponents stop counting here: far outside a double, and no overflow of an i64 sum. */
const EXPONENT_CAP: i64 = 1000000000;

let status: i32 = NUMBER_OK;
let signed: bool = false;
let negative: bool = false;

/** How the last `parseGoDouble` went: NUMBER_OK, NUMBER_SYNTAX or NUMBER_RANGE. */
export function goDoubleStatus(): i32 {
  return status;
}

/** The double that the text stands for; `goDoubleStatus()` says whether it is one. */
export function parseGoDouble(start: usize, length: u32): f64 {
  const end = start + length;
  status = NUMBER_SYNTAX;
  const at = skipSign(start, end);
  if (at >= end) return 0;
  const first = lower(at);
  if (first == 0x69) return isWord(at, end, 0x69666e69, 0x7974696e) || isInf(at, end) ? infinite() : 0;
  if (first == 0x6e) return !signed && isNan(at, end) ? found(NaN) : 0;
  const hexadecimal = first == 0x30 && at + 1 < end && lower(at + 1) == 0x78;
  const underscores = countUnderscores(at, end, hexadecimal);
  if (underscores < 0) return 0;
  if (hexadecimal) return parseHexadecimal(at + 2, end);
  if (underscores == 0) return finish(parseDouble(start, length));
  return parseWithout(start, end, length - <u32>underscores);
}

function found(value: f64): f64 {
  status = NUMBER_OK;
  return value;
}

function infinite(): f64 {
  return found(negative ? -Infinity : Infinity);
}

function finish(value: f64): f64 {
  status = parseStatus();
  return value;
}

/** The byte at `at`, an ASCII letter in lower case. */
function lower(at: usize): u32 {
  const byte = <u32>load<u8>(at);
  return byte - 0x41 < 26 ? byte | 0x20 : byte;
}

function skipSign(start: usize, end: usize): usize {
  signed = start < end && (load<u8>(start) == 0x2b || load<u8>(start) == 0x2d);
  negative = signed && load<u8>(start) == 0x2d;
  return signed ? start + 1 : start;
}

function isInf(at: usize, end: usize): bool {
  return end - at == 3 && lower(at + 1) == 0x6e && lower(at + 2) == 0x66;
}

function isNan(at: usize, end: usize): bool {
  return end - at == 3 && lower(at + 1) == 0x61 && lower(at + 2) == 0x6e;
}

/** Whether the rest is the 8 letters given as two little-endian words, in any case. */
function isWord(at: usize, end: usize, first: u32, second: u32): bool {
  if (end - at != 8) return false;
  for (let index: u32 = 0; index < 8; index++) {
    const word = index < 4 ? first : second;
    if (lower(at + index) != ((word >> ((index & 3) << 3)) & 0xff)) return false;
  }
  return true;
}

/**
 * Number of underscores, or -1 when one of them does not stand between two digits (the base prefix counts as a
 * digit before).
 */
function countUnderscores(from: usize, end: usize, hexadecimal: bool): i32 {
  let count = 0;
  let at = from;
  let afterDigit: bool = false;
  if (hexadecimal) {
    at += 2;
    afterDigit = true;
  }
  while (at < end) {
    if (load<u8>(at) == 0x5f) {
      if (!afterDigit || at + 1 >= end || !isDigit(at + 1, hexadecimal)) return -1;
      count += 1;
      afterDigit = false;
    } else {
      afterDigit = isDigit(at, hexadecimal);
    }
    at += 1;
  }
  return count;
}

function isDigit(at: usize, hexadecimal: bool): bool {
  return digitAt(at) < (hexadecimal ? 16 : 10);
}

/** The hexadecimal digit at `at`, 16 or more for anything else. */
function digitAt(at: usize): u32 {
  const byte = lower(at);
  if (byte - 0x30 < 10) return byte - 0x30;
  return byte - 0x61 < 26 ? byte - 0x61 + 10 : 99;
}

/** Parses the text with its underscores left out; it has `length` other bytes. */
function parseWithout(start: usize, end: usize, length: u32): f64 {
  if (!fits(length)) return 0;
  const copy = allocate(length);
  let out = copy;
  for (let at = start; at < end; at++) {
    if (load<u8>(at) != 0x5f) store<u8>(out++, load<u8>(at));
  }
  return finish(parseDouble(copy, length));
}

/** What follows `0x`: digits, at most one point, `p`, an exponent of two in decimal. Underscores were checked. */
function parseHexadecimal(from: usize, end: usize): f64 {
  let at = from;
  let mantissa: u64 = 0;
  let exponent: i64 = 0;
  let anyDigit = false;
  let anyPoint = false;
  while (at < end) {
    const byte = lower(at);
    const digit = digitAt(at);
    if (digit < 16) {
      anyDigit = true;
      if (mantissa >> 60 == 0) {
        mantissa = (mantissa << 4) | digit;
        if (anyPoint) exponent -= 4;
      } else {
        // Digits beyond 64 bits only say "a little more".
        if (digit != 0) mantissa |= 1;
        if (!anyPoint) exponent += 4;
      }
    } else if (byte == 0x2e && !anyPoint) {
      anyPoint = true;
    } else if (byte != 0x5f) {
      break;
    }
    at += 1;
  }
  if (!anyDigit || at >= end || lower(at) != 0x70) return 0;
  const minus = at + 1 < end && load<u8>(at + 1) == 0x2d;
  at += minus || (at + 1 < end && load<u8>(at + 1) == 0x2b) ? 2 : 1;
  if (at >= end || digitAt(at) > 9) return 0;
  let power: i64 = 0;
  while (at < end) {
    const digit = digitAt(at);
    if (digit <= 9) {
      if (power < EXPONENT_CAP) power = power * 10 + <i64>digit;
    } else if (load<u8>(at) != 0x5f) {
      return 0;
    }
    at += 1;
  }
  const magnitude = scale(mantissa, exponent + (minus ? -power : power));
  return negative ? -magnitude : magnitude;
}

/** mantissa * 2^exponent, rounded to nearest, ties to even; sets `status`. */
function scale(mantissa: u64, exponent: i64): f64 {
  status = NUMBER_OK;
  if (mantissa == 0) return 0;
  const zeros = <i64>clz(mantissa);
  const top = exponent - zeros + 63;
  if (top > 1023) return beyond();
  if (top < -1075) return 0;
  // 63 bits keep room for the carry; what is shifted out stays as the last bit.
  const normal = top >= -1022;
  const bits = mantissa << (<u64>zeros);
  const drop: u64 = normal ? 11 : <u64>(11 - 1022 - top);
  const kept: u64 = drop >= 64 ? 0 : bits >> drop;
  const rest: u64 = drop >= 64 ? bits : bits & (((<u64>1) << drop) - 1);
  const half: u64 = (<u64>1) << (drop - 1);
  const up = rest > half || (rest == half && (kept & 1) != 0);
  const base: u64 = normal ? ((<u64>(top + 1022)) << 52) + kept : kept;
  const result = reinterpret<f64>(base + bit(up));
  return result == Infinity ? beyond() : result;
}

function beyond(): f64 {
  status = NUMBER_RANGE;
  return Infinity;
}
