/**
 * String fields of the request messages in msgpack, single and repeated, as string records of request.ts.
 */
import { STATUS_MEMORY } from "../abi";
import { refuseAnyway } from "./failure";
import { itemCount, NIL, readArray, readString, textLength, textPlain, textStart } from "./msgpack-scan";
import { setString, STRING_PLAIN, STRING_SET, STRING_SIZE } from "./request";
import { reserve } from "./reserve";

/** Results of the last `decodeStrings`: its records, and how many strings there were (stored or not). */
export let listRecords: usize = 0;
export let listCount: u32 = 0;

/** str | nil; the header is there. */
export function decodeString(at: usize, record: usize): usize {
  return load<u8>(at) == NIL ? at + 1 : decodeText(at, record);
}

function decodeText(at: usize, record: usize): usize {
  at = readString(at);
  if (at == 0) return 0;
  const plain = textPlain ? STRING_PLAIN : 0;
  setString(record, textStart, textLength, textLength == 0 ? plain : plain | STRING_SET);
  return at;
}

/** nil | [str...]; the header is there. At most `limit` strings are stored, all are validated and counted. */
export function decodeStrings(at: usize, limit: u32): usize {
  listRecords = 0;
  listCount = 0;
  if (load<u8>(at) == NIL) return at + 1;
  at = readArray(at);
  if (at == 0) return 0;
  const count = itemCount;
  const kept = count < limit ? count : limit;
  const records: usize = kept == 0 ? 0 : reserve((<usize>kept) * STRING_SIZE);
  if (records == 0 && kept != 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  for (let index: u32 = 0; index < count; index++) {
    at = index < kept ? decodeText(at, records + (<usize>index) * STRING_SIZE) : readString(at);
    if (at == 0) return 0;
  }
  listRecords = records;
  listCount = count;
  return at;
}
