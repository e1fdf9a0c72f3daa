/**
 * IP addresses as bytes and as text. Addresses are 16 bytes; IPv4 ones are held as IPv4-mapped IPv6 (`::ffff:a.b.c.d`).
 * Reads the spellings that Go's `net` and `net/netip` accept, without zones, and writes the canonical one. What CEL makes of
 * addresses is in addresses.ts (texts) and network.ts (values).
 */

import { writeUint } from "../value/number-text";

/** Longest spelling of an address or range that is looked at; the longest valid ones have 45 and 49 characters. */
export const MAX_TEXT: u32 = 64;

export const FORM_INVALID: i32 = 0;
export const FORM_V4: i32 = 4;
export const FORM_V6: i32 = 6;

/** What `readRange` answers for a range that is mapped, and else fine. */
export const RANGE_MAPPED: i32 = -2;

/** Bits of a mapped address before those of the IPv4 one. */
export const MAPPED_BITS: u32 = 96;

/** Bytes of an address. */
export const ADDRESS_SIZE: usize = 16;
/** Bytes that the text of an address takes at most: eight groups of four digits and the colons. */
export const TEXT_SIZE: usize = 40;

/** Prefix lengths from here on are nonsense, and parsing stops. */
const ABSURD_PREFIX: u32 = 1000;

/** Whether the address at `at` is an IPv4 one. */
export function isMapped(at: usize): bool {
  return load<u64>(at) == 0 && load<u32>(at, 8) == 0xffff0000;
}

/** Clears the bits of an address after the first `prefix`. */
export function clearAfter(at: usize, prefix: u32): void {
  for (let index: u32 = 0; index < ADDRESS_SIZE; index++) {
    const bit = index << 3;
    if (bit >= prefix) store<u8>(at + index, 0);
    else if (bit + 8 > prefix) store<u8>(at + index, load<u8>(at + index) & <u8>(0xff00 >> (prefix - bit)));
  }
}

/** Whether two addresses are the same. */
export function sameAddress(left: usize, right: usize): bool {
  return load<u64>(left) == load<u64>(right) && load<u64>(left, 8) == load<u64>(right, 8);
}

/**
 * Reads `address/bits` into the 16 bytes at `out`: the prefix length in 0..128, counted as in a mapped address, or a
 * negative number. Strictly, as CEL's `cidr()` does it, leading zeros of the length are not accepted, and a mapped range is RANGE_MAPPED.
 */
export function readRange(start: usize, length: u32, out: usize, strict: bool): i32 {
  let slash: u32 = 0;
  while (slash < length && slash < MAX_TEXT && load<u8>(start + slash) != 0x2f) slash++;
  if (slash >= length || slash >= MAX_TEXT) return -1;
  const form = readAddress(start, slash, out);
  if (form == FORM_INVALID) return -1;
  const digits = length - slash - 1;
  if (digits == 0) return -1;
  if (strict && digits > 1 && load<u8>(start + slash + 1) == 0x30) return -1;
  let prefix: u32 = 0;
  for (let at: u32 = 0; at < digits; at++) {
    const digit = <u32>load<u8>(start + slash + 1 + at) - 0x30;
    if (digit > 9 || at > MAX_TEXT) return -1;
    prefix = prefix * 10 + digit;
    if (prefix > ABSURD_PREFIX) return -1;
  }
  if (form == FORM_V4) {
    if (prefix > 32) return -1;
    prefix += MAPPED_BITS;
  }
  if (prefix > 128) return -1;
  return strict && form == FORM_V6 && isMapped(out) ? RANGE_MAPPED : <i32>prefix;
}

/** Reads an IP address into the 16 bytes at `out`; FORM_*. Zones (`%eth0`) are invalid. */
export function readAddress(start: usize, length: u32, out: usize): i32 {
  if (length > MAX_TEXT) return FORM_INVALID;
  memory.fill(out, 0, ADDRESS_SIZE);
  for (let at: u32 = 0; at < length; at++) {
    const byte = load<u8>(start + at);
    if (byte == 0x3a) return readV6(start, start + length, out) ? FORM_V6 : FORM_INVALID;
    if (byte == 0x2e) {
      store<u16>(out, 0xffff, 10);
      return readV4(start, start + length, out + 12) ? FORM_V4 : FORM_INVALID;
    }
  }
  return FORM_INVALID;
}

/** Four decimal fields of 0..255 without leading zeros. */
function readV4(start: usize, end: usize, out: usize): bool {
  let at = start;
  for (let field = 0; field < 4; field++) {
    if (field > 0) {
      if (at >= end || load<u8>(at) != 0x2e) return false;
      at++;
    }
    const first = at;
    let value: u32 = 0;
    while (at < end && <u32>load<u8>(at) - 0x30 <= 9) {
      // A second digit after a leading zero, or a value above 255.
      if (at > first && value == 0) return false;
      value = value * 10 + (<u32>load<u8>(at) - 0x30);
      if (value > 255) return false;
      at++;
    }
    if (at == first) return false;
    store<u8>(out + field, <u8>value);
  }
  return at == end;
}

/** Value of a hexadecimal digit, or more than 15. */
function hexDigit(byte: u32): u32 {
  if (byte - 0x30 <= 9) return byte - 0x30;
  const letter = (byte | 0x20) - 0x61;
  return letter <= 5 ? letter + 10 : 16;
}

let groupEnd: usize = 0;

/** One group of one to four hexadecimal digits, ending at `groupEnd`; -1 when there is none. */
function readGroup(at: usize, end: usize): i32 {
  let value: u32 = 0;
  groupEnd = at;
  while (groupEnd < end) {
    const digit = hexDigit(load<u8>(groupEnd));
    if (digit > 15) break;
    if (groupEnd - at == 4) return -1;
    value = (value << 4) | digit;
    groupEnd++;
  }
  return groupEnd == at ? -1 : <i32>value;
}

/** Eight groups, or fewer around one `::`; the last two may be an IPv4 address. */
function readV6(start: usize, end: usize, out: usize): bool {
  let at = start;
  let count: usize = 0;
  let gap: i32 = -1;
  if (end - at >= 2 && load<u8>(at) == 0x3a && load<u8>(at + 1) == 0x3a) {
    gap = 0;
    at += 2;
  }
  while (count < ADDRESS_SIZE && !(at == end && <i32>count == gap)) {
    const group = readGroup(at, end);
    if (group < 0) return false;
    if (groupEnd < end && load<u8>(groupEnd) == 0x2e) {
      if ((gap < 0 && count != 12) || count > 12) return false;
      if (!readV4(at, end, out + count)) return false;
      at = end;
      count += 4;
      break;
    }
    store<u8>(out + count, <u8>(group >> 8));
    store<u8>(out + count + 1, <u8>group);
    count += 2;
    at = groupEnd;
    if (at == end) break;
    // Another group must follow the colon, except that `::` may end the address.
    if (load<u8>(at) != 0x3a || at + 1 == end) return false;
    at++;
    if (load<u8>(at) == 0x3a) {
      if (gap >= 0) return false;
      gap = <i32>count;
      at++;
    }
  }
  if (at != end) return false;
  if (gap < 0) return count == ADDRESS_SIZE;
  if (count == ADDRESS_SIZE) return false;
  const after = count - <usize>gap;
  memory.copy(out + ADDRESS_SIZE - after, out + gap, after);
  memory.fill(out + gap, 0, ADDRESS_SIZE - count);
  return true;
}

/** Writes the canonical text of the address at `at` to `out`, which has TEXT_SIZE bytes; its length. */
export function writeAddress(at: usize, out: usize): u32 {
  if (isMapped(at)) return writeV4(at + 12, out);
  const gap = longestGap(at);
  const gapEnd = gap + gapLength;
  let end = out;
  for (let group: u32 = 0; group < 8; group++) {
    if (gapLength > 0 && group == gap) {
      store<u16>(end, 0x3a3a);
      end += 2;
      group = gapEnd - 1;
      continue;
    }
    if (group > 0 && !(gapLength > 0 && group == gapEnd)) {
      store<u8>(end, 0x3a);
      end++;
    }
    end = writeGroup(bswap<u16>(load<u16>(at + ((<usize>group) << 1))), end);
  }
  return <u32>(end - out);
}

let gapLength: u32 = 0;

/** The first group of the first longest run of zeros, its length in `gapLength`: 0 when there is none of two or more. */
function longestGap(at: usize): u32 {
  let best: u32 = 0;
  gapLength = 0;
  let run: u32 = 0;
  for (let group: u32 = 0; group < 8; group++) {
    run = load<u16>(at + ((<usize>group) << 1)) == 0 ? run + 1 : 0;
    if (run > 1 && run > gapLength) {
      gapLength = run;
      best = group + 1 - run;
    }
  }
  return best;
}

/** Hexadecimal without leading zeros; where it ends. */
function writeGroup(value: u32, out: usize): usize {
  let end = out;
  let shift: u32 = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0;
  while (true) {
    const digit = (value >> shift) & 15;
    store<u8>(end, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
    end++;
    if (shift == 0) return end;
    shift -= 4;
  }
}

function writeV4(at: usize, out: usize): u32 {
  let end = out;
  for (let field: usize = 0; field < 4; field++) {
    if (field > 0) {
      store<u8>(end, 0x2e);
      end++;
    }
    end += writeUint(load<u8>(at + field), end);
  }
  return <u32>(end - out);
}
