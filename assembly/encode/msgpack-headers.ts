/** Msgpack headers and strings, each in its smallest form (msgpack specification, "Formats"). */
import { moveTo, position, putBytes, room } from "./cursor";

const MAX_HEADER: usize = 9;

export function msgpackMap(count: u32): void {
  header(count, 0x80, 15, 0xde);
}

export function msgpackArray(count: u32): void {
  header(count, 0x90, 15, 0xdc);
}

/** UTF-8 bytes as str. */
export function msgpackString(start: usize, length: u32): void {
  if (length < 32) byte(0xa0 | length);
  else if (length < 0x100) {
    byte(0xd9);
    byte(length);
  } else sized(0xda, length);
  putBytes(start, length);
}

export function msgpackNil(): void {
  byte(0xc0);
}

export function msgpackBool(value: bool): void {
  byte(value ? 0xc3 : 0xc2);
}

export function msgpackDouble(value: f64): void {
  if (!room(MAX_HEADER)) return;
  store<u8>(position, 0xcb);
  store<u64>(position, bswap<u64>(reinterpret<u64>(value)), 1);
  moveTo(position + MAX_HEADER);
}

function header(count: u32, fix: u32, fixLimit: u32, wide: u32): void {
  if (count <= fixLimit) byte(fix | count);
  else sized(wide, count);
}

/** `code` with a 16-bit length, or the code after it with a 32-bit one. */
function sized(code: u32, length: u32): void {
  if (!room(MAX_HEADER)) return;
  if (length < 0x10000) {
    store<u8>(position, code);
    store<u16>(position, bswap<u16>(<u16>length), 1);
    moveTo(position + 3);
  } else {
    store<u8>(position, code + 1);
    store<u32>(position, bswap<u32>(length), 1);
    moveTo(position + 5);
  }
}

function byte(value: u32): void {
  if (!room(1)) return;
  store<u8>(position, value);
  moveTo(position + 1);
}
