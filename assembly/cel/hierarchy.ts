/**
 * Cerbos hierarchies: paths such as `a.b.c`, held as the list of their parts. A hierarchy value is a list cell of
 * strings under TAG_HIERARCHY:
 *
 *   | u32 count | u32 zero | u64 part (TAG_STRING) ... |
 *
 * All relations are strict: a node is neither ancestor nor child of itself; it is its own sibling, and it
 * overlaps itself.
 */
import {
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_HIERARCHY,
  TAG_INT,
  TAG_LIST,
  TAG_STRING,
} from "../abi";
import { fits } from "../memory/arena";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  box,
  countOf,
  fail,
  FALSE,
  intOf,
  isError,
  itemAt,
  lengthOf,
  newList,
  NULL,
  ofBool,
  ofInt,
  payloadOf,
  startOf,
  tagOf,
  TRUE,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";
import { splitText } from "./text-search";

const NO_LIMIT: u32 = 0xffff_ffff;
/** The delimiter of `hierarchy(string)`, one byte long. */
const DOT: usize = memory.data<u8>([0x2e]);

/** Cerbos `hierarchy(string)`, split at dots, or `hierarchy(list of strings)`. */
export function hierarchy1(value: u64): u64 {
  if (tagOf(value) == TAG_STRING)
    return asHierarchy(splitText(startOf(value), lengthOf(value), DOT, 1, NO_LIMIT));
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  if (!burn(1 + count)) return noFuel();
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (isError(item)) return item;
    if (tagOf(item) != TAG_STRING) return fail(ERROR_NO_SUCH_OVERLOAD, NULL);
  }
  return asHierarchy(list);
}

/** Cerbos `hierarchy(string, delimiter)`; the empty delimiter splits between code points. */
export function hierarchy2(value: u64, delimiter: u64): u64 {
  if (tagOf(value) != TAG_STRING || tagOf(delimiter) != TAG_STRING) return noOverload2(value, delimiter);
  return asHierarchy(
    splitText(startOf(value), lengthOf(value), startOf(delimiter), lengthOf(delimiter), NO_LIMIT),
  );
}

/** A list of strings as a hierarchy; anything else (an error) as it is. */
function asHierarchy(list: u64): u64 {
  return tagOf(list) == TAG_LIST ? box(TAG_HIERARCHY, payloadOf(list)) : list;
}

/** `size()` of a hierarchy. */
export function hierarchySize(hierarchy: u64): u64 {
  return tagOf(hierarchy) == TAG_HIERARCHY ? ofInt(countOf(hierarchy)) : noOverload1(hierarchy);
}

/** `hierarchy[index]`; only ints are indices. */
export function hierarchyAt(hierarchy: u64, index: u64): u64 {
  if (tagOf(hierarchy) != TAG_HIERARCHY || tagOf(index) != TAG_INT) return noOverload2(hierarchy, index);
  const position = intOf(index);
  if (position < 0 || position >= <i64>countOf(hierarchy)) return fail(ERROR_INDEX_OUT_OF_RANGE, index);
  return itemAt(hierarchy, <u32>position);
}

/** `==` of two hierarchies. */
export function hierarchyEquals(left: u64, right: u64): u64 {
  if (!areHierarchies(left, right)) return noOverload2(left, right);
  return countOf(left) == countOf(right) ? haveCommonStart(left, right, countOf(left)) : FALSE;
}

function areHierarchies(left: u64, right: u64): bool {
  return tagOf(left) == TAG_HIERARCHY && tagOf(right) == TAG_HIERARCHY;
}

/** Number of parts that both begin with, at most `limit`; -1 when the fuel runs out. */
function commonParts(left: u64, right: u64, limit: u32): i64 {
  for (let index: u32 = 0; index < limit; index++) {
    const first = itemAt(left, index);
    const second = itemAt(right, index);
    const length = lengthOf(first);
    if (!burn(1 + (length >> 4))) return -1;
    if (length != lengthOf(second) || !equalBytes(startOf(first), startOf(second), length)) return index;
  }
  return limit;
}

/** Whether the first `count` parts are the same; both have that many. */
function haveCommonStart(left: u64, right: u64, count: u32): u64 {
  const common = commonParts(left, right, count);
  return common < 0 ? noFuel() : ofBool(common == <i64>count);
}

export function ancestorOf(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  return countOf(other) > countOf(hierarchy) ? haveCommonStart(hierarchy, other, countOf(hierarchy)) : FALSE;
}

export function descendentOf(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  return ancestorOf(other, hierarchy);
}

export function immediateParentOf(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  return countOf(other) == countOf(hierarchy) + 1
    ? haveCommonStart(hierarchy, other, countOf(hierarchy))
    : FALSE;
}

export function immediateChildOf(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  return immediateParentOf(other, hierarchy);
}

/** Equally long, and the same but for the last part. */
export function siblingOf(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  const count = countOf(hierarchy);
  if (count != countOf(other)) return FALSE;
  return count == 0 ? TRUE : haveCommonStart(hierarchy, other, count - 1);
}

/** One is the other, or an ancestor of it. */
export function overlaps(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  const shorter = countOf(hierarchy) < countOf(other) ? countOf(hierarchy) : countOf(other);
  return haveCommonStart(hierarchy, other, shorter);
}

/** The parts that both begin with; of equally long hierarchies without the last part. */
export function commonAncestors(hierarchy: u64, other: u64): u64 {
  if (!areHierarchies(hierarchy, other)) return noOverload2(hierarchy, other);
  const count = countOf(hierarchy);
  const otherCount = countOf(other);
  // Cerbos fails on two empty hierarchies, too.
  if (count == 0 && otherCount == 0) return fail(ERROR_INDEX_OUT_OF_RANGE, NULL);
  const limit = count == otherCount ? count - 1 : count < otherCount ? count : otherCount;
  const common = commonParts(hierarchy, other, limit);
  if (common < 0) return noFuel();
  const parts = <u32>common;
  if (!fits(8 + ((<usize>parts) << 3))) return noMemory();
  const list = newList(parts);
  memory.copy(payloadOf(list) + 8, payloadOf(hierarchy) + 8, (<usize>parts) << 3);
  return asHierarchy(list);
}
