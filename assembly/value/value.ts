/**
 * Tagged values: one u64 each, NaN-boxed. This file holds the bit layout, constructors and accessors;
 * the meaning of the operations is in assembly/cel/.
 *
 * A value whose top 13 bits are not all ones is a double. Otherwise:
 *
 *   63          51 50        40 39      32 31                     0
 *   | 1111111111111 | zero      | tag      | payload              |
 *
 * Every NaN is stored as the canonical 0x7FF8_0000_0000_0000, so no double looks tagged.
 *
 * Cells that payloads point to (all little-endian, 8-byte aligned):
 *
 *   int, uint      | i64 / u64                 |                   TAG_INT, TAG_UINT
 *   duration       | i64 nanoseconds           |                   TAG_DURATION
 *   timestamp      | i64 seconds | u32 nanos | i32 offset |        TAG_TIMESTAMP, since 1970-01-01T00:00:00Z;
 *                                                                  offset: seconds east, of its text only
 *   string, bytes  | u32 start   | u32 length  |                   TAG_STRING (UTF-8, length in bytes), TAG_BYTES
 *   list           | u32 count   | u32 zero    | u64 item ... |    TAG_LIST
 *   map            | u32 count   | u32 zero    | u64 key, u64 value ... | TAG_MAP; keys unique; insertion order
 *   error          | u32 code    | u32 zero    | u64 detail |      TAG_ERROR; detail is a value or null
 *   optional       | u64 value |                                   TAG_OPTIONAL; payload 0 = optional.none()
 *   type           | u32 start   | u32 length  |                   TAG_TYPE: the type's name, as a string cell
 *   ip, cidr       see cel/network.ts
 *   message        see cel/messages.ts
 *   raw            | u32 start   | u32 length  |                   TAG_RAW_*: bytes of one validated value
 *
 * null and absent have payload 0; bool has payload 0 or 1.
 */
import {
  TAG_ABSENT,
  TAG_BOOL,
  TAG_BYTES,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_ERROR,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_OPTIONAL,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_TYPE,
  TAG_UINT,
} from "../abi";
import { allocate } from "../memory/arena";

const BOXED: u64 = 0xfff8_0000_0000_0000;
const CANONICAL_NAN: u64 = 0x7ff8_0000_0000_0000;

export const NULL: u64 = BOXED | ((<u64>TAG_NULL) << 32);
export const FALSE: u64 = BOXED | ((<u64>TAG_BOOL) << 32);
export const TRUE: u64 = BOXED | ((<u64>TAG_BOOL) << 32) | 1;
export const ABSENT: u64 = BOXED | ((<u64>TAG_ABSENT) << 32);
export const OPTIONAL_NONE: u64 = BOXED | ((<u64>TAG_OPTIONAL) << 32);

/** The tag of a value; TAG_DOUBLE for any plain double. */
export function tagOf(value: u64): i32 {
  return value < BOXED ? TAG_DOUBLE : <i32>((value >> 32) & 0xff);
}

/** Whether a value is a string: `tagOf(value) == TAG_STRING` in one comparison. */
export function isStringValue(value: u64): bool {
  return value >> 32 == ((BOXED >> 32) | <u64>TAG_STRING);
}

/** A value of `tag` whose payload is `payload`. */
export function box(tag: i32, payload: usize): u64 {
  return BOXED | ((<u64>tag) << 32) | <u64>payload;
}

/** The low 32 bits: the cell's address for pointer tags. */
export function payloadOf(value: u64): usize {
  return <usize>(<u32>value);
}

export function ofBool(value: bool): u64 {
  return FALSE | <u64>value;
}

export function ofDouble(value: f64): u64 {
  return value != value ? CANONICAL_NAN : reinterpret<u64>(value);
}

export function doubleOf(value: u64): f64 {
  return reinterpret<f64>(value);
}

export function ofInt(value: i64): u64 {
  const cell = allocate(8);
  store<i64>(cell, value);
  return box(TAG_INT, cell);
}

/** The number in an int, uint or duration cell. */
export function intOf(value: u64): i64 {
  return load<i64>(payloadOf(value));
}

export function ofUint(value: u64): u64 {
  const cell = allocate(8);
  store<u64>(cell, value);
  return box(TAG_UINT, cell);
}

export function uintOf(value: u64): u64 {
  return load<u64>(payloadOf(value));
}

export function ofDuration(nanoseconds: i64): u64 {
  const cell = allocate(8);
  store<i64>(cell, nanoseconds);
  return box(TAG_DURATION, cell);
}

export function ofTimestamp(seconds: i64, nanos: u32): u64 {
  const cell = allocate(16);
  store<i64>(cell, seconds);
  store<u32>(cell, nanos, 8);
  store<u32>(cell, 0, 12);
  return box(TAG_TIMESTAMP, cell);
}

/** A timestamp that keeps the zone it was written in: `string()` shows it, comparisons and getters ignore it. */
export function ofZonedTimestamp(seconds: i64, nanos: u32, offset: i32): u64 {
  const value = ofTimestamp(seconds, nanos);
  store<i32>(payloadOf(value), offset, 12);
  return value;
}

export function timestampOffset(value: u64): i32 {
  return load<i32>(payloadOf(value), 12);
}

export function timestampSeconds(value: u64): i64 {
  return load<i64>(payloadOf(value));
}

export function timestampNanos(value: u64): u32 {
  return load<u32>(payloadOf(value), 8);
}

/** A string over UTF-8 bytes that stay in place for the whole request. */
export function ofString(start: usize, length: u32): u64 {
  const cell = allocate(8);
  store<u32>(cell, <u32>start);
  store<u32>(cell, length, 4);
  return box(TAG_STRING, cell);
}

export function ofBytes(start: usize, length: u32): u64 {
  const cell = allocate(8);
  store<u32>(cell, <u32>start);
  store<u32>(cell, length, 4);
  return box(TAG_BYTES, cell);
}

/** First byte of a string, bytes, type or raw value. */
export function startOf(value: u64): usize {
  return load<u32>(payloadOf(value));
}

/** Byte length of a string, bytes, type or raw value. */
export function lengthOf(value: u64): u32 {
  return load<u32>(payloadOf(value), 4);
}

/** The type named by a string cell at `cell` (see cel/types). */
export function ofType(cell: usize): u64 {
  return box(TAG_TYPE, cell);
}

/** A list of `count` items, all to be set with `setItem`. Check `fits` first when count comes from a request. */
export function newList(count: u32): u64 {
  const cell = allocate(8 + ((<usize>count) << 3));
  store<u32>(cell, count);
  store<u32>(cell, 0, 4);
  return box(TAG_LIST, cell);
}

/** Number of items of a list, or of entries of a map. */
export function countOf(value: u64): u32 {
  return load<u32>(payloadOf(value));
}

export function itemAt(list: u64, index: u32): u64 {
  return load<u64>(payloadOf(list) + 8 + ((<usize>index) << 3));
}

export function setItem(list: u64, index: u32, item: u64): void {
  store<u64>(payloadOf(list) + 8 + ((<usize>index) << 3), item);
}

/** A map of `count` entries, all to be set with `setEntry`. */
export function newMap(count: u32): u64 {
  const cell = allocate(8 + ((<usize>count) << 4));
  store<u32>(cell, count);
  store<u32>(cell, 0, 4);
  return box(TAG_MAP, cell);
}

export function keyAt(map: u64, index: u32): u64 {
  return load<u64>(payloadOf(map) + 8 + ((<usize>index) << 4));
}

export function valueAt(map: u64, index: u32): u64 {
  return load<u64>(payloadOf(map) + 16 + ((<usize>index) << 4));
}

export function setEntry(map: u64, index: u32, key: u64, value: u64): void {
  const entry = payloadOf(map) + 8 + ((<usize>index) << 4);
  store<u64>(entry, key);
  store<u64>(entry, value, 8);
}

/** An error with a detail value (NULL when the code says it all). */
export function fail(code: i32, detail: u64): u64 {
  const cell = allocate(16);
  store<u32>(cell, code);
  store<u32>(cell, 0, 4);
  store<u64>(cell, detail, 8);
  return box(TAG_ERROR, cell);
}

export function isError(value: u64): bool {
  return tagOf(value) == TAG_ERROR;
}

export function errorCode(value: u64): i32 {
  return load<i32>(payloadOf(value));
}

export function errorDetail(value: u64): u64 {
  return load<u64>(payloadOf(value), 8);
}

export function ofOptional(value: u64): u64 {
  const cell = allocate(8);
  store<u64>(cell, value);
  return box(TAG_OPTIONAL, cell);
}
