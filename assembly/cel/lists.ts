/**
 * CEL's lists extension (cel-go `ext.Lists`) without its macros: parts, flattening, order, ranges; also `reverse`
 * of strings, which shares a name with that of lists. Sets are in sets.ts.
 */
import { ERROR_BAD_ARGUMENT, ERROR_INDEX_OUT_OF_RANGE, TAG_INT, TAG_LIST, TAG_STRING } from "../abi";
import { allocate, exhausted, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  box,
  countOf,
  fail,
  intOf,
  itemAt,
  lengthOf,
  newList,
  ofOptional,
  ofString,
  OPTIONAL_NONE,
  payloadOf,
  setItem,
  startOf,
  tagOf,
} from "../value/value";
import { widthOf } from "./code-points";
import { noFuel, noMemory, noOverload1, noOverload2, noOverload3 } from "./failure";
import { addItem, LOOKUP_STOPPED, MISSING, newSet } from "./value-set";

export { sort, sortByKeys } from "./sorting";

/** Longest list that `lists.range` makes, as in Cerbos. */
const MAX_RANGE: i64 = 1_000_000;
/** No list nests deeper than this, so a larger depth flattens completely. */
const MAX_FLATTEN_DEPTH: i64 = 1000;

/** Bytes of a list cell with `count` items. */
function listSize(count: u32): usize {
  return 8 + ((<usize>count) << 3);
}

/** The items `begin` up to and without `end`. */
export function slice(value: u64, begin: u64, end: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST || tagOf(begin) != TAG_INT || tagOf(end) != TAG_INT) {
    return noOverload3(list, begin, end);
  }
  const from = intOf(begin);
  const to = intOf(end);
  if (from < 0 || from > to) return fail(ERROR_INDEX_OUT_OF_RANGE, begin);
  if (to > <i64>countOf(list)) return fail(ERROR_INDEX_OUT_OF_RANGE, end);
  const count = <u32>(to - from);
  if (!burn(1 + (count >> 2))) return noFuel();
  if (!fits(listSize(count))) return noMemory();
  const result = newList(count);
  memory.copy(payloadOf(result) + 8, payloadOf(list) + 8 + ((<usize>from) << 3), (<usize>count) << 3);
  return result;
}

/** Number of items after flattening, or -1 when the fuel runs out. */
function flatCount(list: u64, depth: i32): i64 {
  const count = countOf(list);
  if (!burn(1 + count)) return -1;
  let total: i64 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    const inner: i64 = depth > 0 && tagOf(item) == TAG_LIST ? flatCount(item, depth - 1) : 1;
    if (inner < 0) return -1;
    total += inner;
  }
  return total;
}

/** Writes the flattened items at `out`; answers the end. */
function writeFlat(list: u64, depth: i32, out: usize): usize {
  const count = countOf(list);
  let at = out;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (depth > 0 && tagOf(item) == TAG_LIST) {
      at = writeFlat(item, depth - 1, at);
    } else {
      store<u64>(at, item);
      at += 8;
    }
  }
  return at;
}

function flatten(list: u64, depth: i32): u64 {
  const count = flatCount(list, depth);
  if (count < 0) return noFuel();
  if (count >= 1 << 28 || !fits(listSize(<u32>count))) return noMemory();
  const result = newList(<u32>count);
  writeFlat(list, depth, payloadOf(result) + 8);
  return result;
}

/** Flattens one level. */
export function flatten1(value: u64): u64 {
  const list = settle(value);
  return tagOf(list) == TAG_LIST ? flatten(list, 1) : noOverload1(list);
}

/** Flattens `depth` levels; 0 gives the list as it is, negative ones are an error. */
export function flatten2(value: u64, depth: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST || tagOf(depth) != TAG_INT) return noOverload2(list, depth);
  const levels = intOf(depth);
  if (levels < 0) return fail(ERROR_BAD_ARGUMENT, depth);
  return flatten(list, <i32>(levels < MAX_FLATTEN_DEPTH ? levels : MAX_FLATTEN_DEPTH));
}

/** The first of each group of equal items, in their order. */
export function distinct(value: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  const table = newSet(list, count);
  if (table == 0) return exhausted ? noMemory() : noFuel();
  if (!fits(listSize(count))) return noMemory();
  const cell = allocate(listSize(count));
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const added = addItem(table, list, index);
    if (added == LOOKUP_STOPPED) return exhausted ? noMemory() : noFuel();
    if (added != MISSING) continue;
    store<u64>(cell + 8 + ((<usize>kept) << 3), itemAt(list, index));
    kept++;
  }
  store<u32>(cell, kept);
  store<u32>(cell, 0, 4);
  return box(TAG_LIST, cell);
}

/** CEL `lists.range(n)`: the ints 0 to n - 1. */
export function listsRange(count: u64): u64 {
  if (tagOf(count) != TAG_INT) return noOverload1(count);
  const length = intOf(count);
  if (length < 0 || length > MAX_RANGE) return fail(ERROR_BAD_ARGUMENT, count);
  const items = <u32>length;
  if (!burn(1 + items)) return noFuel();
  // The ints' cells lie right behind the list.
  if (!fits(listSize(items) + ((<usize>items) << 3))) return noMemory();
  const list = newList(items);
  const cells = allocate((<usize>items) << 3);
  for (let index: u32 = 0; index < items; index++) {
    const cell = cells + ((<usize>index) << 3);
    store<i64>(cell, index);
    setItem(list, index, box(TAG_INT, cell));
  }
  return list;
}

/** CEL `list.first()`: an optional. */
export function first(value: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  return countOf(list) == 0 ? OPTIONAL_NONE : ofOptional(itemAt(list, 0));
}

/** CEL `list.last()`: an optional. */
export function last(value: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  return countOf(list) == 0 ? OPTIONAL_NONE : ofOptional(itemAt(list, countOf(list) - 1));
}

/** A list, or the code points of a string, from back to front. */
export function reverse(value: u64): u64 {
  if (tagOf(value) == TAG_STRING) return reverseText(startOf(value), lengthOf(value));
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  if (!burn(1 + (count >> 1))) return noFuel();
  if (!fits(listSize(count))) return noMemory();
  const result = newList(count);
  for (let index: u32 = 0; index < count; index++) setItem(result, index, itemAt(list, count - 1 - index));
  return result;
}

function reverseText(start: usize, length: u32): u64 {
  if (!burn(1 + (length >> 3))) return noFuel();
  if (!fits(length)) return noMemory();
  const out = allocate(length);
  let at: u32 = 0;
  while (at < length) {
    const width = widthOf(load<u8>(start + at));
    // Only malformed text could end inside a code point.
    const whole = width < length - at ? width : length - at;
    memory.copy(out + length - at - whole, start + at, whole);
    at += whole;
  }
  return ofString(out, length);
}
