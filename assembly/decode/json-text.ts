/**
 * String fields of the request messages, single and repeated, as string records of request.ts.
 */
import { STATUS_MEMORY, STATUS_SYNTAX } from "../abi";
import { refuse, refuseAnyway } from "./failure";
import { CLOSE_BRACKET, COMMA, isNull, OPEN_BRACKET, QUOTE, refuseType, Scan } from "./json-scan";
import { hasEscapes, scanLong, scanString, unescape } from "./json-string";
import { setString, STRING_PLAIN, STRING_SET, STRING_SIZE } from "./request";
import { regrow } from "./reserve";

const FIRST_CAPACITY: u32 = 8;

/** Results of the last `decodeStrings`: its records, and how many strings there were (stored or not). */
export let listRecords: usize = 0;
export let listCount: u32 = 0;

/** string | null */
export function decodeString(at: usize, record: usize): usize {
  if (load<u8>(at) == QUOTE) {
    const start = at + 1;
    const end = Scan.shortEnd(start);
    if (end == 0) return decodeLong(start, record);
    setPlain(record, start, <u32>(end - start));
    return end + 1;
  }
  return isNull(at) ? at + 4 : refuseType(at);
}

/** The rest of a string that is not short and plain. */
function decodeLong(start: usize, record: usize): usize {
  const scanned = scanLong(start);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  if (hasEscapes(scanned)) {
    const cell = unescape(start, end);
    if (cell == 0) return 0;
    const length = load<u32>(cell, 4);
    setString(record, load<u32>(cell), length, length == 0 ? 0 : STRING_SET);
  } else {
    setPlain(record, start, <u32>(end - start));
  }
  return end + 1;
}

/** A string that JSON output may copy as it is; an empty one counts as not given. */
function setPlain(record: usize, start: usize, length: u32): void {
  store<u64>(record, <u64>start | ((<u64>length) << 32));
  store<u64>(record, <u64>(length == 0 ? STRING_PLAIN : STRING_SET | STRING_PLAIN), 8);
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
      const start = at + 1;
      const end = Scan.shortEnd(start);
      if (end != 0) {
        setPlain(records + (<usize>count) * STRING_SIZE, start, <u32>(end - start));
        at = end + 1;
      } else {
        at = decodeLong(start, records + (<usize>count) * STRING_SIZE);
        if (at == 0) return 0;
      }
    } else {
      const scanned = scanString(at + 1);
      if (scanned == 0) return 0;
      at = <usize>(<u32>scanned) + 1;
    }
    count += 1;
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte != COMMA) {
      if (byte != CLOSE_BRACKET) return refuse(STATUS_SYNTAX, at);
      listRecords = records;
      listCount = count;
      return at + 1;
    }
    at = Scan.space(at + 1);
  }
}
