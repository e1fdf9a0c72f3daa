/**
 * String fields of the request messages, single and repeated, as string records of request.ts.
 */
import { STATUS_MEMORY, STATUS_SYNTAX } from "../abi";
import { refuse, refuseAnyway } from "./failure";
import {
  CLOSE_BRACKET,
  COMMA,
  COMMA_QUOTE,
  isNull,
  OPEN_BRACKET,
  QUOTE,
  refuseType,
  Scan,
} from "./json-scan";
import { hasEscapes, scanOn, scanString, unescape } from "./json-string";
import { freeRecord, moveRecords, recordsEnd, takeRecords } from "./records";
import { setString, STRING_PLAIN, STRING_SET, STRING_SIZE } from "./request";

/** Results of the last `decodeStrings`: its records, and how many strings there were (stored or not). */
export let listRecords: usize = 0;
export let listCount: u32 = 0;

/** string | null */
export function decodeString(at: usize, record: usize): usize {
  if (load<u8>(at) == QUOTE) {
    const start = at + 1;
    const end = Scan.plainEnd(start);
    if (load<u8>(end) != QUOTE) return decodeLong(start, end, record);
    Text.plain(record, start, <u32>(end - start));
    return end + 1;
  }
  return isNull(at) ? at + 4 : refuseType(at);
}

/** A string that begins at `start` and is plain up to `from`, but goes on there. */
export function decodeLong(start: usize, from: usize, record: usize): usize {
  const scanned = scanOn(from);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  if (hasEscapes(scanned)) {
    const cell = unescape(start, end);
    if (cell == 0) return 0;
    const length = load<u32>(cell, 4);
    setString(record, load<u32>(cell), length, length == 0 ? 0 : STRING_SET);
  } else {
    Text.plain(record, start, <u32>(end - start));
  }
  return end + 1;
}

/** String records, expanded where they are written. */
export class Text {
  /** A string that JSON output may copy as it is; an empty one counts as not given. */
  @inline static plain(record: usize, start: usize, length: u32): void {
    store<u64>(record, <u64>start | ((<u64>length) << 32));
    store<u64>(record, <u64>(length == 0 ? STRING_PLAIN : STRING_SET | STRING_PLAIN), 8);
  }
}

/**
 * `[` [string {`,` string}] `]` | null. At most `limit` strings are stored, all are validated and counted.
 */
export function decodeStrings(at: usize, limit: u32): usize {
  listRecords = 0;
  listCount = 0;
  if (load<u8>(at) != OPEN_BRACKET) return isNull(at) ? at + 4 : refuseType(at);
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACKET) return at + 1;
  let first = freeRecord;
  let record = first;
  let count: u32 = 0;
  while (true) {
    if (load<u8>(at) != QUOTE) return refuseType(at);
    const start = at + 1;
    if (count >= limit) {
      const scanned = scanString(start);
      if (scanned == 0) return 0;
      at = <usize>(<u32>scanned) + 1;
    } else {
      if (record == recordsEnd) {
        first = moveRecords(first, count);
        if (first == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
        record = first + <usize>count * STRING_SIZE;
      }
      const end = Scan.plainEnd(start);
      if (load<u8>(end) == QUOTE) {
        Text.plain(record, start, <u32>(end - start));
        at = end + 1;
      } else {
        at = decodeLong(start, end, record);
        if (at == 0) return 0;
      }
      record += STRING_SIZE;
    }
    count += 1;
    if (load<u16>(at) == COMMA_QUOTE) {
      at += 1;
      continue;
    }
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte == COMMA) {
      at = Scan.space(at + 1);
      continue;
    }
    if (byte != CLOSE_BRACKET) return refuse(STATUS_SYNTAX, at);
    takeRecords(record);
    listRecords = first;
    listCount = count;
    return at + 1;
  }
}
