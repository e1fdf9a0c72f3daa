/**
 * How `format` shows a value in each of its clauses, appended to the text being built. Parsing the format text is
 * in format.ts. A value that a clause cannot show makes the text fail with ERROR_NO_SUCH_OVERLOAD.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_BOOL,
  TAG_BYTES,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_TYPE,
  TAG_UINT,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { NUMBER_TEXT_SIZE, writeInt, writeUint } from "../value/number-text";
import { settle } from "../value/raw";
import {
  countOf,
  doubleOf,
  fail,
  intOf,
  isError,
  itemAt,
  keyAt,
  lengthOf,
  NULL,
  ofString,
  startOf,
  tagOf,
  TRUE,
  uintOf,
  valueAt,
} from "../value/value";
import { widthOf } from "./code-points";
import { FIXED_SIZE, writeFixedDouble, writeScientificDouble } from "./exact-decimal";
import { noFuel, noMemory } from "./failure";
import { PLAIN_DOUBLE_SIZE, writePlainDouble } from "./plain-double";
import { PAIR_SIZE, sortPairs } from "./sorting";
import {
  advanceText,
  appendByte,
  appendBytes,
  failText,
  roomFor,
  textIsFine,
  textLength,
  textStart,
  truncateText,
} from "./text-builder";
import { durationText, timestampTextUtc } from "./time-text";

export const FIXED: i32 = 0;
export const SCIENTIFIC: i32 = 1;

/** Deepest nesting of lists and maps that is shown: requests have at most 64, and literals add little. */
const MAX_NESTING: i32 = 256;
/** Fuel for the exact digits of a double: big-number steps. */
const EXACT_COST: u32 = 128;
/** A sign and 64 binary digits. */
const BITS_SIZE: usize = 66;

const WORD_NULL: usize = memory.data<u8>([0x6e, 0x75, 0x6c, 0x6c]);
const WORD_TRUE: usize = memory.data<u8>([0x74, 0x72, 0x75, 0x65]);
const WORD_FALSE: usize = memory.data<u8>([0x66, 0x61, 0x6c, 0x73, 0x65]);
const WORD_NAN: usize = memory.data<u8>([0x4e, 0x61, 0x4e]);
const WORD_INFINITY: usize = memory.data<u8>([0x2d, 0x49, 0x6e, 0x66, 0x69, 0x6e, 0x69, 0x74, 0x79]);

function refuse(value: u64): void {
  failText(isError(value) ? value : fail(ERROR_NO_SUCH_OVERLOAD, NULL));
}

/** Appends NaN or an infinity; false for any other double. */
function appendSpecial(value: f64): bool {
  if (value != value) appendBytes(WORD_NAN, 3);
  else if (value == Infinity) appendBytes(WORD_INFINITY + 1, 8);
  else if (value == -Infinity) appendBytes(WORD_INFINITY, 9);
  else return false;
  return true;
}

/** `%d`: an int, a uint, or a double in plain notation. */
export function appendDecimal(value: u64): void {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) {
    if (appendSpecial(doubleOf(value))) return;
    const at = roomFor(PLAIN_DOUBLE_SIZE);
    if (at != 0) advanceText(writePlainDouble(doubleOf(value), at));
    return;
  }
  if (tag != TAG_INT && tag != TAG_UINT) {
    refuse(value);
    return;
  }
  const at = roomFor(NUMBER_TEXT_SIZE);
  if (at != 0) advanceText(tag == TAG_INT ? writeInt(intOf(value), at) : writeUint(uintOf(value), at));
}

/** `%f` and `%e`: any number, as a double with `precision` digits after the point. */
export function appendDouble(value: u64, precision: i32, notation: i32): void {
  const tag = tagOf(value);
  let number: f64 = 0;
  if (tag == TAG_DOUBLE) number = doubleOf(value);
  else if (tag == TAG_INT) number = <f64>intOf(value);
  else if (tag == TAG_UINT) number = <f64>uintOf(value);
  else {
    refuse(value);
    return;
  }
  if (appendSpecial(number)) return;
  if (!burn(EXACT_COST)) failText(noFuel());
  const at = roomFor(FIXED_SIZE);
  if (at == 0) return;
  const fixed = notation == FIXED;
  advanceText(fixed ? writeFixedDouble(number, precision, at) : writeScientificDouble(number, precision, at));
}

/** Appends `magnitude` in digits of `width` bits, after a minus sign if `negative`. */
function appendDigits(magnitude: u64, negative: bool, width: u32, upper: bool): void {
  const at = roomFor(BITS_SIZE);
  if (at == 0) return;
  let size: usize = 1;
  while (size * width < 64 && magnitude >> (<u64>size * width) != 0) size++;
  const first = at + (negative ? 1 : 0);
  if (negative) store<u8>(at, 0x2d);
  let rest = magnitude;
  for (let place = size; place > 0; place--) {
    store<u8>(first + place - 1, hexDigit(<u32>rest & ((1 << width) - 1), upper));
    rest >>= width;
  }
  advanceText(first + size - at);
}

function hexDigit(value: u32, upper: bool): u8 {
  if (value < 10) return <u8>(0x30 + value);
  return <u8>(value + (upper ? 0x41 : 0x61) - 10);
}

/** Appends an int or uint in digits of `width` bits; false for other values. */
function appendInteger(value: u64, width: u32, upper: bool): bool {
  const tag = tagOf(value);
  if (tag == TAG_UINT) {
    appendDigits(uintOf(value), false, width, upper);
    return true;
  }
  if (tag != TAG_INT) return false;
  const number = intOf(value);
  appendDigits(number < 0 ? 0 - <u64>number : <u64>number, number < 0, width, upper);
  return true;
}

/** `%b` and `%o`: integers in digits of 1 or 3 bits; `%b` shows bools, too. */
export function appendBits(value: u64, width: u32): void {
  if (width == 1 && tagOf(value) == TAG_BOOL) appendByte(value == TRUE ? 0x31 : 0x30);
  else if (!appendInteger(value, width, false)) refuse(value);
}

/** `%x` and `%X`: integers, or every byte of a string or of bytes. */
export function appendHex(value: u64, upper: bool): void {
  if (appendInteger(value, 4, upper)) return;
  if (tagOf(value) != TAG_STRING && tagOf(value) != TAG_BYTES) {
    refuse(value);
    return;
  }
  const length = lengthOf(value);
  const at = roomFor((<usize>length) << 1);
  if (at == 0) return;
  for (let index: u32 = 0; index < length; index++) {
    const byte = <u32>load<u8>(startOf(value) + index);
    store<u8>(at + (index << 1), hexDigit(byte >> 4, upper));
    store<u8>(at + (index << 1) + 1, hexDigit(byte & 15, upper));
  }
  advanceText((<usize>length) << 1);
}

/** `%s`: any value but those that have no text (optionals, hierarchies...). */
export function appendValue(value: u64, depth: i32): void {
  const tag = tagOf(value);
  if (tag == TAG_STRING || tag == TAG_TYPE) appendBytes(startOf(value), lengthOf(value));
  else if (tag == TAG_DOUBLE || tag == TAG_INT || tag == TAG_UINT) appendDecimal(value);
  else if (tag == TAG_BOOL) appendBytes(value == TRUE ? WORD_TRUE : WORD_FALSE, value == TRUE ? 4 : 5);
  else if (tag == TAG_NULL) appendBytes(WORD_NULL, 4);
  else if (tag == TAG_BYTES) appendRaw(startOf(value), lengthOf(value));
  else if (tag == TAG_DURATION) appendText(durationText(value));
  else if (tag == TAG_TIMESTAMP) appendText(timestampTextUtc(value));
  else appendContainer(settle(value), depth);
}

function appendText(text: u64): void {
  appendBytes(startOf(text), lengthOf(text));
}

function appendContainer(value: u64, depth: i32): void {
  const tag = tagOf(value);
  if (tag != TAG_LIST && tag != TAG_MAP) refuse(value);
  else if (depth >= MAX_NESTING) failText(fail(ERROR_BAD_ARGUMENT, NULL));
  else if (tag == TAG_LIST) appendList(value, depth + 1);
  else appendMap(value, depth + 1);
}

/** Appends bytes as text; each byte that is not part of well-formed UTF-8 becomes U+FFFD. */
function appendRaw(start: usize, length: u32): void {
  const end = start + length;
  let at = start;
  while (at < end && textIsFine()) {
    const good = at;
    while (at < end) {
      const width = wellFormed(at, end);
      if (width == 0) break;
      at += width;
    }
    if (at > good) appendBytes(good, at - good);
    if (at == end) break;
    appendByte(0xef);
    appendByte(0xbf);
    appendByte(0xbd);
    at++;
  }
}

/** Number of bytes of the well-formed code point at `at`, or 0. */
function wellFormed(at: usize, end: usize): u32 {
  const lead = <u32>load<u8>(at);
  if (lead < 0x80) return 1;
  const width = widthOf(<u8>lead);
  if (lead < 0xc2 || lead > 0xf4 || end - at < <usize>width) return 0;
  for (let index: u32 = 1; index < width; index++) {
    if ((load<u8>(at + index) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  const second = <u32>load<u8>(at + 1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return width;
}

function appendSeparator(): void {
  appendByte(0x2c);
  appendByte(0x20);
}

/** `[a, b]` */
function appendList(list: u64, depth: i32): void {
  appendByte(0x5b);
  const count = countOf(list);
  for (let index: u32 = 0; index < count && textIsFine(); index++) {
    if (index > 0) appendSeparator();
    appendValue(itemAt(list, index), depth);
  }
  appendByte(0x5d);
}

/** What a key looks like, as a string of its own. */
function keyText(key: u64, depth: i32): u64 {
  const before = textLength();
  appendValue(key, depth);
  const size = textLength() - before;
  if (!fits(size)) failText(noMemory());
  if (!textIsFine()) return NULL;
  const copy = allocate(size);
  memory.copy(copy, textStart() + before, size);
  truncateText(before);
  return ofString(copy, <u32>size);
}

/** `{a: 1, b: 2}`, in the order of the keys' texts. */
function appendMap(map: u64, depth: i32): void {
  const count = countOf(map);
  const size = <usize>count * PAIR_SIZE;
  if (!fits(size)) failText(noMemory());
  if (!textIsFine()) return;
  const pairs = allocate(size);
  for (let index: u32 = 0; index < count; index++) {
    const key = keyText(keyAt(map, index), depth);
    if (!textIsFine()) return;
    store<u64>(pairs + <usize>index * PAIR_SIZE, key);
    store<u64>(pairs + <usize>index * PAIR_SIZE, valueAt(map, index), 8);
  }
  const sorted = sortPairs(pairs, count, TAG_STRING);
  if (sorted == 0) {
    failText(noFuel());
    return;
  }
  appendByte(0x7b);
  for (let index: u32 = 0; index < count && textIsFine(); index++) {
    if (index > 0) appendSeparator();
    appendText(load<u64>(sorted + <usize>index * PAIR_SIZE));
    appendByte(0x3a);
    appendByte(0x20);
    appendValue(load<u64>(sorted + <usize>index * PAIR_SIZE, 8), depth);
  }
  appendByte(0x7d);
}
