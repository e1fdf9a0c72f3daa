/**
 * Entering one field of a request message in msgpack: its key, that it is known and new. Keys that are not written
 * the usual way are copied to a fixed place and closed with a quote there, so that the tables of json-fields.ts serve
 * both formats.
 */
import { STATUS_DUPLICATE_KEY, STATUS_UNKNOWN_FIELD } from "../abi";
import { refuse } from "./failure";
import { fieldOf } from "./json-fields";
import { BLOCK_SIZE, Run } from "./key-set";
import { atValue, bodyEnd, readString, textLength, textStart } from "./msgpack-scan";

/** Where a key stands with a quote after it (only keys under 16 bytes; no field has a longer one). */
const keyText = memory.data(16, 16);

/** The field that `enterField` entered (FIELD_*). */
let field: u32 = 0;

/** Entering a field, expanded where it is used. */
export class EnterPacked {
  /**
   * Enters the field whose key is at `at`: `match` is what msgpack-fields.ts says of the key (0 for messages that it
   * does not know), `seen` has a bit for each field that the message had before. Answers the header of the value,
   * which is there, or 0.
   */
  @inline static field(match: u32, message: i32, at: usize, seen: u32): usize {
    const value = at + <usize>(match & 0xff);
    if (match != 0 && value < bodyEnd && ((seen >> (match >> 8)) & 1) == 0) return value;
    return enterField(message, at, seen);
  }

  /** The field entered, when the table's answer was `match`. */
  @inline static entered(match: u32): u32 {
    return match != 0 ? match >> 8 : field;
  }
}

function enterField(message: i32, at: usize, seen: u32): usize {
  const end = readString(at);
  if (end == 0 || !atValue(end)) return 0;
  v128.store(keyText, Run.block(textStart, textLength));
  const match = textLength < BLOCK_SIZE ? fieldOf(message, keyText) : 0;
  // The name may hold a quote of its own, so the lengths have to agree as well.
  if (match == 0 || (match & 0xff) != textLength + 1) return refuse(STATUS_UNKNOWN_FIELD, at);
  field = match >> 8;
  return ((seen >> field) & 1) == 0 ? end : refuse(STATUS_DUPLICATE_KEY, at);
}
