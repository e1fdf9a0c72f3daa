/** Any CEL value as msgpack, in the plain form that JSON has too; map keys sorted. */
import { TAG_BOOL, TAG_DOUBLE, TAG_LIST, TAG_MAP, TAG_NULL } from "../abi";
import { TRUE, countOf, doubleOf, itemAt, lengthOf, startOf, tagOf } from "../value/value";
import { outputFull } from "./cursor";
import {
  msgpackArray,
  msgpackBool,
  msgpackDouble,
  msgpackMap,
  msgpackNil,
  msgpackString,
} from "./msgpack-headers";
import { MAX_NESTING, NOT_PLAIN, plainOf, sortedEntries } from "./plain-value";

/** Writes a value. False when it has no plain form; what was written by then must be taken back. */
export function msgpackValue(value: u64): bool {
  return write(value, 0);
}

function write(given: u64, depth: i32): bool {
  const value = plainOf(given);
  if (value == NOT_PLAIN || depth > MAX_NESTING || outputFull) return false;
  switch (tagOf(value)) {
    case TAG_NULL:
      msgpackNil();
      return true;
    case TAG_BOOL:
      msgpackBool(value == TRUE);
      return true;
    case TAG_DOUBLE:
      msgpackDouble(doubleOf(value));
      return true;
    case TAG_LIST:
      return writeList(value, depth);
    case TAG_MAP:
      return writeMap(value, depth);
    default:
      msgpackString(startOf(value), lengthOf(value));
      return true;
  }
}

function writeList(list: u64, depth: i32): bool {
  const count = countOf(list);
  msgpackArray(count);
  for (let index: u32 = 0; index < count; index++) {
    if (!write(itemAt(list, index), depth + 1)) return false;
  }
  return true;
}

function writeMap(map: u64, depth: i32): bool {
  const order = sortedEntries(map);
  if (order == 0) return false;
  const count = countOf(map);
  msgpackMap(count);
  for (let index: u32 = 0; index < count; index++) {
    const entry: usize = load<u32>(order + ((<usize>index) << 2));
    const key = load<u64>(entry);
    msgpackString(startOf(key), lengthOf(key));
    if (!write(load<u64>(entry, 8), depth + 1)) return false;
  }
  return true;
}
