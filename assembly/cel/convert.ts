/**
 * CEL type conversions (langdef, "Type Conversions"), with the spellings and ranges of cel-go. `timestamp()` and
 * `duration()` are in time.ts, `type()` in types.ts.
 */
import {
  ERROR_BAD_CONVERSION,
  ERROR_OVERFLOW,
  TAG_BOOL,
  TAG_BYTES,
  TAG_CIDR,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_IP,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_UINT,
} from "../abi";
import { firstMalformed } from "../decode/utf8";
import { allocate } from "../memory/arena";
import { burn } from "../memory/fuel";
import { NUMBER_TEXT_SIZE, NUMBER_OK, writeDoubleGo, writeInt, writeUint } from "../value/number-text";
import { goDoubleStatus, parseGoDouble } from "../value/parse-go-double";
import { settle } from "../value/raw";
import {
  doubleOf,
  fail,
  FALSE,
  intOf,
  lengthOf,
  NULL,
  ofBytes,
  ofDouble,
  ofInt,
  ofString,
  ofUint,
  startOf,
  tagOf,
  timestampSeconds,
  TRUE,
  uintOf,
} from "../value/value";
import { noFuel, noOverload1 } from "./failure";
import { networkText } from "./network";
import { durationText, timestampText } from "./time";

export { toDuration, toTimestamp } from "./time";
export { typeOf } from "./types";

const TWO_TO_63: f64 = 9.223372036854775808e18;
const TWO_TO_64: f64 = 1.8446744073709551616e19;

/** CEL `dyn(value)`: the value. */
export function toDyn(value: u64): u64 {
  return value;
}

/** CEL `bool(value)`, from a bool or one of the spellings of `boolOf`. */
export function toBool(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_BOOL) return value;
  if (tag != TAG_STRING) return noOverload1(value);
  return boolOf(value, startOf(value), lengthOf(value));
}

/** `1 t T true True TRUE` and `0 f F false False FALSE`. */
function boolOf(value: u64, start: usize, length: u32): u64 {
  if (length == 1) {
    const byte = load<u8>(start);
    if (byte == 0x31 || byte == 0x74 || byte == 0x54) return TRUE;
    if (byte == 0x30 || byte == 0x66 || byte == 0x46) return FALSE;
  } else if (length == 4) {
    const letters = load<u32>(start);
    if (letters == 0x65757274 || letters == 0x65757254 || letters == 0x45555254) return TRUE;
  } else if (length == 5) {
    const letters = load<u32>(start);
    const last = load<u8>(start, 4);
    if (last == 0x65 && (letters == 0x736c6166 || letters == 0x736c6146)) return FALSE;
    if (last == 0x45 && letters == 0x534c4146) return FALSE;
  }
  return fail(ERROR_BAD_CONVERSION, value);
}

/** CEL `bytes(value)`: bytes, or the UTF-8 bytes of a string. */
export function toBytes(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_BYTES) return value;
  return tag == TAG_STRING ? ofBytes(startOf(value), lengthOf(value)) : noOverload1(value);
}

/** CEL `double(value)`, from a number (rounded to nearest) or text. */
export function toDouble(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) return value;
  if (tag == TAG_INT) return ofDouble(<f64>intOf(value));
  if (tag == TAG_UINT) return ofDouble(<f64>uintOf(value));
  if (tag != TAG_STRING) return noOverload1(value);
  const length = lengthOf(value);
  if (!burn(1 + (length >> 2))) return noFuel();
  const double = parseGoDouble(startOf(value), length);
  return goDoubleStatus() == NUMBER_OK ? ofDouble(double) : fail(ERROR_BAD_CONVERSION, value);
}

/** CEL `int(value)`: from a number toward zero, from decimal text, a timestamp's seconds, a duration's nanoseconds. */
export function toInt(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_INT) return value;
  if (tag == TAG_DOUBLE) {
    const double = doubleOf(value);
    // As in cel-go the smallest int is out of reach; NaN fails both comparisons.
    return double > -TWO_TO_63 && double < TWO_TO_63 ? ofInt(<i64>double) : fail(ERROR_OVERFLOW, NULL);
  }
  if (tag == TAG_UINT) return intOf(value) >= 0 ? ofInt(intOf(value)) : fail(ERROR_OVERFLOW, NULL);
  if (tag == TAG_STRING) return intOfText(value, startOf(value), lengthOf(value));
  if (tag == TAG_TIMESTAMP) return ofInt(timestampSeconds(value));
  return tag == TAG_DURATION ? ofInt(intOf(value)) : noOverload1(value);
}

/** CEL `uint(value)`, from a number toward zero or decimal text without a sign. */
export function toUint(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_UINT) return value;
  if (tag == TAG_DOUBLE) {
    const double = doubleOf(value);
    return double >= 0 && double < TWO_TO_64 ? ofUint(<u64>double) : fail(ERROR_OVERFLOW, NULL);
  }
  if (tag == TAG_INT) return intOf(value) >= 0 ? ofUint(uintOf(value)) : fail(ERROR_OVERFLOW, NULL);
  if (tag != TAG_STRING) return noOverload1(value);
  const length = lengthOf(value);
  if (!burn(1 + (length >> 2))) return noFuel();
  return readDigits(startOf(value), length) ? ofUint(magnitude) : fail(ERROR_BAD_CONVERSION, value);
}

/** The number that the last `readDigits` read. */
let magnitude: u64 = 0;

/** Reads decimal digits only, at least one and any number of leading zeros, into `magnitude`; false for anything else and beyond 64 bits. */
function readDigits(start: usize, length: u32): bool {
  magnitude = 0;
  if (length == 0) return false;
  for (let at: u32 = 0; at < length; at++) {
    const digit = <u64>load<u8>(start + at) - 0x30;
    if (digit > 9 || magnitude > u64.MAX_VALUE / 10) return false;
    const next = magnitude * 10 + digit;
    if (next < digit) return false;
    magnitude = next;
  }
  return true;
}

function intOfText(value: u64, start: usize, length: u32): u64 {
  if (!burn(1 + (length >> 2))) return noFuel();
  const first = length > 0 ? load<u8>(start) : 0;
  const negative = first == 0x2d;
  const sign: u32 = negative || first == 0x2b ? 1 : 0;
  if (!readDigits(start + sign, length - sign)) return fail(ERROR_BAD_CONVERSION, value);
  const limit: u64 = (<u64>1) << 63;
  if (magnitude > limit || (magnitude == limit && !negative)) return fail(ERROR_BAD_CONVERSION, value);
  return ofInt(<i64>(negative ? 0 - magnitude : magnitude));
}

/** CEL `string(value)`: strings, UTF-8 bytes, numbers, bools, timestamps and durations. */
export function toText(value: u64): u64 {
  const settled = settle(value);
  const tag = tagOf(settled);
  if (tag == TAG_STRING) return settled;
  if (tag == TAG_BYTES) return textOfBytes(settled);
  if (tag == TAG_INT || tag == TAG_UINT || tag == TAG_DOUBLE) return textOfNumber(settled, tag);
  if (tag == TAG_BOOL) return settled == TRUE ? word(0x65757274, 4, 0) : word(0x736c6166, 5, 0x65);
  if (tag == TAG_TIMESTAMP) return timestampText(settled);
  if (tag == TAG_IP || tag == TAG_CIDR) return networkText(settled);
  return tag == TAG_DURATION ? durationText(settled) : noOverload1(settled);
}

function textOfBytes(value: u64): u64 {
  const start = startOf(value);
  const length = lengthOf(value);
  if (!burn(1 + (length >> 4))) return noFuel();
  if (firstMalformed(start, start + length) != start + length) return fail(ERROR_BAD_CONVERSION, NULL);
  return ofString(start, length);
}

function textOfNumber(value: u64, tag: i32): u64 {
  const start = allocate(NUMBER_TEXT_SIZE);
  if (tag == TAG_INT) return ofString(start, writeInt(intOf(value), start));
  if (tag == TAG_UINT) return ofString(start, writeUint(uintOf(value), start));
  return ofString(start, writeDoubleGo(doubleOf(value), start));
}

/** A short string: four letters, little-endian, and one more. */
function word(letters: u32, length: u32, last: u8): u64 {
  const start = allocate(8);
  store<u32>(start, letters);
  store<u8>(start, last, 4);
  return ofString(start, length);
}
