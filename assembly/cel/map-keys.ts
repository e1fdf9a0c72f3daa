/**
 * Finding entries of maps by key (CEL langdef, "Field Selection" and numeric keys). Maps are lists of entries,
 * so a look-up scans; every entry looked at burns fuel.
 *
 * Keys of a different numeric type find int and uint keys of exactly the same value where no key is of their own type. As in
 * Cerbos, a double key that a policy wrote is found by that double only. Any value but bytes, hierarchies and SPIFFE matchers can
 * be a key that a policy computed; lists, maps, optionals and the like are then equal to no other, not even to the same one.
 */
import {
  TAG_BOOL,
  TAG_CIDR,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_IP,
  TAG_NULL,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_TYPE,
  TAG_UINT,
} from "../abi";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import {
  countOf,
  doubleOf,
  intOf,
  keyAt,
  lengthOf,
  startOf,
  tagOf,
  timestampNanos,
  timestampOffset,
  timestampSeconds,
  uintOf,
} from "../value/value";
import { sameNetworkValue } from "./network";
import { isNumeric } from "./numeric";

/** No entry has the key. */
export const NO_ENTRY: i32 = -1;
/** The fuel ran out during the search. */
export const ENTRY_STOPPED: i32 = -2;

/** Bytes of comparing per unit of fuel. */
const BYTES_SHIFT: u32 = 4;
const TWO_TO_63: f64 = 9.223372036854775808e18;
const TWO_TO_64: f64 = 1.8446744073709551616e19;

/** Whether maps and lists can be asked for values of this tag, `m[key]`; `in` takes any. */
export function isKeyTag(tag: i32): bool {
  return tag == TAG_STRING || tag == TAG_BOOL || isNumeric(tag);
}

/** Index of the entry that `key` finds, NO_ENTRY or ENTRY_STOPPED. */
export function findKey(map: u64, key: u64): i32 {
  return find(map, key, true);
}

/** As `findKey`, but int 1, uint 1 and double 1.0 are different keys: what counts as "the same key twice". */
export function findSameKey(map: u64, key: u64): i32 {
  return find(map, key, false);
}

function find(map: u64, key: u64, crossNumeric: bool): i32 {
  const tag = tagOf(key);
  const count = countOf(map);
  if (!burn(1)) return ENTRY_STOPPED;
  if (tag == TAG_STRING) return findString(map, count, startOf(key), lengthOf(key));
  let found = NO_ENTRY;
  // The entry with an equal number of another type; as in Cerbos an int key goes before a uint key.
  let other = NO_ENTRY;
  let index: u32 = 0;
  while (index < count && found == NO_ENTRY) {
    const candidate = keyAt(map, index);
    if (matches(candidate, key, tag, false)) found = <i32>index;
    else if (crossNumeric && matches(candidate, key, tag, true)) {
      if (other == NO_ENTRY || tagOf(candidate) == TAG_INT) other = <i32>index;
    }
    index += 1;
  }
  if (!burn(index)) return ENTRY_STOPPED;
  return found == NO_ENTRY ? other : found;
}

function findString(map: u64, count: u32, start: usize, length: u32): i32 {
  let found = NO_ENTRY;
  let index: u32 = 0;
  let compared: u32 = 0;
  while (index < count && found == NO_ENTRY) {
    const candidate = keyAt(map, index);
    if (tagOf(candidate) == TAG_STRING && lengthOf(candidate) == length) {
      compared += 1 + (length >> BYTES_SHIFT);
      if (equalBytes(startOf(candidate), start, length)) found = <i32>index;
    }
    index += 1;
  }
  return burn(index + compared) ? found : ENTRY_STOPPED;
}

/** Whether the entry key `candidate` is what `key`, of tag `tag`, asks for. */
export function matches(candidate: u64, key: u64, tag: i32, crossNumeric: bool): bool {
  const candidateTag = tagOf(candidate);
  if (candidateTag != tag) {
    return crossNumeric && isSameWhole(candidate, candidateTag, key, tag);
  }
  if (tag == TAG_DOUBLE) return doubleOf(candidate) == doubleOf(key);
  if (tag == TAG_INT || tag == TAG_UINT) return intOf(candidate) == intOf(key);
  if (tag == TAG_BOOL || tag == TAG_NULL) return candidate == key;
  if (tag == TAG_DURATION) return intOf(candidate) == intOf(key);
  if (tag == TAG_TIMESTAMP) return isSameInstant(candidate, key);
  if (tag == TAG_IP || tag == TAG_CIDR) return sameNetworkValue(candidate, key);
  const isText =
    tag == TAG_STRING || tag == TAG_TYPE || tag == TAG_SPIFFE_ID || tag == TAG_SPIFFE_TRUST_DOMAIN;
  if (!isText || lengthOf(candidate) != lengthOf(key)) return false;
  return equalBytes(startOf(candidate), startOf(key), lengthOf(key));
}

/** As keys, instants of different zones differ, and Go keeps one zone only for offsets of whole hours from -12 to 14. */
function isSameInstant(candidate: u64, key: u64): bool {
  const offset = timestampOffset(key);
  if (timestampOffset(candidate) != offset || offset % 3600 != 0) return false;
  if (offset < -12 * 3600 || offset > 14 * 3600) return false;
  const sameSecond = timestampSeconds(candidate) == timestampSeconds(key);
  return sameSecond && timestampNanos(candidate) == timestampNanos(key);
}

/** Whether an int or uint key has exactly the value of a number of another type. */
function isSameWhole(candidate: u64, candidateTag: i32, key: u64, tag: i32): bool {
  if (candidateTag != TAG_INT && candidateTag != TAG_UINT) return false;
  if (tag == TAG_INT || tag == TAG_UINT) return intOf(candidate) == intOf(key) && intOf(key) >= 0;
  if (tag != TAG_DOUBLE) return false;
  const double = doubleOf(key);
  if (Math.floor(double) != double) return false;
  // As in cel-go no double stands for the smallest int.
  if (candidateTag == TAG_INT) return abs(double) < TWO_TO_63 && <i64>double == intOf(candidate);
  return double >= 0 && double < TWO_TO_64 && <u64>double == uintOf(candidate);
}
