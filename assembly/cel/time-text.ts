/**
 * Timestamps and durations as text: RFC 3339 (strict: upper-case T and Z, two-digit fields, zone hours below 24)
 * and Go's duration syntax (`1h30m`, `1.5s`, `-2ms`). Zone names are in time-zone.ts, getters in time.ts.
 */
import { ERROR_BAD_CONVERSION, ERROR_OVERFLOW } from "../abi";
import { allocate } from "../memory/arena";
import { burn } from "../memory/fuel";
import { writeUint } from "../value/number-text";
import {
  fail,
  intOf,
  NULL,
  ofDuration,
  ofString,
  ofZonedTimestamp,
  timestampNanos,
  timestampOffset,
  timestampSeconds,
} from "../value/value";
import {
  dayNumber,
  daysInMonth,
  floorDivide,
  SECONDS_PER_DAY,
  splitDate,
  splitDay,
  splitMonth,
  splitYear,
} from "./calendar";
import { noFuel } from "./failure";
import { PLAIN_DOUBLE_SIZE, writePlainDouble } from "./plain-double";

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of CEL timestamps, in seconds. */
export const TIMESTAMP_MIN: i64 = -62_135_596_800;
export const TIMESTAMP_MAX: i64 = 253_402_300_799;

export const NANOSECONDS: i64 = 1_000_000_000;

/** Longest text: sign and 19 digits of year would be absurd; a year has at most 5 characters here. */
const TIMESTAMP_TEXT_SIZE: usize = 48;
/** `YYYY-MM-DDThh:mm:ss` */
const CLOCK_LENGTH: u32 = 19;

/** 2^63, the magnitude of the shortest duration. */
const DURATION_LIMIT: u64 = 0x8000_0000_0000_0000;

/** A decimal number of `digits` digits at `at`, or -1. */
function fixedNumber(at: usize, digits: i32): i32 {
  let value = 0;
  for (let index = 0; index < digits; index++) {
    const digit = <i32>load<u8>(at + index) - 0x30;
    if (<u32>digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

let clockSeconds: i64 = 0;

/** Reads `YYYY-MM-DDThh:mm:ss` into `clockSeconds` as if it were UTC. */
function readClock(at: usize): bool {
  const year = fixedNumber(at, 4);
  const month = fixedNumber(at + 5, 2);
  const date = fixedNumber(at + 8, 2);
  const hours = fixedNumber(at + 11, 2);
  const minutes = fixedNumber(at + 14, 2);
  const seconds = fixedNumber(at + 17, 2);
  if (load<u8>(at + 4) != 0x2d || load<u8>(at + 7) != 0x2d || load<u8>(at + 10) != 0x54) return false;
  if (load<u8>(at + 13) != 0x3a || load<u8>(at + 16) != 0x3a) return false;
  if (year < 0 || month < 1 || month > 12 || date < 1 || date > daysInMonth(year, month)) return false;
  if (<u32>hours > 23 || <u32>minutes > 59 || <u32>seconds > 59) return false;
  clockSeconds = dayNumber(year, month, date) * SECONDS_PER_DAY + hours * 3600 + minutes * 60 + seconds;
  return true;
}

/** The timestamp that an RFC 3339 text names, with its zone; digits beyond nanoseconds are dropped. */
export function parseTimestamp(text: u64, start: usize, length: u32): u64 {
  if (!burn(1 + (length >> 4))) return noFuel();
  if (length <= CLOCK_LENGTH || !readClock(start)) return fail(ERROR_BAD_CONVERSION, text);
  let at = start + CLOCK_LENGTH;
  const end = start + length;
  let nanos: u32 = 0;
  if (load<u8>(at) == 0x2e) {
    const first = at + 1;
    let unit: u32 = 100_000_000;
    at = first;
    while (at < end && <u32>load<u8>(at) - 0x30 <= 9) {
      nanos += (<u32>load<u8>(at) - 0x30) * unit;
      unit /= 10;
      at++;
    }
    if (at == first) return fail(ERROR_BAD_CONVERSION, text);
  }
  let offset = 0;
  if (end - at == 6 && load<u8>(at + 3) == 0x3a && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) {
    const hours = fixedNumber(at + 1, 2);
    const minutes = fixedNumber(at + 4, 2);
    if (<u32>hours > 23 || <u32>minutes > 59) return fail(ERROR_BAD_CONVERSION, text);
    offset = hours * 3600 + minutes * 60;
    if (load<u8>(at) == 0x2d) offset = -offset;
  } else if (end - at != 1 || load<u8>(at) != 0x5a) {
    return fail(ERROR_BAD_CONVERSION, text);
  }
  const seconds = clockSeconds - <i64>offset;
  if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX) return fail(ERROR_OVERFLOW, NULL);
  return ofZonedTimestamp(seconds, nanos, offset);
}

/** Writes `value` in `digits` digits, zero-padded, and answers the end. */
function writeFixed(value: u32, digits: i32, out: usize): usize {
  let rest = value;
  for (let index = digits - 1; index >= 0; index--) {
    store<u8>(out + index, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
  return out + digits;
}

function writeYear(year: i64, out: usize): usize {
  return year > 9999 ? out + writeUint(year, out) : writeFixed(<u32>year, 4, out);
}

/** Writes `.123`, without trailing zeros; nothing for 0. */
function writeFraction(nanos: u32, out: usize): usize {
  if (nanos == 0) return out;
  store<u8>(out, 0x2e);
  let end = writeFixed(nanos, 9, out + 1);
  while (load<u8>(end - 1) == 0x30) end--;
  return end;
}

function writeZone(offset: i32, out: usize): usize {
  if (offset == 0) {
    store<u8>(out, 0x5a);
    return out + 1;
  }
  store<u8>(out, offset < 0 ? 0x2d : 0x2b);
  const minutes = <u32>abs(offset) / 60;
  const at = writeFixed(minutes / 60, 2, out + 1);
  store<u8>(at, 0x3a);
  return writeFixed(minutes % 60, 2, at + 1);
}

/** Writes a timestamp shown at `offset` seconds east of UTC; `out` has room for TIMESTAMP_TEXT_SIZE bytes. */
function writeTimestamp(seconds: i64, nanos: u32, offset: i32, out: usize): u32 {
  const local = seconds + <i64>offset;
  const day = floorDivide(local, SECONDS_PER_DAY);
  const clock = <u32>(local - day * SECONDS_PER_DAY);
  splitDay(day);
  let at = writeYear(splitYear, out);
  store<u8>(at, 0x2d);
  at = writeFixed(<u32>splitMonth, 2, at + 1);
  store<u8>(at, 0x2d);
  at = writeFixed(<u32>splitDate, 2, at + 1);
  store<u8>(at, 0x54);
  at = writeFixed(clock / 3600, 2, at + 1);
  store<u8>(at, 0x3a);
  at = writeFixed((clock / 60) % 60, 2, at + 1);
  store<u8>(at, 0x3a);
  at = writeFixed(clock % 60, 2, at + 1);
  at = writeZone(offset, writeFraction(nanos, at));
  return <u32>(at - out);
}

/** CEL `string(timestamp)`, and what outputs show: RFC 3339 in the zone the timestamp was written in. */
export function timestampText(value: u64): u64 {
  const out = allocate(TIMESTAMP_TEXT_SIZE);
  return ofString(
    out,
    writeTimestamp(timestampSeconds(value), timestampNanos(value), timestampOffset(value), out),
  );
}

/** The same in UTC, as `format` has it. */
export function timestampTextUtc(value: u64): u64 {
  const out = allocate(TIMESTAMP_TEXT_SIZE);
  return ofString(out, writeTimestamp(timestampSeconds(value), timestampNanos(value), 0, out));
}

/** CEL `string(duration)`: seconds as a double in plain notation (so beyond 2^53 ns digits are lost) and `s`. */
export function durationText(value: u64): u64 {
  const nanoseconds = intOf(value);
  const seconds = <f64>(nanoseconds / NANOSECONDS) + <f64>(nanoseconds % NANOSECONDS) / 1e9;
  const out = allocate(PLAIN_DOUBLE_SIZE);
  const length = writePlainDouble(seconds, out);
  store<u8>(out + length, 0x73);
  return ofString(out, length + 1);
}

// ---------------------------------------------------------------------------------------------------------
// Durations: [+-] (digits [. digits] unit)+, or 0 alone
// ---------------------------------------------------------------------------------------------------------

let cursor: usize = 0;
let whole: u64 = 0;
let fraction: f64 = 0;
let fractionScale: f64 = 1;

/** Reads digits into `whole`; false beyond 2^63. */
function readWhole(end: usize): bool {
  whole = 0;
  while (cursor < end) {
    const digit = <u32>load<u8>(cursor) - 0x30;
    if (digit > 9) break;
    if (whole > DURATION_LIMIT / 10) return false;
    whole = whole * 10 + <u64>digit;
    if (whole > DURATION_LIMIT) return false;
    cursor++;
  }
  return true;
}

/** Reads the digits after the point into `fraction / fractionScale`; digits beyond 2^63 are dropped. */
function readFraction(end: usize): void {
  let digits: u64 = 0;
  let full = false;
  fractionScale = 1;
  while (cursor < end) {
    const digit = <u32>load<u8>(cursor) - 0x30;
    if (digit > 9) break;
    cursor++;
    if (full) continue;
    if (digits > (DURATION_LIMIT - 1) / 10 || digits * 10 + <u64>digit > DURATION_LIMIT) {
      full = true;
      continue;
    }
    digits = digits * 10 + <u64>digit;
    fractionScale *= 10;
  }
  fraction = <f64>digits;
}

/** Reads a unit: its nanoseconds, or 0. It ends at the next digit or point, so "1nss" has no unit. */
function readUnit(end: usize): u64 {
  const start = cursor;
  while (cursor < end && load<u8>(cursor) != 0x2e && <u32>load<u8>(cursor) - 0x30 > 9) cursor++;
  const length = cursor - start;
  if (length == 1) {
    const letter = load<u8>(start);
    if (letter == 0x73) return 1_000_000_000;
    if (letter == 0x6d) return 60_000_000_000;
    return letter == 0x68 ? 3_600_000_000_000 : 0;
  }
  if (length < 2 || length > 3 || load<u8>(cursor - 1) != 0x73) return 0;
  if (length == 3) {
    // The micro sign U+00B5 and the Greek letter mu U+03BC.
    const sign = load<u16>(start);
    return sign == 0xb5c2 || sign == 0xbcce ? 1_000 : 0;
  }
  const letter = load<u8>(start);
  if (letter == 0x6e) return 1;
  if (letter == 0x75) return 1_000;
  return letter == 0x6d ? 1_000_000 : 0;
}

/** Reads one number and its unit at `cursor`: nanoseconds, or more than 2^63 when malformed or too large. */
function readPart(end: usize): u64 {
  const bad: u64 = DURATION_LIMIT + 1;
  const start = cursor;
  if (!readWhole(end)) return bad;
  let digits = cursor - start;
  fraction = 0;
  if (cursor < end && load<u8>(cursor) == 0x2e) {
    const point = ++cursor;
    readFraction(end);
    digits += cursor - point;
  }
  if (digits == 0) return bad;
  const unit = readUnit(end);
  if (unit == 0 || whole > DURATION_LIMIT / unit) return bad;
  let part = whole * unit;
  if (fraction > 0) part += <u64>(fraction * (<f64>unit / fractionScale));
  return part > DURATION_LIMIT ? bad : part;
}

/** The duration that a text in Go's syntax names; ±2^63 ns at most. */
export function parseDuration(text: u64, start: usize, length: u32): u64 {
  if (!burn(1 + (length >> 4))) return noFuel();
  const end = start + length;
  cursor = start;
  let negative = false;
  if (length > 0 && (load<u8>(start) == 0x2b || load<u8>(start) == 0x2d)) {
    negative = load<u8>(start) == 0x2d;
    cursor++;
  }
  if (cursor == end) return fail(ERROR_BAD_CONVERSION, text);
  if (end - cursor == 1 && load<u8>(cursor) == 0x30) return ofDuration(0);
  let total: u64 = 0;
  while (cursor < end) {
    const part = readPart(end);
    if (part > DURATION_LIMIT) return fail(ERROR_BAD_CONVERSION, text);
    total += part;
    if (total > DURATION_LIMIT) return fail(ERROR_BAD_CONVERSION, text);
  }
  if (negative) return ofDuration(<i64>(0 - total));
  return total == DURATION_LIMIT ? fail(ERROR_BAD_CONVERSION, text) : ofDuration(<i64>total);
}
