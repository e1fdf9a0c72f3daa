/**
 * String fields of the request messages, single and repeated, as string records of request.ts.
 */
import { STATUS_MEMORY, STATUS_SYNTAX } from "../abi";
import { refuse, refuseAnyway } from "./failure";
import { CLOSE_BRACKET, COMMA, isNull, OPEN_BRACKET, QUOTE, refuseType, skipSpace } from "./json-scan";
import { hasEscapes, scanString, unescape } from "./json-string";
import { setString, STRING_PLAIN, STRING_SET, STRING_SIZE } from "./request";
import { regrow } from "./reserve";

const FIRST_CAPACITY: u32 = 8;

/** Results of the last `decodeStrings`: its records, and how many strings there were (stored or not). */
export let listRecords: usize = 0;
export let listCount: u32 = 0;

/** string | null */
export function decodeString(at: usize, record: usize): usize {
  if (load<u8>(at) == QUOTE) return decodeText(at, record);
  return isNull(at) ? at + 4 : refuseType(at);
}

/** string, from its quote. */
function decodeText(at: usize, record: usize): usize {
  const start = at + 1;
  const scanned = scanString(start);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  if (hasEscapes(scanned)) {
    const cell = unescape(start, end);
    if (cell == 0) return 0;
    const length = load<u32>(cell, 4);
    setString(record, load<u32>(cell), length, length == 0 ? 0 : STRING_SET);
  } else {
    const length = <u32>(end - start);
    setString(record, start, length, length == 0 ? STRING_PLAIN : STRING_SET | STRING_PLAIN);
  }
  return end + 1;
}

/**
 * `[` [string {`,` string}] `]` | null. At most `limit` strings are stored, all are validated and counted.
 */
export function decodeStrings(at: usize, limit: u32): usize {
  listRecords = 0;
  listCount = 0;
  if (load<u8>(at) != OPEN_BRACKET) return isNull(at) ? at + 4 : refuseType(at);
  at = skipSpace(at + 1);
  if (load<u8>(at) == CLOSE_BRACKET) return at + 1;
  let records: usize = 0;
  let capacity: u32 = 0;
  let count: u32 = 0;
  while (true) {
    if (load<u8>(at) != QUOTE) return refuseType(at);
    if (count < limit) {
      if (count == capacity) {
        capacity = count == 0 ? FIRST_CAPACITY : count * 2;
        records = regrow(records, count, STRING_SIZE, capacity);
        if (records == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
      }
      at = decodeText(at, records + (<usize>count) * STRING_SIZE);
      if (at == 0) return 0;
    } else {
      const scanned = scanString(at + 1);
      if (scanned == 0) return 0;
      at = <usize>(<u32>scanned) + 1;
    }
    count += 1;
    at = skipSpace(at);
    const byte = load<u8>(at);
    if (byte != COMMA) {
      if (byte != CLOSE_BRACKET) return refuse(STATUS_SYNTAX, at);
      listRecords = records;
      listCount = count;
      return at + 1;
    }
    at = skipSpace(at + 1);
  }
}
