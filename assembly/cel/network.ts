/**
 * IP addresses and ranges as values: `ip()`, `cidr()` and their members (cel-go's network extension, with the parsing of Go's
 * `net/netip`). IPv4-mapped IPv6 addresses and zones are refused, so an address whose bytes are mapped is an IPv4 one. Cells:
 *
 *   ip     | 16 bytes address |                             TAG_IP
 *   cidr   | 16 bytes address | u32 prefix | u32 zero |     TAG_CIDR; prefix in 0..128, counted as in a mapped address;
 *                                                           bits of the address after the prefix are kept
 */
import {
  ERROR_ADDRESS_ZONE,
  ERROR_CIDR,
  ERROR_IP,
  ERROR_MAPPED_ADDRESS,
  TAG_CIDR,
  TAG_IP,
  TAG_STRING,
} from "../abi";
import { allocate } from "../memory/arena";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { writeUint } from "../value/number-text";
import {
  box,
  fail,
  FALSE,
  isError,
  lengthOf,
  ofBool,
  ofInt,
  ofString,
  payloadOf,
  startOf,
  tagOf,
  TRUE,
} from "../value/value";
import {
  ADDRESS_SIZE,
  clearAfter,
  FORM_INVALID,
  FORM_V4,
  FORM_V6,
  isMapped,
  MAPPED_BITS,
  MAX_TEXT,
  readAddress,
  RANGE_MAPPED,
  readRange,
  sameAddress,
  TEXT_SIZE,
  writeAddress,
} from "./address-text";
import { noFuel, noOverload1, noOverload2 } from "./failure";

/** Fuel for reading or writing one text. */
const TEXT_COST: u32 = 4;
const CELL_SIZE: usize = 24;
/** Bytes for a slash and any u32. */
const PREFIX_TEXT_SIZE: usize = 12;

const address: usize = memory.data(16);
const network: usize = memory.data(16);
const written: usize = memory.data(64);

/** Reads an address into the 16 bytes at `out`; false when the text is none, or a mapped one. */
function parseAddress(text: u64, out: usize): bool {
  const form = readAddress(startOf(text), lengthOf(text), out);
  return form == FORM_V4 || (form == FORM_V6 && !isMapped(out));
}

/** Why a text is no address. */
function notAnAddress(text: u64): u64 {
  const start = startOf(text);
  const length = lengthOf(text);
  if (readAddress(start, length, address) != FORM_INVALID) return fail(ERROR_MAPPED_ADDRESS, text);
  let percent: u32 = 0;
  while (percent < length && percent < MAX_TEXT && load<u8>(start + percent) != 0x25) percent++;
  const hasZone = percent < MAX_TEXT && percent + 1 < length;
  const code = hasZone && readAddress(start, percent, address) == FORM_V6 ? ERROR_ADDRESS_ZONE : ERROR_IP;
  return fail(code, text);
}

function newIP(from: usize): u64 {
  const cell = allocate(ADDRESS_SIZE);
  memory.copy(cell, from, ADDRESS_SIZE);
  return box(TAG_IP, cell);
}

function newCIDR(from: usize, prefix: u32): u64 {
  const cell = allocate(CELL_SIZE);
  memory.copy(cell, from, ADDRESS_SIZE);
  store<u32>(cell, prefix, 16);
  store<u32>(cell, 0, 20);
  return box(TAG_CIDR, cell);
}

function prefixOf(cidr: u64): u32 {
  return load<u32>(payloadOf(cidr), 16);
}

/** CEL `ip(string)`. */
export function ipOfText(text: u64): u64 {
  if (tagOf(text) != TAG_STRING) return noOverload1(text);
  if (!burn(TEXT_COST)) return noFuel();
  return parseAddress(text, address) ? newIP(address) : notAnAddress(text);
}

/** CEL `cidr(string)`. */
export function cidrOfText(text: u64): u64 {
  if (tagOf(text) != TAG_STRING) return noOverload1(text);
  if (!burn(TEXT_COST)) return noFuel();
  const prefix = readRange(startOf(text), lengthOf(text), network, true);
  if (prefix < 0) return fail(prefix == RANGE_MAPPED ? ERROR_MAPPED_ADDRESS : ERROR_CIDR, text);
  return newCIDR(network, prefix);
}

/** CEL `isIP(string)`: whether `ip()` accepts the text. */
export function isIP(text: u64): u64 {
  if (tagOf(text) != TAG_STRING) return noOverload1(text);
  return burn(TEXT_COST) ? ofBool(parseAddress(text, address)) : noFuel();
}

/** CEL `isCIDR(string)`: whether `cidr()` accepts the text. */
export function isCIDR(text: u64): u64 {
  if (tagOf(text) != TAG_STRING) return noOverload1(text);
  return burn(TEXT_COST) ? ofBool(readRange(startOf(text), lengthOf(text), network, true) >= 0) : noFuel();
}

/** CEL `ip.isCanonical(string)`: whether the text is the one that `string()` gives; an error for what is no address. */
export function ipIsCanonical(text: u64): u64 {
  if (tagOf(text) != TAG_STRING) return noOverload1(text);
  if (!burn(TEXT_COST)) return noFuel();
  if (!parseAddress(text, address)) return notAnAddress(text);
  const length = writeAddress(address, written);
  return ofBool(length == lengthOf(text) && equalBytes(written, startOf(text), length));
}

/** CEL `string()` of an IP or a CIDR. */
export function networkText(value: u64): u64 {
  if (!burn(TEXT_COST)) return noFuel();
  const at = payloadOf(value);
  const out = allocate(TEXT_SIZE + PREFIX_TEXT_SIZE);
  let length = writeAddress(at, out);
  if (tagOf(value) == TAG_CIDR) {
    store<u8>(out + length, 0x2f);
    length += 1 + writeUint(shownPrefix(value), out + length + 1);
  }
  return ofString(out, length);
}

/** The prefix length as it is written: 0..32 for IPv4. */
function shownPrefix(cidr: u64): u32 {
  return isMapped(payloadOf(cidr)) ? prefixOf(cidr) - MAPPED_BITS : prefixOf(cidr);
}

/** Whether two IPs, or two CIDRs, are the same: CIDRs by all bits of the address and the prefix. */
export function sameNetworkValue(left: u64, right: u64): bool {
  if (!sameAddress(payloadOf(left), payloadOf(right))) return false;
  return tagOf(left) == TAG_IP || prefixOf(left) == prefixOf(right);
}

/** CEL `ip.family()`: 4 or 6. */
export function ipFamily(ip: u64): u64 {
  return tagOf(ip) == TAG_IP ? ofInt(isMapped(payloadOf(ip)) ? 4 : 6) : noOverload1(ip);
}

export function ipIsUnspecified(ip: u64): u64 {
  return tagOf(ip) == TAG_IP ? ofBool(isUnspecified(payloadOf(ip))) : noOverload1(ip);
}

export function ipIsLoopback(ip: u64): u64 {
  return tagOf(ip) == TAG_IP ? ofBool(isLoopback(payloadOf(ip))) : noOverload1(ip);
}

export function ipIsLinkLocalUnicast(ip: u64): u64 {
  return tagOf(ip) == TAG_IP ? ofBool(isLinkLocalUnicast(payloadOf(ip))) : noOverload1(ip);
}

/** 224.0.0.0/24, and the multicast addresses of IPv6 with link-local scope, whatever their flags. */
export function ipIsLinkLocalMulticast(ip: u64): u64 {
  if (tagOf(ip) != TAG_IP) return noOverload1(ip);
  const at = payloadOf(ip);
  if (isMapped(at)) return ofBool((load<u32>(at, 12) & 0x00ff_ffff) == 0x0000_00e0);
  return ofBool((load<u16>(at) & 0x0fff) == 0x02ff);
}

/** Any unicast address that is not link-local, private ranges included; as in Go 240.0.0.0/4 counts too. */
export function ipIsGlobalUnicast(ip: u64): u64 {
  if (tagOf(ip) != TAG_IP) return noOverload1(ip);
  const at = payloadOf(ip);
  if (isUnspecified(at) || isLoopback(at) || isLinkLocalUnicast(at)) return FALSE;
  if (!isMapped(at)) return ofBool(load<u8>(at) != 0xff);
  if (load<u32>(at, 12) == 0xffff_ffff) return FALSE;
  return ofBool((load<u8>(at, 12) & 0xf0) != 0xe0);
}

function isUnspecified(at: usize): bool {
  if (isMapped(at)) return load<u32>(at, 12) == 0;
  return load<u64>(at) == 0 && load<u64>(at, 8) == 0;
}

function isLoopback(at: usize): bool {
  if (isMapped(at)) return load<u8>(at, 12) == 127;
  return load<u64>(at) == 0 && load<u64>(at, 8) == (<u64>1) << 56;
}

/** 169.254.0.0/16 and fe80::/10. */
function isLinkLocalUnicast(at: usize): bool {
  if (isMapped(at)) return load<u16>(at, 12) == 0xfea9;
  return (load<u16>(at) & 0xc0ff) == 0x80fe;
}

/** CEL `cidr.ip()`: the address as it was written, bits after the prefix included. */
export function cidrIP(cidr: u64): u64 {
  return tagOf(cidr) == TAG_CIDR ? newIP(payloadOf(cidr)) : noOverload1(cidr);
}

/** CEL `cidr.prefixLength()`. */
export function cidrPrefixLength(cidr: u64): u64 {
  return tagOf(cidr) == TAG_CIDR ? ofInt(shownPrefix(cidr)) : noOverload1(cidr);
}

/** CEL `cidr.masked()`: the range with the bits after the prefix cleared. */
export function cidrMasked(cidr: u64): u64 {
  if (tagOf(cidr) != TAG_CIDR) return noOverload1(cidr);
  const masked = newCIDR(payloadOf(cidr), prefixOf(cidr));
  clearAfter(payloadOf(masked), prefixOf(cidr));
  return masked;
}

/** CEL `cidr.isMask()`: whether there are no bits after the prefix. */
export function cidrIsMask(cidr: u64): u64 {
  if (tagOf(cidr) != TAG_CIDR) return noOverload1(cidr);
  return ofBool(liesIn(payloadOf(cidr), cidr) && sameAddress(payloadOf(cidr), network));
}

/** Whether the address at `at` agrees with the range in its prefix; leaves the masked range in `network`. */
function liesIn(at: usize, cidr: u64): bool {
  const prefix = prefixOf(cidr);
  memory.copy(network, payloadOf(cidr), ADDRESS_SIZE);
  if (isMapped(at) != isMapped(network)) return false;
  clearAfter(network, prefix);
  if (at != address) memory.copy(address, at, ADDRESS_SIZE);
  clearAfter(address, prefix);
  return sameAddress(address, network);
}

/** CEL `cidr.containsIP(ip or string)`; IPv4 and IPv6 never contain each other. */
export function cidrContainsIP(cidr: u64, ip: u64): u64 {
  const tag = tagOf(ip);
  if (tagOf(cidr) != TAG_CIDR || (tag != TAG_IP && tag != TAG_STRING)) return noOverload2(cidr, ip);
  if (!burn(TEXT_COST)) return noFuel();
  if (tag == TAG_IP) return ofBool(liesIn(payloadOf(ip), cidr));
  return parseAddress(ip, address) ? ofBool(liesIn(address, cidr)) : notAnAddress(ip);
}

/** CEL `cidr.containsCIDR(cidr or string)`: every address of the other range lies in this one. */
export function cidrContainsCIDR(cidr: u64, other: u64): u64 {
  const tag = tagOf(other);
  if (tagOf(cidr) != TAG_CIDR || (tag != TAG_CIDR && tag != TAG_STRING)) return noOverload2(cidr, other);
  const range = tag == TAG_CIDR ? other : cidrOfText(other);
  if (isError(range)) return range;
  if (!burn(TEXT_COST)) return noFuel();
  return prefixOf(range) >= prefixOf(cidr) && liesIn(payloadOf(range), cidr) ? TRUE : FALSE;
}
