/**
 * CEL `+ - * / %` and unary `-` (langdef, "Arithmetic Operators"): ints and uints with overflow checks, doubles
 * as IEEE 754 has them, joining of strings, bytes and lists, sums and differences of timestamps and durations.
 * Operands of different numeric types have no overload.
 */
import {
  ERROR_DIVISION_BY_ZERO,
  ERROR_MODULUS_BY_ZERO,
  ERROR_OVERFLOW,
  TAG_BYTES,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_LIST,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_UINT,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  doubleOf,
  fail,
  intOf,
  lengthOf,
  newList,
  NULL,
  ofBytes,
  ofDouble,
  ofDuration,
  ofInt,
  ofString,
  ofUint,
  ofZonedTimestamp,
  payloadOf,
  startOf,
  tagOf,
  timestampNanos,
  timestampOffset,
  timestampSeconds,
  uintOf,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";
import { TIMESTAMP_MAX, TIMESTAMP_MIN } from "./time-text";

const NANOSECONDS: i64 = 1_000_000_000;

/** CEL `left + right`. */
export function add(left: u64, right: u64): u64 {
  const tag = tagOf(left);
  const other = tagOf(right);
  if (tag != other) return addMixed(left, tag, right, other);
  if (tag == TAG_DOUBLE) return ofDouble(doubleOf(left) + doubleOf(right));
  if (tag == TAG_INT || tag == TAG_DURATION) return addWhole(intOf(left), intOf(right), tag);
  if (tag == TAG_STRING || tag == TAG_BYTES) return joinTexts(left, right, tag);
  if (tag == TAG_LIST) return joinLists(left, right);
  if (tag != TAG_UINT) return addMixed(left, tag, right, other);
  const sum = uintOf(left) + uintOf(right);
  return sum < uintOf(left) ? overflow() : ofUint(sum);
}

/** Operands of two kinds, or of kinds that cannot be added as they are. */
function addMixed(left: u64, tag: i32, right: u64, other: i32): u64 {
  if (tag == TAG_TIMESTAMP && other == TAG_DURATION) return shiftTime(left, intOf(right));
  if (tag == TAG_DURATION && other == TAG_TIMESTAMP) return shiftTime(right, intOf(left));
  const first = settle(left);
  const second = settle(right);
  if (tagOf(first) == TAG_LIST && tagOf(second) == TAG_LIST) return joinLists(first, second);
  return noOverload2(first, second);
}

/** CEL `left - right`. */
export function subtract(left: u64, right: u64): u64 {
  const tag = tagOf(left);
  const other = tagOf(right);
  if (tag == TAG_TIMESTAMP && other == TAG_DURATION) {
    const nanoseconds = intOf(right);
    return nanoseconds == i64.MIN_VALUE ? overflow() : shiftTime(left, -nanoseconds);
  }
  if (tag != other) return noOverload2(left, right);
  if (tag == TAG_DOUBLE) return ofDouble(doubleOf(left) - doubleOf(right));
  if (tag == TAG_INT || tag == TAG_DURATION) return subtractWhole(intOf(left), intOf(right), tag);
  if (tag == TAG_TIMESTAMP) return timeBetween(left, right);
  if (tag != TAG_UINT) return noOverload2(left, right);
  return uintOf(left) < uintOf(right) ? overflow() : ofUint(uintOf(left) - uintOf(right));
}

/** CEL `left * right`. */
export function multiply(left: u64, right: u64): u64 {
  const tag = tagOf(left);
  if (tag != tagOf(right)) return noOverload2(left, right);
  if (tag == TAG_DOUBLE) return ofDouble(doubleOf(left) * doubleOf(right));
  if (tag == TAG_UINT) {
    const factor = uintOf(left);
    const product = factor * uintOf(right);
    return factor != 0 && product / factor != uintOf(right) ? overflow() : ofUint(product);
  }
  if (tag != TAG_INT) return noOverload2(left, right);
  const factor = intOf(left);
  const other = intOf(right);
  // Dividing back finds every overflow but this one, and would trap on it.
  if (factor == -1) return other == i64.MIN_VALUE ? overflow() : ofInt(-other);
  const product = factor * other;
  return factor != 0 && product / factor != other ? overflow() : ofInt(product);
}

/** CEL `left / right`; ints round toward zero. */
export function divide(left: u64, right: u64): u64 {
  const tag = tagOf(left);
  if (tag != tagOf(right)) return noOverload2(left, right);
  if (tag == TAG_DOUBLE) return ofDouble(doubleOf(left) / doubleOf(right));
  if (tag != TAG_INT && tag != TAG_UINT) return noOverload2(left, right);
  if (uintOf(right) == 0) return fail(ERROR_DIVISION_BY_ZERO, NULL);
  if (tag == TAG_UINT) return ofUint(uintOf(left) / uintOf(right));
  if (intOf(right) == -1) return intOf(left) == i64.MIN_VALUE ? overflow() : ofInt(-intOf(left));
  return ofInt(intOf(left) / intOf(right));
}

/** CEL `left % right`, for ints and uints; the result has the sign of `left`. */
export function modulo(left: u64, right: u64): u64 {
  const tag = tagOf(left);
  if (tag != tagOf(right) || (tag != TAG_INT && tag != TAG_UINT)) return noOverload2(left, right);
  if (uintOf(right) == 0) return fail(ERROR_MODULUS_BY_ZERO, NULL);
  if (tag == TAG_UINT) return ofUint(uintOf(left) % uintOf(right));
  if (intOf(right) == -1) return intOf(left) == i64.MIN_VALUE ? overflow() : ofInt(0);
  return ofInt(intOf(left) % intOf(right));
}

/** CEL `-value`, for ints, doubles and durations. */
export function negate(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) return ofDouble(-doubleOf(value));
  if (tag != TAG_INT && tag != TAG_DURATION) return noOverload1(value);
  return subtractWhole(0, intOf(value), tag);
}

function overflow(): u64 {
  return fail(ERROR_OVERFLOW, NULL);
}

function ofWhole(value: i64, tag: i32): u64 {
  return tag == TAG_INT ? ofInt(value) : ofDuration(value);
}

function addWhole(left: i64, right: i64, tag: i32): u64 {
  const sum = left + right;
  // Overflow: both operands have the sign that the sum has not.
  return ((left ^ sum) & (right ^ sum)) < 0 ? overflow() : ofWhole(sum, tag);
}

function subtractWhole(left: i64, right: i64, tag: i32): u64 {
  const difference = left - right;
  return ((left ^ right) & (left ^ difference)) < 0 ? overflow() : ofWhole(difference, tag);
}

/** A timestamp `nanoseconds` later, in the same zone; years 1 to 9999 only. */
function shiftTime(timestamp: u64, nanoseconds: i64): u64 {
  let seconds = timestampSeconds(timestamp) + nanoseconds / NANOSECONDS;
  let nanos = <i64>timestampNanos(timestamp) + (nanoseconds % NANOSECONDS);
  if (nanos < 0) {
    nanos += NANOSECONDS;
    seconds -= 1;
  } else if (nanos >= NANOSECONDS) {
    nanos -= NANOSECONDS;
    seconds += 1;
  }
  if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX) return overflow();
  return ofZonedTimestamp(seconds, <u32>nanos, timestampOffset(timestamp));
}

/** The duration from `right` to `left`, if a duration can hold it. */
function timeBetween(left: u64, right: u64): u64 {
  const seconds = timestampSeconds(left) - timestampSeconds(right);
  const limit = i64.MAX_VALUE / NANOSECONDS;
  if (seconds > limit || seconds < -limit) return overflow();
  const nanos = <i64>timestampNanos(left) - <i64>timestampNanos(right);
  return addWhole(seconds * NANOSECONDS, nanos, TAG_DURATION);
}

function joinTexts(left: u64, right: u64, tag: i32): u64 {
  const leftLength = lengthOf(left);
  const rightLength = lengthOf(right);
  if (leftLength == 0) return right;
  if (rightLength == 0) return left;
  const length: usize = <usize>leftLength + rightLength;
  if (!burn(1 + (<u32>length >> 4))) return noFuel();
  if (!fits(length)) return noMemory();
  const start = allocate(length);
  memory.copy(start, startOf(left), leftLength);
  memory.copy(start + leftLength, startOf(right), rightLength);
  return tag == TAG_STRING ? ofString(start, <u32>length) : ofBytes(start, <u32>length);
}

function joinLists(left: u64, right: u64): u64 {
  const leftCount = countOf(left);
  const rightCount = countOf(right);
  if (leftCount == 0) return right;
  if (rightCount == 0) return left;
  const count = leftCount + rightCount;
  if (!burn(count)) return noFuel();
  if (!fits(8 + ((<usize>count) << 3))) return noMemory();
  const list = newList(count);
  const items = payloadOf(list) + 8;
  memory.copy(items, payloadOf(left) + 8, (<usize>leftCount) << 3);
  memory.copy(items + ((<usize>leftCount) << 3), payloadOf(right) + 8, (<usize>rightCount) << 3);
  return list;
}
