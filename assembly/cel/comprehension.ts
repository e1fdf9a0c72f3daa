/**
 * What the loops and literals of generated code are made of: ranges, growing lists and maps, and the fuel of a
 * loop turn. Errors are values here too: a builder that is an error stays that error.
 *
 * While a list or map is being built, the second word of its cell holds its capacity in items or entries:
 *
 *   | u32 count | u32 capacity | item ... | free ... |
 *
 * Nothing else reads that word. Only the code that started a builder may add to it, and goes on with the result.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_BYTES,
  TAG_HIERARCHY,
  TAG_LIST,
  TAG_MAP,
  TAG_OPTIONAL,
  TAG_SPIFFE_MATCHER,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  box,
  countOf,
  fail,
  isError,
  itemAt,
  keyAt,
  newList,
  NULL,
  ofInt,
  OPTIONAL_NONE,
  payloadOf,
  setEntry,
  setItem,
  tagOf,
  valueAt,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";
import { ENTRY_STOPPED, findKey, findSameKey } from "./map-keys";

/** Room of a builder that did not ask for any. */
const FIRST_CAPACITY: u32 = 8;
const ITEM_SHIFT: usize = 3;
const ENTRY_SHIFT: usize = 4;

/** Takes the fuel of one loop turn; 0 when there is none left. */
export function tick(): i32 {
  return burn(1) ? 1 : 0;
}

/** The error of a loop that ran out of fuel. */
export function fuelError(): u64 {
  return noFuel();
}

// -------------------------------------------------------------------------------------------------------------
// Ranges
// -------------------------------------------------------------------------------------------------------------

/** What a macro with one variable goes over: a list as it is, the list of a map's keys, or an error. */
export function rangeList(value: u64): u64 {
  const range = settle(value);
  const tag = tagOf(range);
  if (tag == TAG_LIST) return range;
  if (tag != TAG_MAP) return noOverload1(range);
  const entries = countOf(range);
  if (!burn(entries)) return noFuel();
  if (!fits(8 + ((<usize>entries) << ITEM_SHIFT))) return noMemory();
  const keys = newList(entries);
  for (let index: u32 = 0; index < entries; index++) setItem(keys, index, keyAt(range, index));
  return keys;
}

/** What `sortBy` goes over: a list as it is, or an error. */
export function rangeItems(value: u64): u64 {
  const range = settle(value);
  return tagOf(range) == TAG_LIST ? range : noOverload1(range);
}

/** What a macro with two variables goes over: a list or a map as it is, or an error. */
export function rangePairs(value: u64): u64 {
  const range = settle(value);
  const tag = tagOf(range);
  return tag == TAG_LIST || tag == TAG_MAP ? range : noOverload1(range);
}

/** Number of turns of a range; 0 for an error. */
export function count(range: u64): i32 {
  const tag = tagOf(range);
  return tag == TAG_LIST || tag == TAG_MAP ? <i32>countOf(range) : 0;
}

/** Item `index` of a list. */
export function item(list: u64, index: i32): u64 {
  return inside(list, TAG_LIST, index) ? itemAt(list, index) : outside();
}

/** First variable of turn `index` over pairs: the index of a list, the key of a map. */
export function pairKey(range: u64, index: i32): u64 {
  if (inside(range, TAG_MAP, index)) return keyAt(range, index);
  return inside(range, TAG_LIST, index) ? ofInt(index) : outside();
}

/** Second variable of turn `index` over pairs: the item of a list, the value of a map. */
export function pairValue(range: u64, index: i32): u64 {
  return inside(range, TAG_MAP, index) ? valueAt(range, index) : item(range, index);
}

function inside(range: u64, tag: i32, index: i32): bool {
  return tagOf(range) == tag && <u32>index < countOf(range);
}

/** Generated loops stay inside their range; a defect there must not read past it. */
function outside(): u64 {
  return fail(ERROR_INDEX_OUT_OF_RANGE, NULL);
}

// -------------------------------------------------------------------------------------------------------------
// Lists
// -------------------------------------------------------------------------------------------------------------

/** An empty list with room for `capacity` items. */
export function listBuilder(capacity: i32): u64 {
  return builder(TAG_LIST, <u32>capacity, ITEM_SHIFT);
}

/** Adds an item; the list, which may have moved, or the error that the list or the item is. */
export function append(list: u64, value: u64): u64 {
  if (tagOf(list) != TAG_LIST || isError(value)) return noOverloadUnless(list, value);
  const grown = withRoom(list, ITEM_SHIFT);
  if (isError(grown)) return grown;
  const end = countOf(grown);
  store<u32>(payloadOf(grown), end + 1);
  setItem(grown, end, value);
  return grown;
}

/** `[?optional]`: adds the value of an optional if it has one. */
export function appendOptional(list: u64, optional: u64): u64 {
  if (tagOf(list) != TAG_LIST || tagOf(optional) != TAG_OPTIONAL) return noOverload2(list, optional);
  return optional == OPTIONAL_NONE ? list : append(list, load<u64>(payloadOf(optional)));
}

// -------------------------------------------------------------------------------------------------------------
// Maps
// -------------------------------------------------------------------------------------------------------------

/** An empty map with room for `capacity` entries. */
export function mapBuilder(capacity: i32): u64 {
  return builder(TAG_MAP, <u32>capacity, ENTRY_SHIFT);
}

/** Values that Go cannot hash. */
function isNoKey(tag: i32): bool {
  return tag == TAG_BYTES || tag == TAG_HIERARCHY || tag == TAG_SPIFFE_MATCHER;
}

/** Sets an entry, the last value of the same key wins; the map, which may have moved, or an error. Some values are no key. */
export function put(map: u64, key: u64, value: u64): u64 {
  if (tagOf(map) != TAG_MAP || isError(key)) return noOverloadUnless(map, key);
  if (isNoKey(tagOf(key))) return noOverload1(key);
  if (isError(value)) return value;
  const found = findSameKey(map, key);
  if (found == ENTRY_STOPPED) return noFuel();
  if (found < 0) return putNew(map, key, value);
  setEntry(map, <u32>found, key, value);
  return map;
}

/** Adds an entry whose key is known to be new (the keys of another map, the indices of a list). */
export function putNew(map: u64, key: u64, value: u64): u64 {
  if (tagOf(map) != TAG_MAP || isError(key)) return noOverloadUnless(map, key);
  if (isError(value)) return value;
  const grown = withRoom(map, ENTRY_SHIFT);
  if (isError(grown)) return grown;
  const end = countOf(grown);
  store<u32>(payloadOf(grown), end + 1);
  setEntry(grown, end, key, value);
  return grown;
}

/** As `put`, but a key that is already there, in whatever numeric type, is an error with the key as detail. */
export function putUnique(map: u64, key: u64, value: u64): u64 {
  if (tagOf(map) != TAG_MAP || isError(key)) return noOverloadUnless(map, key);
  if (isError(value)) return value;
  const found = findKey(map, key);
  if (found == ENTRY_STOPPED) return noFuel();
  return found >= 0 ? fail(ERROR_BAD_ARGUMENT, key) : putNew(map, key, value);
}

/** `{?key: optional}`: sets the entry if the optional has a value. */
export function putOptional(map: u64, key: u64, optional: u64): u64 {
  if (tagOf(map) != TAG_MAP || isError(key)) return noOverloadUnless(map, key);
  if (tagOf(optional) != TAG_OPTIONAL) return noOverload1(optional);
  return optional == OPTIONAL_NONE ? map : put(map, key, load<u64>(payloadOf(optional)));
}

/** A turn of `transformMapEntry`: adds the entries of a map, whose keys must be new. */
export function putEntry(map: u64, entries: u64): u64 {
  const added = settle(entries);
  if (tagOf(map) != TAG_MAP || tagOf(added) != TAG_MAP) return noOverload2(map, added);
  let result = map;
  const entryCount = countOf(added);
  for (let index: u32 = 0; index < entryCount && tagOf(result) == TAG_MAP; index++) {
    result = putUnique(result, keyAt(added, index), valueAt(added, index));
  }
  return result;
}

/** The error among two operands, or "no such overload" when the first is simply of the wrong kind. */
function noOverloadUnless(first: u64, second: u64): u64 {
  return isError(first) ? first : isError(second) ? second : fail(ERROR_NO_SUCH_OVERLOAD, NULL);
}

// -------------------------------------------------------------------------------------------------------------
// Room
// -------------------------------------------------------------------------------------------------------------

function builder(tag: i32, wanted: u32, shift: usize): u64 {
  const capacity = wanted == 0 ? FIRST_CAPACITY : wanted;
  const bytes = 8 + ((<usize>capacity) << shift);
  if (capacity >= 1 << 27 || !fits(bytes)) return noMemory();
  const cell = allocate(bytes);
  store<u32>(cell, 0);
  store<u32>(cell, capacity, 4);
  return box(tag, cell);
}

/** The builder with room for one more, moved to twice the room if it was full; an error when nothing fits. */
function withRoom(value: u64, shift: usize): u64 {
  const cell = payloadOf(value);
  const used = load<u32>(cell);
  if (used < load<u32>(cell, 4)) return value;
  // Doubling keeps the copying linear in the final size; the fuel pays for it.
  if (!burn(used)) return noFuel();
  const grown = builder(tagOf(value), used << 1, shift);
  if (isError(grown)) return grown;
  const target = payloadOf(grown);
  store<u32>(target, used);
  memory.copy(target + 8, cell + 8, (<usize>used) << shift);
  return grown;
}
