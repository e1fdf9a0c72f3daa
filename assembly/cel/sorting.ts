/**
 * Sorting by keys of one ordered type: bool, int, uint, double, string, bytes, timestamp, duration, SPIFFE trust domain
 * (these backwards, as in Cerbos). A stable merge sort over copies. Comparing values of different types is order.ts's task.
 *
 * What is sorted are pairs:   | u64 key | u64 item |
 */
import {
  ERROR_NO_SUCH_OVERLOAD,
  TAG_BOOL,
  TAG_BYTES,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_LIST,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_UINT,
} from "../abi";
import { allocate, exhausted, fits } from "../memory/arena";
import { compareBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  doubleOf,
  fail,
  intOf,
  isError,
  itemAt,
  lengthOf,
  newList,
  NULL,
  payloadOf,
  setItem,
  startOf,
  tagOf,
  timestampNanos,
  timestampSeconds,
  uintOf,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";

export const PAIR_SIZE: usize = 16;

function isOrdered(tag: i32): bool {
  if (tag == TAG_STRING || tag == TAG_BYTES || tag == TAG_BOOL || tag == TAG_DOUBLE) return true;
  if (tag == TAG_INT || tag == TAG_UINT || tag == TAG_TIMESTAMP || tag == TAG_DURATION) return true;
  return tag == TAG_SPIFFE_TRUST_DOMAIN;
}

/** Whether `left` comes before `right`, both of the type `tag`. NaN is before and after nothing. */
function isBefore(left: u64, right: u64, tag: i32): bool {
  if (tag == TAG_STRING || tag == TAG_BYTES) {
    return compareBytes(startOf(left), lengthOf(left), startOf(right), lengthOf(right)) < 0;
  }
  if (tag == TAG_SPIFFE_TRUST_DOMAIN) {
    return compareBytes(startOf(left), lengthOf(left), startOf(right), lengthOf(right)) > 0;
  }
  if (tag == TAG_DOUBLE) return doubleOf(left) < doubleOf(right);
  if (tag == TAG_UINT) return uintOf(left) < uintOf(right);
  if (tag == TAG_BOOL) return payloadOf(left) < payloadOf(right);
  if (tag != TAG_TIMESTAMP) return intOf(left) < intOf(right);
  if (timestampSeconds(left) != timestampSeconds(right))
    return timestampSeconds(left) < timestampSeconds(right);
  return timestampNanos(left) < timestampNanos(right);
}

/** Fuel for one comparison with a key. */
function keyCost(key: u64, tag: i32): u32 {
  const isText = tag == TAG_STRING || tag == TAG_BYTES || tag == TAG_SPIFFE_TRUST_DOMAIN;
  return isText ? 1 + (lengthOf(key) >> 4) : 1;
}

/** Merges the sorted runs [from, middle) and [middle, end) of pairs at `source` into `target`. */
function merge(source: usize, target: usize, from: u32, middle: u32, end: u32, tag: i32): bool {
  let left = from;
  let right = middle;
  for (let to = from; to < end; to++) {
    let takeRight: bool = left >= middle;
    if (!takeRight && right < end) {
      const first = load<u64>(source + <usize>left * PAIR_SIZE);
      const second = load<u64>(source + <usize>right * PAIR_SIZE);
      if (!burn(keyCost(first, tag))) return false;
      takeRight = isBefore(second, first, tag);
    }
    const taken = takeRight ? right++ : left++;
    memory.copy(target + <usize>to * PAIR_SIZE, source + <usize>taken * PAIR_SIZE, PAIR_SIZE);
  }
  return true;
}

/**
 * Sorts `count` pairs, whose keys all have the tag `tag`: the address where they are in order (there or in a new
 * block), or 0 when the arena or the fuel is used up.
 */
export function sortPairs(pairs: usize, count: u32, tag: i32): usize {
  const size = <usize>count * PAIR_SIZE;
  if (!fits(size)) return 0;
  let source = pairs;
  let target = allocate(size);
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let from: u32 = 0; from < count; from += width << 1) {
      const middle = from + width < count ? from + width : count;
      const end = middle + width < count ? middle + width : count;
      if (!merge(source, target, from, middle, end, tag)) return 0;
    }
    const swap = source;
    source = target;
    target = swap;
  }
  return source;
}

/** The items of `value` in ascending order; an error unless it is a list with items of one ordered type. */
export function sort(value: u64): u64 {
  const list = settle(value);
  return tagOf(list) == TAG_LIST ? sortByKeys(list, list) : noOverload1(list);
}

/**
 * The macro `sortBy`: the items of a list in ascending order of the keys in another list, as long as the first. An error
 * unless the keys are of one ordered type; an error in place of either list is the result.
 */
export function sortByKeys(items: u64, keys: u64): u64 {
  if (isError(items)) return items;
  if (isError(keys)) return keys;
  if (tagOf(items) != TAG_LIST || tagOf(keys) != TAG_LIST) return noOverload2(items, keys);
  const count = countOf(items);
  if (count != countOf(keys)) return noOverload2(items, keys);
  if (count == 0) return items;
  if (!burn(count)) return noFuel();
  // A list that fits the arena has far fewer than 2^27 items, so no size overflows.
  const size = <usize>count * PAIR_SIZE;
  if (!fits(size)) return noMemory();
  const pairs = allocate(size);
  const tag = tagOf(itemAt(keys, 0));
  for (let index: u32 = 0; index < count; index++) {
    const key = itemAt(keys, index);
    if (isError(key)) return key;
    if (tagOf(key) != tag || !isOrdered(tag)) return fail(ERROR_NO_SUCH_OVERLOAD, NULL);
    store<u64>(pairs + <usize>index * PAIR_SIZE, key);
    store<u64>(pairs + <usize>index * PAIR_SIZE, itemAt(items, index), 8);
  }
  const sorted = sortPairs(pairs, count, tag);
  if (sorted == 0) return exhausted ? noMemory() : noFuel();
  if (!fits(8 + ((<usize>count) << 3))) return noMemory();
  const result = newList(count);
  for (let index: u32 = 0; index < count; index++) {
    setItem(result, index, load<u64>(sorted + <usize>index * PAIR_SIZE, 8));
  }
  return result;
}
