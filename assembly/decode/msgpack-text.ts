/**
 * String fields of the request messages in msgpack, single and repeated, as string records of request.ts.
 */
import { STATUS_MEMORY } from "../abi";
import { refuseAnyway } from "./failure";
import { itemCount, NIL, Packed, readArray, readString, textLength, textPlain, textStart } from "./msgpack-scan";
import { STRING_PLAIN, STRING_SET, STRING_SIZE } from "./request";
import { reserve } from "./reserve";

/** Results of the last `decodeStrings`: its records, and how many strings there were (stored or not). */
export let listRecords: usize = 0;
export let listCount: u32 = 0;

/** str | nil; the header is there. */
export function decodeString(at: usize, record: usize): usize {
  const end = Packed.shortEnd(at);
  if (end == 0) return load<u8>(at) == NIL ? at + 1 : decodeLong(at, record);
  setText(record, at + 1, <u32>(end - at) - 1, STRING_PLAIN);
  return end;
}

/** A string that is not short and plain. */
function decodeLong(at: usize, record: usize): usize {
  at = readString(at);
  if (at != 0) setText(record, textStart, textLength, textPlain ? STRING_PLAIN : 0);
  return at;
}

/** An empty string counts as not given. */
function setText(record: usize, start: usize, length: u32, plain: u32): void {
  store<u64>(record, <u64>start | ((<u64>length) << 32));
  store<u64>(record, <u64>(length == 0 ? plain : plain | STRING_SET), 8);
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
    const end = Packed.shortEnd(at);
    if (end == 0 || index >= kept) {
      at = index < kept ? decodeLong(at, records + (<usize>index) * STRING_SIZE) : readString(at);
      if (at == 0) return 0;
    } else {
      setText(records + (<usize>index) * STRING_SIZE, at + 1, <u32>(end - at) - 1, STRING_PLAIN);
      at = end;
    }
  }
  listRecords = records;
  listCount = count;
  return at;
}
