/**
 * Cerbos `inIPAddrRange`: whether an IP address lies in a CIDR range, with the spellings that Go's `net` package
 * accepts. Addresses are 16 bytes; IPv4 ones are held as IPv4-mapped IPv6 (`::ffff:a.b.c.d`), so that mapped
 * addresses match IPv4 ranges. The `ip()` and `cidr()` types of CEL's network extension are not here.
 */
import { ERROR_BAD_CONVERSION, TAG_STRING } from "../abi";
import { burn } from "../memory/fuel";
import { fail, lengthOf, ofBool, startOf, tagOf } from "../value/value";
import { noFuel, noOverload2 } from "./failure";

/** Longest spelling of an address or range that is looked at; the longest valid ones have 45 and 49 characters. */
const MAX_TEXT: u32 = 64;

const FORM_INVALID: i32 = 0;
const FORM_V4: i32 = 4;
const FORM_V6: i32 = 6;

/** Prefix lengths from here on are nonsense, and parsing stops. */
const ABSURD_PREFIX: u32 = 1000;

const ADDRESS_SIZE: usize = 16;
const address: usize = memory.data(16);
const network: usize = memory.data(16);

/** CEL `ip.inIPAddrRange(cidr)`; a text that is no address or no range is ERROR_BAD_CONVERSION. */
export function inIPAddrRange(ip: u64, cidr: u64): u64 {
  if (tagOf(ip) != TAG_STRING || tagOf(cidr) != TAG_STRING) return noOverload2(ip, cidr);
  if (!burn(4)) return noFuel();
  if (readAddress(startOf(ip), lengthOf(ip), address) == FORM_INVALID) return fail(ERROR_BAD_CONVERSION, ip);
  const prefix = readRange(startOf(cidr), lengthOf(cidr));
  if (prefix < 0) return fail(ERROR_BAD_CONVERSION, cidr);
  // IPv4 and IPv6 never match each other, not even under ::/0.
  if (isMapped(address) != isMapped(network)) return ofBool(false);
  return ofBool(samePrefix(prefix));
}

/** Reads `address/bits` into `network`, bits after the prefix cleared; the prefix length in 0..128, or -1. */
function readRange(start: usize, length: u32): i32 {
  let slash: u32 = 0;
  while (slash < length && slash < MAX_TEXT && load<u8>(start + slash) != 0x2f) slash++;
  if (slash >= length || slash >= MAX_TEXT) return -1;
  const form = readAddress(start, slash, network);
  if (form == FORM_INVALID) return -1;
  const digits = length - slash - 1;
  if (digits == 0) return -1;
  let prefix: u32 = 0;
  for (let at: u32 = 0; at < digits; at++) {
    const digit = <u32>load<u8>(start + slash + 1 + at) - 0x30;
    if (digit > 9 || at > MAX_TEXT) return -1;
    prefix = prefix * 10 + digit;
    if (prefix > ABSURD_PREFIX) return -1;
  }
  if (form == FORM_V4) {
    if (prefix > 32) return -1;
    prefix += 96;
  }
  if (prefix > 128) return -1;
  clearAfter(network, prefix);
  return <i32>prefix;
}

/** Clears the bits of an address after the first `prefix`. */
function clearAfter(at: usize, prefix: u32): void {
  for (let index: u32 = 0; index < ADDRESS_SIZE; index++) {
    const bit = index << 3;
    if (bit >= prefix) store<u8>(at + index, 0);
    else if (bit + 8 > prefix) store<u8>(at + index, load<u8>(at + index) & <u8>(0xff00 >> (prefix - bit)));
  }
}

/** Whether `address` agrees with `network` in the first `prefix` bits; clears the rest of `address`. */
function samePrefix(prefix: u32): bool {
  clearAfter(address, prefix);
  return load<u64>(address) == load<u64>(network) && load<u64>(address, 8) == load<u64>(network, 8);
}

function isMapped(at: usize): bool {
  return load<u64>(at) == 0 && load<u32>(at, 8) == 0xffff0000;
}

/** Reads an IP address into the 16 bytes at `out`; FORM_*. Zones (`%eth0`) are invalid. */
function readAddress(start: usize, length: u32, out: usize): i32 {
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
