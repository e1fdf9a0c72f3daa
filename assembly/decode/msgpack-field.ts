/**
 * Entering one field of a request message in msgpack: its key, that it is known and new. Keys are copied to a fixed
 * place and closed with a quote there, so that the tables of json-fields.ts serve both formats.
 */
import { STATUS_DUPLICATE_KEY, STATUS_UNKNOWN_FIELD } from "../abi";
import { refuse } from "./failure";
import { BLOCK_SIZE, Run } from "./key-set";
import { atValue, readString, textLength, textStart } from "./msgpack-scan";

/** Where `readKey` leaves the key, a quote after it (only keys under 16 bytes; no field has a longer one). */
export const keyText = memory.data(16, 16);

/** The field that `takeField` accepted (FIELD_*). */
export let field: u32 = 0;

let keyPlace: usize = 0;

/** A key: the first byte of its value, which is there. */
export function readKey(at: usize): usize {
  keyPlace = at;
  at = readString(at);
  if (at == 0 || !atValue(at)) return 0;
  v128.store(keyText, Run.block(textStart, textLength));
  return at;
}

/** Whether the key is the one that `match` says (json-fields.ts), and not among the fields `seen` before. */
export function takeField(match: u32, seen: u32): bool {
  if (match == 0 || (match & 0xff) != textLength + 1 || textLength >= BLOCK_SIZE) {
    refuse(STATUS_UNKNOWN_FIELD, keyPlace);
    return false;
  }
  field = match >> 8;
  if (((seen >> field) & 1) == 0) return true;
  refuse(STATUS_DUPLICATE_KEY, keyPlace);
  return false;
}
