/**
 * CEL `<`, `<=`, `>`, `>=` (langdef, "Ordering Operators"): numbers by value across types, strings by code
 * point, bytes, bools (false first), timestamps and durations; any other pair is "no such overload". A
 * comparison with NaN is false, whatever stands on the other side.
 */
import {
  TAG_BOOL,
  TAG_BYTES,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TIMESTAMP,
} from "../abi";
import { compareBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import {
  doubleOf,
  intOf,
  isError,
  lengthOf,
  ofBool,
  payloadOf,
  startOf,
  tagOf,
  timestampNanos,
  timestampSeconds,
} from "../value/value";
import { noFuel, noOverload2 } from "./failure";
import { compareNumbers, isNumeric, UNORDERED } from "./numeric";
import { domainLength, domainStart, readDomain, VALID } from "./spiffe-id";

export { UNORDERED } from "./numeric";

/** The two values have no order: different kinds, or kinds without an order. */
export const INCOMPARABLE: i32 = 3;
/** The fuel ran out. */
export const ORDER_STOPPED: i32 = 4;

export function less(left: u64, right: u64): u64 {
  const order = compareValues(left, right);
  return order <= UNORDERED ? ofBool(order == -1) : refused(order, left, right);
}

export function lessEquals(left: u64, right: u64): u64 {
  const order = compareValues(left, right);
  return order <= UNORDERED ? ofBool(order <= 0) : refused(order, left, right);
}

export function greater(left: u64, right: u64): u64 {
  const order = compareValues(left, right);
  return order <= UNORDERED ? ofBool(order == 1) : refused(order, left, right);
}

export function greaterEquals(left: u64, right: u64): u64 {
  const order = compareValues(left, right);
  return order <= UNORDERED ? ofBool(order == 0 || order == 1) : refused(order, left, right);
}

function refused(order: i32, left: u64, right: u64): u64 {
  return order == ORDER_STOPPED ? noFuel() : noOverload2(left, right);
}

/** The order of two values: -1, 0 or 1; else UNORDERED (a NaN), INCOMPARABLE or ORDER_STOPPED. */
export function compareValues(left: u64, right: u64): i32 {
  const tag = tagOf(left);
  const other = tagOf(right);
  if (isNumeric(tag) && isNumeric(other)) return compareNumbers(left, tag, right, other);
  // As in Cerbos NaN is looked for before the types are.
  if (tag == TAG_DOUBLE && doubleOf(left) != doubleOf(left)) return isError(right) ? INCOMPARABLE : UNORDERED;
  if (other == TAG_DOUBLE && doubleOf(right) != doubleOf(right) && hasOrder(tag)) return UNORDERED;
  if (tag == TAG_SPIFFE_TRUST_DOMAIN) return compareDomains(left, right, other);
  if (tag != other) return INCOMPARABLE;
  if (tag == TAG_STRING || tag == TAG_BYTES) return compareTexts(left, right);
  if (tag == TAG_BOOL) return compareWhole(<i64>payloadOf(left), <i64>payloadOf(right));
  if (tag == TAG_DURATION) return compareWhole(intOf(left), intOf(right));
  if (tag != TAG_TIMESTAMP) return INCOMPARABLE;
  const order = compareWhole(timestampSeconds(left), timestampSeconds(right));
  return order != 0 ? order : compareWhole(timestampNanos(left), timestampNanos(right));
}

/** Whether values of this tag are compared with values of their own kind. */
function hasOrder(tag: i32): bool {
  if (tag == TAG_STRING || tag == TAG_BYTES || tag == TAG_BOOL) return true;
  return tag == TAG_DURATION || tag == TAG_TIMESTAMP || tag == TAG_SPIFFE_TRUST_DOMAIN;
}

/** Cerbos orders trust domains backwards; the right one may be a string that names one. */
function compareDomains(left: u64, right: u64, other: i32): i32 {
  if (other == TAG_SPIFFE_TRUST_DOMAIN) return compareTexts(right, left);
  if (other != TAG_STRING) return INCOMPARABLE;
  if (!burn(1 + (lengthOf(right) >> 3))) return ORDER_STOPPED;
  if (readDomain(startOf(right), lengthOf(right)) != VALID) return INCOMPARABLE;
  const difference = compareBytes(domainStart, domainLength, startOf(left), lengthOf(left));
  return difference < 0 ? -1 : difference > 0 ? 1 : 0;
}

function compareWhole(left: i64, right: i64): i32 {
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareTexts(left: u64, right: u64): i32 {
  const leftLength = lengthOf(left);
  const rightLength = lengthOf(right);
  if (!burn(1 + (min(leftLength, rightLength) >> 4))) return ORDER_STOPPED;
  const difference = compareBytes(startOf(left), leftLength, startOf(right), rightLength);
  return difference < 0 ? -1 : difference > 0 ? 1 : 0;
}
