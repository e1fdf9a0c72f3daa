/**
 * Lists as sets: CEL's sets extension and Cerbos's `except`, `intersect`, `hasIntersection` and `isSubset`. All
 * use CEL equality, so 1, 1u and 1.0 are the same element. Results keep the order and the repetitions of the
 * list they are taken from.
 */
import { TAG_LIST } from "../abi";
import { allocate, exhausted, fits } from "../memory/arena";
import { settle } from "../value/raw";
import { box, countOf, isError, itemAt, ofBool, tagOf, TRUE } from "../value/value";
import { noFuel, noMemory, noOverload2 } from "./failure";
import { findItem, LOOKUP_STOPPED, PRESENT, scanItems, SCAN_LIMIT, setOf } from "./value-set";

/** What a pass over a list looks for. */
const ANY_PRESENT: i32 = 0;
const ALL_PRESENT: i32 = 1;

// What a function of this file does with its two lists.
const EXCEPT: i32 = 0;
const INTERSECT: i32 = 1;
const INTERSECTS: i32 = 2;
const SUBSET: i32 = 3;
const EQUIVALENT: i32 = 4;

/** Work is at most this many comparisons when the second list is scanned for each item of the first. */
const SCAN_PRODUCT: u64 = 32;

/** The table over a list that is worth one for `lookups` look-ups; 0 when it is to be scanned. */
let lookupTable: usize = 0;

/** Prepares `lookUp` in `list`; false when arena or fuel is used up. */
function prepare(list: u64, lookups: u32): bool {
  const count = countOf(list);
  lookupTable = 0;
  if (count <= SCAN_LIMIT || <u64>count * lookups <= SCAN_PRODUCT) return true;
  lookupTable = setOf(list);
  return lookupTable != 0;
}

function lookUp(list: u64, value: u64): i32 {
  return lookupTable == 0 ? scanItems(list, value) : findItem(lookupTable, value);
}

/** The failure behind a `prepare` or look-up that did not succeed. */
function stopped(): u64 {
  return exhausted ? noMemory() : noFuel();
}

/** The items of `list` whose presence in `other` is `wanted`. */
function select(list: u64, other: u64, wanted: bool): u64 {
  const count = countOf(list);
  if (!prepare(other, count)) return stopped();
  const size = 8 + ((<usize>count) << 3);
  if (!fits(size)) return noMemory();
  const cell = allocate(size);
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    const found = lookUp(other, item);
    if (found == LOOKUP_STOPPED) return stopped();
    if ((found == PRESENT) != wanted) continue;
    store<u64>(cell + 8 + ((<usize>kept) << 3), item);
    kept++;
  }
  store<u32>(cell, kept);
  store<u32>(cell, 0, 4);
  return box(TAG_LIST, cell);
}

/** Whether any (all) items of `list` are in `other`. */
function test(list: u64, other: u64, quantifier: i32): u64 {
  const count = countOf(list);
  if (!prepare(other, count)) return stopped();
  for (let index: u32 = 0; index < count; index++) {
    const found = lookUp(other, itemAt(list, index));
    if (found == LOOKUP_STOPPED) return stopped();
    if ((found == PRESENT) == (quantifier == ANY_PRESENT)) return ofBool(quantifier == ANY_PRESENT);
  }
  return ofBool(quantifier == ALL_PRESENT);
}

/** What `operation` answers for two lists. */
function apply(operation: i32, first: u64, second: u64): u64 {
  const left = settle(first);
  const right = settle(second);
  if (tagOf(left) != TAG_LIST || tagOf(right) != TAG_LIST) return noOverload2(left, right);
  const firstIsLonger = countOf(left) > countOf(right);
  if (operation == EXCEPT) return select(left, right, false);
  if (operation == INTERSECT) return firstIsLonger ? select(right, left, true) : select(left, right, true);
  // The table goes over the shorter list: it is the one that has to be held.
  if (operation == INTERSECTS) {
    // Of equally long lists it is the second, because equality of SPIFFE values has a direction.
    const firstIsShorter = countOf(left) < countOf(right);
    return firstIsShorter ? test(right, left, ANY_PRESENT) : test(left, right, ANY_PRESENT);
  }
  const contained = test(left, right, ALL_PRESENT);
  return operation == EQUIVALENT && contained == TRUE ? test(right, left, ALL_PRESENT) : contained;
}

/** Cerbos `except`: the items of `list` that are not in `other`. */
export function except(list: u64, other: u64): u64 {
  return apply(EXCEPT, list, other);
}

/** Cerbos `intersect`: the items of the shorter list (the first, if equally long) that are in the longer one. */
export function intersect(left: u64, right: u64): u64 {
  return apply(INTERSECT, left, right);
}

/** Cerbos `hasIntersection`. */
export function hasIntersection(left: u64, right: u64): u64 {
  return apply(INTERSECTS, left, right);
}

/** Cerbos `isSubset`: whether all items of `list` are in `other`. */
export function isSubset(list: u64, other: u64): u64 {
  return apply(SUBSET, list, other);
}

/** CEL `sets.contains(list, sublist)`: whether all items of `sublist` are in `list`. */
export function setsContains(list: u64, sublist: u64): u64 {
  // Of two failing arguments the first one counts, whichever way round they are used.
  const settled = settle(list);
  return isError(settled) ? settled : apply(SUBSET, sublist, settled);
}

/** CEL `sets.equivalent`: each contains the other. */
export function setsEquivalent(left: u64, right: u64): u64 {
  return apply(EQUIVALENT, left, right);
}

/** CEL `sets.intersects`. */
export function setsIntersects(left: u64, right: u64): u64 {
  return apply(INTERSECTS, left, right);
}
