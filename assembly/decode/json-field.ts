/**
 * Entering one field of a request message in JSON: its key, that it is known and new, and the colon.
 */
import { STATUS_DUPLICATE_KEY, STATUS_SYNTAX } from "../abi";
import { refuse } from "./failure";
import { escapedKeyEnd, matchEscaped } from "./json-fields";
import { COLON, QUOTE, Scan } from "./json-scan";

/** The usual case, expanded where it is used: `enterField` for a known and new name followed by a colon. */
export class Enter {
  @inline static field(match: u32, message: i32, at: usize, seen: u32): usize {
    const colon = at + 1 + <usize>(match & 0xff);
    if (load<u8>(at) == QUOTE && match != 0 && ((seen >> (match >> 8)) & 1) == 0 && load<u8>(colon) == COLON) {
      return Scan.space(colon + 1);
    }
    return enterField(match, message, at, seen);
  }

  /** The field entered, when the table's answer was `match`. */
  @inline static entered(match: u32): u32 {
    return match != 0 ? match >> 8 : field;
  }
}

/** The field that `enterField` entered (FIELD_*). */
export let field: u32 = 0;

/**
 * Enters the field whose key is at `at`: `match` is what the message's table says of the key, `seen` has a bit for
 * each field that the message had before. Answers the first byte of the value.
 */
export function enterField(match: u32, message: i32, at: usize, seen: u32): usize {
  if (load<u8>(at) != QUOTE) return refuse(STATUS_SYNTAX, at);
  const key = at;
  if (match != 0) {
    at += 1 + <usize>(match & 0xff);
  } else {
    match = matchEscaped(message, at + 1);
    if (match == 0) return 0;
    at = escapedKeyEnd;
  }
  field = match >> 8;
  if ((seen >> field) & 1) return refuse(STATUS_DUPLICATE_KEY, key);
  return Scan.colon(at);
}
