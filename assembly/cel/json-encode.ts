/**
 * CEL's `json.encode`: any value that has a JSON form as JSON text, with the escapes of Go's encoding/json (`<`, `>`, `&`, U+2028
 * and U+2029 too, so that the text can stand in HTML).
 *
 * The text is first written where the response goes on next, by the writer of responses, and then taken back from there
 * into the arena. INVARIANT: conditions and outputs are evaluated between two writes of the response, never within one.
 */
import { ERROR_BAD_CONVERSION } from "../abi";
import { moveTo, outputFull, position } from "../encode/cursor";
import { jsonValue } from "../encode/json-value";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { fail, isError, ofString } from "../value/value";
import { noFuel, noMemory } from "./failure";

/** `\u003c` instead of one byte, or instead of the three bytes of U+2028. */
const ESCAPE_SIZE: usize = 6;

/** CEL `json.encode(dyn)`: a string, or an error for what JSON cannot say (NaN, maps with other keys than strings). */
export function jsonEncode(value: u64): u64 {
  if (isError(value)) return value;
  const start = position;
  const written = jsonValue(value);
  const end = position;
  moveTo(start);
  if (outputFull) return noMemory();
  if (!written) return fail(ERROR_BAD_CONVERSION, value);
  const length = end - start;
  if (!burn(<u32>(1 + (length >> 3)))) return noFuel();
  let size = length;
  for (let at = start; at < end; at++) if (needsEscape(at, end)) size += ESCAPE_SIZE - 1;
  if (!fits(size)) return noMemory();
  const out = allocate(size);
  return ofString(out, <u32>(copyEscaped(start, end, out) - out));
}

/** Copies JSON text, escaping what HTML would notice; answers the end of the copy. */
function copyEscaped(start: usize, end: usize, out: usize): usize {
  let to = out;
  for (let at = start; at < end; at++) {
    if (!needsEscape(at, end)) {
      store<u8>(to++, load<u8>(at));
      continue;
    }
    const byte = load<u8>(at);
    const wide = byte == 0xe2;
    // `\u`, then the code: 2028 or 2029, or 00 and the byte.
    store<u16>(to, 0x755c);
    store<u16>(to, wide ? 0x3032 : 0x3030, 2);
    store<u8>(to, wide ? 0x32 : hexDigit(byte >> 4), 4);
    store<u8>(to, wide ? 0x38 + (load<u8>(at, 2) & 1) : hexDigit(byte & 15), 5);
    to += ESCAPE_SIZE;
    if (wide) at += 2;
  }
  return to;
}

/** Such bytes stand only in strings. */
function needsEscape(at: usize, end: usize): bool {
  const byte = load<u8>(at);
  if (byte == 0x3c || byte == 0x3e || byte == 0x26) return true;
  // U+2028 and U+2029 are e2 80 a8 and e2 80 a9.
  return byte == 0xe2 && at + 2 < end && load<u8>(at, 1) == 0x80 && (load<u8>(at, 2) & 0xfe) == 0xa8;
}

function hexDigit(value: u32): u8 {
  return <u8>(value < 10 ? 0x30 + value : 0x57 + value);
}
