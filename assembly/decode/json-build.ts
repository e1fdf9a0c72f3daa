/**
 * JSON text to values. `buildJson` reads text that the decoder has validated; `decodeJsonValue` validates a text of
 * its own first (claims, engine globals). Strings without escapes stay where they are, in the bytes of the text.
 *
 * Lists and maps grow while their items are read: the cell has room to spare and gets its count at the end, so no
 * item is read twice.
 */
import {
  ERROR_BAD_CONVERSION,
  ERROR_MEMORY,
  STATUS_MEMORY,
  STATUS_TRAILING,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_STRING,
  TAG_UINT,
} from "../abi";
import { box, fail, FALSE, isError, NULL, ofDouble, TRUE } from "../value/value";
import { expectUntil, failureStatus, refuse } from "./failure";
import { numberValue, scanNumber } from "./json-number";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  guardEnd,
  LETTER_F,
  LETTER_N,
  LETTER_T,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  Scan,
} from "./json-scan";
import { skipValue } from "./json-skip";
import { hasEscapes, scanString, unescape } from "./json-string";
import { reserve } from "./reserve";

const HEADER: usize = 8;
const ITEM: usize = 8;
const ENTRY: usize = 16;
const FIRST_CAPACITY: u32 = 4;

/** The byte after the value that `build` built last. */
let position: usize = 0;
let textStatus: i32 = 0;
/** Whether whole numbers become ints. */
let keepsWhole: bool = false;

/** The value whose validated text begins at `at`; ERROR_MEMORY when it does not fit the arena. */
export function buildJson(at: usize): u64 {
  return build(at);
}

/**
 * The value of the JSON text of `length` bytes at `start`. Answers an error value when the text is refused
 * (ERROR_BAD_CONVERSION) or does not fit (ERROR_MEMORY), with the status in `jsonValueStatus()`. The value lives in the
 * arena only, text included.
 */
export function decodeJsonValue(start: usize, length: u32): u64 {
  textStatus = STATUS_MEMORY;
  const text = reserve(<usize>length + 16);
  if (text == 0) return noRoom();
  memory.copy(text, start, length);
  const end = text + length;
  expectUntil(end);
  guardEnd(end);
  const first = Scan.space(text);
  let at = skipValue(first, 0);
  if (at != 0) {
    at = Scan.space(at);
    if (at != end) at = refuse(STATUS_TRAILING, at);
  }
  textStatus = failureStatus();
  if (at == 0) return fail(ERROR_BAD_CONVERSION, NULL);
  const value = build(first);
  if (isError(value)) textStatus = STATUS_MEMORY;
  return value;
}

/** As `decodeJsonValue`, but numbers written as whole ones are ints, beyond those uints, and doubles only beyond both. */
export function decodeWholeNumbers(start: usize, length: u32): u64 {
  keepsWhole = true;
  const value = decodeJsonValue(start, length);
  keepsWhole = false;
  return value;
}

/** STATUS_* of the last `decodeJsonValue`. */
export function jsonValueStatus(): i32 {
  return textStatus;
}

function build(at: usize): u64 {
  const byte = load<u8>(at);
  switch (byte) {
    case QUOTE:
      return buildString(at);
    case OPEN_BRACKET:
      return buildList(at);
    case OPEN_BRACE:
      return buildMap(at);
    case LETTER_T:
      position = at + 4;
      return TRUE;
    case LETTER_F:
      position = at + 5;
      return FALSE;
    case LETTER_N:
      position = at + 4;
      return NULL;
    default:
      position = scanNumber(at);
      return keepsWhole ? buildWhole(at) : ofDouble(numberValue);
  }
}

/** The number from `at` to `position`, of the narrowest kind that holds it: int, uint, double. */
function buildWhole(at: usize): u64 {
  const isNegative = load<u8>(at) == MINUS;
  let value: u64 = 0;
  for (let place = isNegative ? at + 1 : at; place < position; place++) {
    const digit = <u64>load<u8>(place) - 0x30;
    // A point, a sign or a letter, or more than 64 bits.
    if (digit > 9 || value > (u64.MAX_VALUE - digit) / 10) return ofDouble(numberValue);
    value = value * 10 + digit;
  }
  const most: u64 = isNegative ? 1 << 63 : u64.MAX_VALUE;
  if (value > most) return ofDouble(numberValue);
  const cell = reserve(8);
  if (cell == 0) return noRoom();
  store<u64>(cell, isNegative ? 0 - value : value);
  return box(isNegative || value < 1 << 63 ? TAG_INT : TAG_UINT, cell);
}

function noRoom(): u64 {
  return fail(ERROR_MEMORY, NULL);
}

function buildString(at: usize): u64 {
  const start = at + 1;
  const scanned = scanString(start);
  const end = <usize>(<u32>scanned);
  position = end + 1;
  if (hasEscapes(scanned)) {
    const cell = unescape(start, end);
    return cell == 0 ? noRoom() : box(TAG_STRING, cell);
  }
  const cell = reserve(8);
  if (cell == 0) return noRoom();
  store<u32>(cell, <u32>start);
  store<u32>(cell, <u32>(end - start), 4);
  return box(TAG_STRING, cell);
}

/** A cell with room for twice as many items as `count`, and its first `count` items; 0 when it does not fit. */
function growCell(cell: usize, count: u32, itemSize: usize): usize {
  const capacity = count == 0 ? FIRST_CAPACITY : count * 2;
  const grown = reserve(HEADER + <usize>capacity * itemSize);
  if (grown != 0 && count != 0) memory.copy(grown, cell, HEADER + <usize>count * itemSize);
  return grown;
}

/** Writes the count into a finished cell (allocating one for no items). */
function finish(tag: i32, cell: usize, count: u32): u64 {
  if (cell == 0) {
    cell = reserve(HEADER);
    if (cell == 0) return noRoom();
  }
  store<u32>(cell, count);
  store<u32>(cell, 0, 4);
  return box(tag, cell);
}

function buildList(at: usize): u64 {
  let cell: usize = 0;
  let capacity: u32 = 0;
  let count: u32 = 0;
  at = Scan.space(at + 1);
  while (load<u8>(at) != CLOSE_BRACKET) {
    if (count != 0) at = Scan.space(at + 1);
    if (count == capacity) {
      cell = growCell(cell, count, ITEM);
      if (cell == 0) return noRoom();
      capacity = count == 0 ? FIRST_CAPACITY : count * 2;
    }
    const item = build(at);
    if (isError(item)) return item;
    store<u64>(cell + HEADER + <usize>count * ITEM, item);
    count += 1;
    at = Scan.space(position);
  }
  const list = finish(TAG_LIST, cell, count);
  position = at + 1;
  return list;
}

function buildMap(at: usize): u64 {
  let cell: usize = 0;
  let capacity: u32 = 0;
  let count: u32 = 0;
  at = Scan.space(at + 1);
  while (load<u8>(at) != CLOSE_BRACE) {
    if (count != 0) at = Scan.space(at + 1);
    if (count == capacity) {
      cell = growCell(cell, count, ENTRY);
      if (cell == 0) return noRoom();
      capacity = count == 0 ? FIRST_CAPACITY : count * 2;
    }
    const key = buildString(at);
    if (isError(key)) return key;
    const item = build(Scan.colon(position));
    if (isError(item)) return item;
    const entry = cell + HEADER + <usize>count * ENTRY;
    store<u64>(entry, key);
    store<u64>(entry, item, 8);
    count += 1;
    at = Scan.space(position);
  }
  const map = finish(TAG_MAP, cell, count);
  position = at + 1;
  return map;
}
