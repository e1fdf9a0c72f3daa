/** JSON strings as Go's protojson writes them: the fewest escapes, lower-case hex, no HTML escaping. */
import { moveTo, position, putByte, putBytes, room } from "./cursor";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/** Longest form of one byte: `\u001f`. */
const MAX_ESCAPE: usize = 6;

/** Writes a string. `plain` says that no byte needs an escape, so that it is copied as it is. */
export function jsonString(start: usize, length: u32, plain: bool): void {
  putByte(QUOTE);
  if (plain) putBytes(start, length);
  else escaped(start, length);
  putByte(QUOTE);
}

function escaped(start: usize, length: u32): void {
  const end = start + length;
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte >= 0x20 && byte != QUOTE && byte != BACKSLASH) continue;
    putBytes(from, <u32>(at - from));
    escape(byte);
    from = at + 1;
  }
  putBytes(from, <u32>(end - from));
}

function escape(byte: u32): void {
  if (!room(MAX_ESCAPE)) return;
  store<u8>(position, BACKSLASH);
  const short = shortForm(byte);
  if (short != 0) {
    store<u8>(position, short, 1);
    moveTo(position + 2);
    return;
  }
  store<u8>(position, 0x75, 1);
  store<u8>(position, 0x30, 2);
  store<u8>(position, 0x30, 3);
  store<u8>(position, hexDigit(byte >> 4), 4);
  store<u8>(position, hexDigit(byte & 15), 5);
  moveTo(position + MAX_ESCAPE);
}

/** The letter of a two-character escape, 0 when there is none. */
function shortForm(byte: u32): u32 {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
      return byte;
    case 0x08:
      return 0x62;
    case 0x0c:
      return 0x66;
    case 0x0a:
      return 0x6e;
    case 0x0d:
      return 0x72;
    case 0x09:
      return 0x74;
    default:
      return 0;
  }
}

function hexDigit(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
