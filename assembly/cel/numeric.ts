/**
 * Comparing int, uint and double with each other exactly, without going through double (2^53 + 1 is not 2^53).
 * CEL langdef, "Numeric Values". Which kinds may be compared at all is decided in equality.ts and order.ts.
 */
import { TAG_DOUBLE, TAG_INT, TAG_UINT } from "../abi";
import { doubleOf, intOf, uintOf } from "../value/value";

/** One of the numbers is NaN. */
export const UNORDERED: i32 = 2;

const TWO_TO_63: f64 = 9.223372036854775808e18;
const TWO_TO_64: f64 = 1.8446744073709551616e19;

/** Whether `tag` is int, uint or double. */
export function isNumeric(tag: i32): bool {
  return tag == TAG_DOUBLE || tag == TAG_INT || tag == TAG_UINT;
}

/** The order of two numbers, given with their tags: -1, 0, 1 or UNORDERED. */
export function compareNumbers(left: u64, leftTag: i32, right: u64, rightTag: i32): i32 {
  if (leftTag == TAG_DOUBLE) {
    if (rightTag == TAG_DOUBLE) return compareDoubles(doubleOf(left), doubleOf(right));
    return opposite(compareToDouble(right, rightTag, doubleOf(left)));
  }
  if (rightTag == TAG_DOUBLE) return compareToDouble(left, leftTag, doubleOf(right));
  // A negative int is below every uint; all else orders like unsigned numbers.
  const leftNegative = leftTag == TAG_INT && intOf(left) < 0;
  const rightNegative = rightTag == TAG_INT && intOf(right) < 0;
  if (leftNegative != rightNegative) return leftNegative ? -1 : 1;
  const first = uintOf(left);
  const second = uintOf(right);
  return first < second ? -1 : first > second ? 1 : 0;
}

function compareDoubles(left: f64, right: f64): i32 {
  return left < right ? -1 : left > right ? 1 : left == right ? 0 : UNORDERED;
}

function opposite(order: i32): i32 {
  return order == UNORDERED ? UNORDERED : -order;
}

/** The order of an int or uint and a double: by the whole part, then by what is left of the double. */
function compareToDouble(whole: u64, tag: i32, double: f64): i32 {
  if (double != double) return UNORDERED;
  const floor = Math.floor(double);
  const rest = floor < double ? -1 : 0;
  if (tag == TAG_INT) {
    if (floor >= TWO_TO_63) return -1;
    if (floor < -TWO_TO_63) return 1;
    const signed = intOf(whole);
    const other = <i64>floor;
    return signed < other ? -1 : signed > other ? 1 : rest;
  }
  if (floor >= TWO_TO_64) return -1;
  if (floor < 0) return 1;
  const unsigned = uintOf(whole);
  const other = <u64>floor;
  return unsigned < other ? -1 : unsigned > other ? 1 : rest;
}
