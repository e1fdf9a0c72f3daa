/**
 * CEL `==` and `!=` (langdef, "Equality"): numbers by value across types, lists item by item, maps by key, NaN
 * equal to nothing, other values of different kinds unequal. Strict: an operand that is an error is the result.
 *
 * As in Cerbos, hierarchies, SPIFFE IDs and trust domains on the left do not let themselves be compared with other kinds (null
 * excepted): `==` is an error then and `!=` true, and such a pair inside lists and maps does not make them unequal. A
 * SPIFFE ID or trust domain on the left is equal to strings that name it; on the right, to none. No matcher equals anything.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_BOOL,
  TAG_BYTES,
  TAG_CIDR,
  TAG_DURATION,
  TAG_HIERARCHY,
  TAG_IP,
  TAG_LIST,
  TAG_MAP,
  TAG_MESSAGE,
  TAG_NULL,
  TAG_OPTIONAL,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_MATCHER,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_TYPE,
} from "../abi";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  fail,
  intOf,
  isError,
  isStringValue,
  itemAt,
  keyAt,
  lengthOf,
  NULL,
  ofBool,
  OPTIONAL_NONE,
  payloadOf,
  startOf,
  tagOf,
  timestampNanos,
  timestampSeconds,
  TRUE,
  valueAt,
} from "../value/value";
import { noFuel } from "./failure";
import { ENTRY_STOPPED, findKey, matches } from "./map-keys";
import { isSet, messageType } from "./messages";
import { sameNetworkValue } from "./network";
import { compareNumbers, isNumeric } from "./numeric";
import { domainLength, domainStart, readDomain, VALID } from "./spiffe-id";

// Answers of `sameValues`; the negative ones say that the question could not be decided.
export const DIFFERENT: i32 = 0;
export const SAME: i32 = 1;
/** The fuel ran out. */
export const SAME_STOPPED: i32 = -1;
/** Nested deeper than `MAX_NESTING`. */
export const SAME_TOO_DEEP: i32 = -2;
/** The left value does not let itself be compared with the right one. */
export const SAME_NO_OVERLOAD: i32 = -3;

/**
 * Deepest nesting that is compared. Requests are at most 64 deep (MAX_DEPTH); only values that policies build
 * could be deeper. The bound keeps the recursion far from the end of the host's stack.
 */
const MAX_NESTING: i32 = 256;
/** Texts shorter than this are compared for the one unit that every comparison costs. */
const LONG_TEXT: u32 = 64;

/** CEL `left == right`. */
export function equals(left: u64, right: u64): u64 {
  return answer(left, right, SAME);
}

/** CEL `left != right`. */
export function notEquals(left: u64, right: u64): u64 {
  return answer(left, right, DIFFERENT);
}

function answer(left: u64, right: u64, wanted: i32): u64 {
  // What policies compare most. Strings are settled, and no error.
  if (isStringValue(left) && isStringValue(right)) {
    const texts = burn(1) ? compareTexts(left, right) : SAME_STOPPED;
    return texts >= 0 ? ofBool(texts == wanted) : undecided(texts);
  }
  const first = settle(left);
  if (isError(first)) return first;
  const second = settle(right);
  if (isError(second)) return second;
  const same = compare(first, second, 0);
  if (same == SAME_NO_OVERLOAD && wanted == DIFFERENT) return TRUE;
  return same >= 0 ? ofBool(same == wanted) : undecided(same);
}

/** The error for a negative answer of `sameValues`. */
export function undecided(same: i32): u64 {
  if (same == SAME_STOPPED) return noFuel();
  return fail(same == SAME_TOO_DEEP ? ERROR_BAD_ARGUMENT : ERROR_NO_SUCH_OVERLOAD, NULL);
}

/** Whether two settled values that are not errors are equal: SAME, DIFFERENT, or a negative SAME_*. */
export function sameValues(left: u64, right: u64): i32 {
  return compare(left, right, 0);
}

function compare(left: u64, right: u64, depth: i32): i32 {
  if (!burn(1)) return SAME_STOPPED;
  const tag = tagOf(left);
  const other = tagOf(right);
  if (tag != other) {
    if (isNumeric(tag) && isNumeric(other)) return ofTruth(compareNumbers(left, tag, right, other) == 0);
    return compareOwn(left, tag, right, other);
  }
  if (tag == TAG_STRING || tag == TAG_BYTES || tag == TAG_TYPE) return compareTexts(left, right);
  if (tag == TAG_SPIFFE_ID || tag == TAG_SPIFFE_TRUST_DOMAIN) return compareTexts(left, right);
  if (tag == TAG_SPIFFE_MATCHER) return DIFFERENT;
  if (isNumeric(tag)) return ofTruth(compareNumbers(left, tag, right, tag) == 0);
  if (tag == TAG_BOOL || tag == TAG_NULL) return ofTruth(left == right);
  if (tag == TAG_DURATION) return ofTruth(intOf(left) == intOf(right));
  if (tag == TAG_TIMESTAMP) {
    const sameSecond = timestampSeconds(left) == timestampSeconds(right);
    return ofTruth(sameSecond && timestampNanos(left) == timestampNanos(right));
  }
  if (tag == TAG_IP || tag == TAG_CIDR) return ofTruth(sameNetworkValue(left, right));
  if (depth >= MAX_NESTING) return SAME_TOO_DEEP;
  if (tag == TAG_LIST || tag == TAG_HIERARCHY) return compareLists(left, right, depth + 1);
  if (tag == TAG_MAP) return compareMaps(left, right, depth + 1);
  if (tag == TAG_MESSAGE) return compareMessages(left, right, depth + 1);
  if (tag == TAG_OPTIONAL) {
    if (left == OPTIONAL_NONE || right == OPTIONAL_NONE) return ofTruth(left == right);
    return compare(load<u64>(payloadOf(left)), load<u64>(payloadOf(right)), depth + 1);
  }
  return ofTruth(left == right);
}

/** Compares values of different kinds, which only Cerbos's own types can make more of than DIFFERENT. */
function compareOwn(left: u64, tag: i32, right: u64, other: i32): i32 {
  const isSpiffe = tag == TAG_SPIFFE_ID || tag == TAG_SPIFFE_TRUST_DOMAIN;
  if (!(isSpiffe || tag == TAG_HIERARCHY) || other == TAG_NULL) return DIFFERENT;
  if (!isSpiffe || other != TAG_STRING) return SAME_NO_OVERLOAD;
  // A valid ID has one spelling.
  if (tag == TAG_SPIFFE_ID) return compareTexts(left, right);
  if (!burn(lengthOf(right) >> 3)) return SAME_STOPPED;
  if (readDomain(startOf(right), lengthOf(right)) != VALID || domainLength != lengthOf(left))
    return DIFFERENT;
  return ofTruth(equalBytes(startOf(left), domainStart, domainLength));
}

function ofTruth(same: bool): i32 {
  return same ? SAME : DIFFERENT;
}

function compareTexts(left: u64, right: u64): i32 {
  const length = lengthOf(left);
  if (length != lengthOf(right)) return DIFFERENT;
  if (length >= LONG_TEXT && !burn(length >> 4)) return SAME_STOPPED;
  return ofTruth(equalBytes(startOf(left), startOf(right), length));
}

function compareLists(left: u64, right: u64, depth: i32): i32 {
  const count = countOf(left);
  if (count != countOf(right)) return DIFFERENT;
  for (let index: u32 = 0; index < count; index++) {
    const same = compare(itemAt(left, index), itemAt(right, index), depth);
    if (same != SAME && same != SAME_NO_OVERLOAD) return same;
  }
  return SAME;
}

function compareMessages(left: u64, right: u64, depth: i32): i32 {
  if (messageType(left) != messageType(right)) return DIFFERENT;
  const count = countOf(left);
  for (let index: u32 = 0; index < count; index++) {
    const value = valueAt(left, index);
    const other = valueAt(right, index);
    if (isSet(value) != isSet(other)) return DIFFERENT;
    const same = compare(value, other, depth);
    if (same != SAME) return same;
  }
  return SAME;
}

function compareMaps(left: u64, right: u64, depth: i32): i32 {
  const count = countOf(left);
  if (count != countOf(right)) return DIFFERENT;
  for (let index: u32 = 0; index < count; index++) {
    const key = keyAt(left, index);
    // Most equal maps have their keys in the same order, so the same place is looked at first.
    let found = <i32>index;
    if (!matches(keyAt(right, index), key, tagOf(key), false)) found = findKey(right, key);
    if (found < 0) return found == ENTRY_STOPPED ? SAME_STOPPED : DIFFERENT;
    const same = compare(valueAt(left, index), valueAt(right, <u32>found), depth);
    if (same != SAME && same != SAME_NO_OVERLOAD) return same;
  }
  return SAME;
}
