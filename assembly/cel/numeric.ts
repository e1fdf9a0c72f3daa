/**
 * Comparing int, uint and double with each other (CEL langdef, "Numeric Values"). Ints and uints compare exactly. An
 * int or uint compares with a double as the double nearest to it, as in Cerbos and in the conformance suite: numbers
 * of requests are doubles, so a policy's 9007199254740993 can still be met. Which kinds may be compared at all is
 * decided in equality.ts and order.ts; map keys are looked up without rounding, in map-keys.ts.
 */
import { TAG_DOUBLE, TAG_INT, TAG_UINT } from "../abi";
import { doubleOf, intOf, uintOf } from "../value/value";

/** One of the numbers is NaN. */
export const UNORDERED: i32 = 2;

/** Whether `tag` is int, uint or double. */
export function isNumeric(tag: i32): bool {
  return tag == TAG_DOUBLE || tag == TAG_INT || tag == TAG_UINT;
}

/** The order of two numbers, given with their tags: -1, 0, 1 or UNORDERED. */
export function compareNumbers(left: u64, leftTag: i32, right: u64, rightTag: i32): i32 {
  if (leftTag == TAG_DOUBLE || rightTag == TAG_DOUBLE) {
    return compareDoubles(nearestDouble(left, leftTag), nearestDouble(right, rightTag));
  }
  // A negative int is below every uint; all else orders like unsigned numbers.
  const leftNegative = leftTag == TAG_INT && intOf(left) < 0;
  const rightNegative = rightTag == TAG_INT && intOf(right) < 0;
  if (leftNegative != rightNegative) return leftNegative ? -1 : 1;
  const first = uintOf(left);
  const second = uintOf(right);
  return first < second ? -1 : first > second ? 1 : 0;
}

function nearestDouble(value: u64, tag: i32): f64 {
  if (tag == TAG_DOUBLE) return doubleOf(value);
  return tag == TAG_INT ? <f64>intOf(value) : <f64>uintOf(value);
}

function compareDoubles(left: f64, right: f64): i32 {
  return left < right ? -1 : left > right ? 1 : left == right ? 0 : UNORDERED;
}
