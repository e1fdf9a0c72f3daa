/**
 * Entering one field of a request message in JSON: its key, that it is known and new, and the colon.
 */
import { STATUS_DUPLICATE_KEY } from "../abi";
import { refuse } from "./failure";
import { escapedKeyEnd, matchEscaped } from "./json-fields";
import { COLON, Scan, skipColon } from "./json-scan";

let field: u32 = 0;

/** The usual case, expanded where it is used: a known and new name followed by a colon. */
export class Enter {
  /**
   * Enters the field whose key has its quote at `at`: `match` is what the message's table says of the key, `seen` has
   * a bit for each field that the message had before. Answers the first byte of the value, or 0.
   */
  @inline static field(match: u32, message: i32, at: usize, seen: u32): usize {
    const colon = at + 1 + <usize>(match & 0xff);
    if (match != 0) {
      if (load<u8>(colon) == COLON) {
        if (((seen >> (match >> 8)) & 1) == 0) return load<u8>(colon + 1) > 32 ? colon + 1 : skipColon(colon);
      }
    }
    return enterField(match, message, at, seen);
  }

  /** The field entered, when the table's answer was `match`. */
  @inline static entered(match: u32): u32 {
    return match != 0 ? match >> 8 : field;
  }
}

function enterField(match: u32, message: i32, at: usize, seen: u32): usize {
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
