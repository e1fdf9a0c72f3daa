/**
 * String fields of the request messages in msgpack, single and repeated, as string records of request.ts.
 */
import { STATUS_MEMORY } from "../abi";
import { refuseAnyway } from "./failure";
import {
  bodyEnd,
  itemCount,
  NIL,
  MOST_FIX,
  NO_COUNT,
  Packed,
  readArray,
  readString,
  textLength,
  textPlain,
  textStart,
} from "./msgpack-scan";
import { freeRecord, moveRecords, recordsEnd, takeRecords } from "./records";
import { STRING_PLAIN, STRING_SET, STRING_SIZE } from "./request";

/** Results of the last `decodeStrings`: its records, and how many strings there were (stored or not). */
export let listRecords: usize = 0;
export let listCount: u32 = 0;

/** str | nil; the header is there. */
export function decodeString(at: usize, record: usize): usize {
  const length = Packed.fixLength(at);
  const end = at + 1 + length;
  if (length <= MOST_FIX && end <= bodyEnd && Packed.isPlain(at + 1, length)) {
    Text.write(record, at + 1, length, STRING_PLAIN);
    return end;
  }
  return load<u8>(at) == NIL ? at + 1 : decodeLong(at, record);
}

/** A string that is not short and plain. */
function decodeLong(at: usize, record: usize): usize {
  at = readString(at);
  if (at != 0) Text.write(record, textStart, textLength, textPlain ? STRING_PLAIN : 0);
  return at;
}

/** String records, expanded where they are written. */
export class Text {
  /** An empty string counts as not given. */
  @inline static write(record: usize, start: usize, length: u32, plain: u32): void {
    store<u64>(record, <u64>start | ((<u64>length) << 32));
    store<u64>(record, <u64>(length == 0 ? plain : plain | STRING_SET), 8);
  }
}

/** nil | [str...]; the header is there. At most `limit` strings are stored, all are validated and counted. */
export function decodeStrings(at: usize, limit: u32): usize {
  listRecords = 0;
  listCount = 0;
  if (load<u8>(at) == NIL) return at + 1;
  let count = Packed.arrayCount(at);
  if (count != NO_COUNT) {
    at += 1;
  } else {
    at = readArray(at);
    if (at == 0) return 0;
    count = itemCount;
  }
  const kept = count < limit ? count : limit;
  let first = freeRecord;
  let record = first;
  for (let index: u32 = 0; index < kept; index++) {
    if (record == recordsEnd) {
      first = moveRecords(first, index);
      if (first == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
      record = first + <usize>index * STRING_SIZE;
    }
    const length = Packed.fixLength(at);
    const end = at + 1 + length;
    if (length <= MOST_FIX && end <= bodyEnd && Packed.isPlain(at + 1, length)) {
      Text.write(record, at + 1, length, STRING_PLAIN);
      at = end;
    } else {
      at = decodeLong(at, record);
      if (at == 0) return 0;
    }
    record += STRING_SIZE;
  }
  for (let index = kept; at != 0 && index < count; index++) at = readString(at);
  takeRecords(record);
  listRecords = first;
  listCount = count;
  return at;
}
