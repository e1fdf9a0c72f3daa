/**
 * Msgpack bytes that the decoder has validated, to values. Strings stay in the bytes of the request.
 */
import { ERROR_MEMORY, TAG_LIST, TAG_MAP, TAG_STRING } from "../abi";
import { box, fail, FALSE, isError, NULL, ofDouble, TRUE } from "../value/value";
import {
  FALSE_BYTE,
  isArray,
  isMap,
  isString,
  itemCount,
  NIL,
  numberValue,
  readArray,
  readMap,
  readNumber,
  readString,
  textLength,
  textStart,
  TRUE_BYTE,
} from "./msgpack-scan";
import { reserve } from "./reserve";

/** The byte after the value that `build` built last. */
let position: usize = 0;

/** The value whose validated bytes begin at `at`; ERROR_MEMORY when it does not fit the arena. */
export function buildMsgpack(at: usize): u64 {
  return build(at);
}

function build(at: usize): u64 {
  const byte = load<u8>(at);
  if (isString(byte)) return buildString(at);
  if (byte <= TRUE_BYTE && byte >= NIL) {
    position = at + 1;
    return byte == TRUE_BYTE ? TRUE : byte == FALSE_BYTE ? FALSE : NULL;
  }
  if (isMap(byte)) return buildMap(at);
  if (isArray(byte)) return buildList(at);
  position = readNumber(at);
  return ofDouble(numberValue);
}

function noRoom(): u64 {
  return fail(ERROR_MEMORY, NULL);
}

function buildString(at: usize): u64 {
  position = readString(at);
  const cell = reserve(8);
  if (cell == 0) return noRoom();
  store<u32>(cell, <u32>textStart);
  store<u32>(cell, textLength, 4);
  return box(TAG_STRING, cell);
}

function buildList(at: usize): u64 {
  position = readArray(at);
  const count = itemCount;
  const cell = reserve(8 + ((<usize>count) << 3));
  if (cell == 0) return noRoom();
  store<u32>(cell, count);
  store<u32>(cell, 0, 4);
  const end = cell + 8 + ((<usize>count) << 3);
  for (let slot = cell + 8; slot < end; slot += 8) {
    const item = build(position);
    if (isError(item)) return item;
    store<u64>(slot, item);
  }
  return box(TAG_LIST, cell);
}

function buildMap(at: usize): u64 {
  position = readMap(at);
  const count = itemCount;
  const cell = reserve(8 + ((<usize>count) << 4));
  if (cell == 0) return noRoom();
  store<u32>(cell, count);
  store<u32>(cell, 0, 4);
  const end = cell + 8 + ((<usize>count) << 4);
  for (let entry = cell + 8; entry < end; entry += 16) {
    const key = buildString(position);
    if (isError(key)) return key;
    const item = build(position);
    if (isError(item)) return item;
    store<u64>(entry, key);
    store<u64>(entry, item, 8);
  }
  return box(TAG_MAP, cell);
}
