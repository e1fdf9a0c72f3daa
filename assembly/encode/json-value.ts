/** Any CEL value as JSON; map keys sorted, numbers as Go writes them. */
import { TAG_BOOL, TAG_DOUBLE, TAG_LIST, TAG_MAP, TAG_NULL } from "../abi";
import { writeDoubleJson } from "../value/number-text";
import { TRUE, countOf, doubleOf, itemAt, lengthOf, startOf, tagOf } from "../value/value";
import { moveTo, outputFull, position, putByte, room } from "./cursor";
import { jsonString } from "./json-string";
import { MAX_NESTING, NOT_PLAIN, plainOf, sortedEntries } from "./plain-value";

/** Longest text of a double. */
const MAX_DOUBLE: usize = 32;

/** Writes a value. False when it has no JSON form; what was written by then must be taken back. */
export function jsonValue(value: u64): bool {
  return write(value, 0);
}

function write(given: u64, depth: i32): bool {
  const value = plainOf(given);
  if (value == NOT_PLAIN || depth > MAX_NESTING || outputFull) return false;
  switch (tagOf(value)) {
    case TAG_NULL:
      word(0x6c6c756e, 4);
      return true;
    case TAG_BOOL:
      if (value == TRUE) word(0x65757274, 4);
      else word(0x65736c6166, 5);
      return true;
    case TAG_DOUBLE:
      if (room(MAX_DOUBLE)) moveTo(position + <usize>writeDoubleJson(doubleOf(value), position));
      return true;
    case TAG_LIST:
      return writeList(value, depth);
    case TAG_MAP:
      return writeMap(value, depth);
    default:
      jsonString(startOf(value), lengthOf(value), false);
      return true;
  }
}

function writeList(list: u64, depth: i32): bool {
  putByte(0x5b);
  const count = countOf(list);
  for (let index: u32 = 0; index < count; index++) {
    if (index > 0) putByte(0x2c);
    if (!write(itemAt(list, index), depth + 1)) return false;
  }
  putByte(0x5d);
  return true;
}

function writeMap(map: u64, depth: i32): bool {
  const order = sortedEntries(map);
  if (order == 0) return false;
  putByte(0x7b);
  const count = countOf(map);
  for (let index: u32 = 0; index < count; index++) {
    if (index > 0) putByte(0x2c);
    const entry: usize = load<u32>(order + ((<usize>index) << 2));
    const key = load<u64>(entry);
    jsonString(startOf(key), lengthOf(key), false);
    putByte(0x3a);
    if (!write(load<u64>(entry, 8), depth + 1)) return false;
  }
  putByte(0x7d);
  return true;
}

/** Writes up to eight ASCII bytes packed little-endian. */
function word(bytes: u64, length: usize): void {
  if (!room(8)) return;
  store<u64>(position, bytes);
  moveTo(position + length);
}
