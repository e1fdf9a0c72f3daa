/**
 * CEL's math extension (cel-go `ext.Math`): greatest and least, rounding, signs, bits. The arithmetic operators
 * are in arithmetic.ts.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_NO_SUCH_OVERLOAD,
  ERROR_OVERFLOW,
  TAG_DOUBLE,
  TAG_INT,
  TAG_LIST,
  TAG_UINT,
} from "../abi";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  doubleOf,
  fail,
  intOf,
  isError,
  itemAt,
  NULL,
  ofBool,
  ofDouble,
  ofInt,
  ofUint,
  tagOf,
  uintOf,
} from "../value/value";
import { noFuel, noOverload1, noOverload2 } from "./failure";
import { compareNumbers, isNumeric, UNORDERED } from "./numeric";

/** Above this magnitude every double is an integer: 2^52. */
const WHOLE_DOUBLES: f64 = 4503599627370496;

/** The extreme of a list in `direction` (1: greatest, -1: least); of equal numbers the first. */
function extreme(argument: u64, direction: i32): u64 {
  if (isNumeric(tagOf(argument))) return argument;
  const values = settle(argument);
  if (tagOf(values) != TAG_LIST) return noOverload1(values);
  const count = countOf(values);
  if (count == 0) return fail(ERROR_BAD_ARGUMENT, NULL);
  if (!burn(count)) return noFuel();
  let best = itemAt(values, 0);
  if (!isNumeric(tagOf(best))) return noOverload1(best);
  for (let index: u32 = 1; index < count; index++) {
    const item = itemAt(values, index);
    if (isError(item)) return item;
    if (!isNumeric(tagOf(item))) return fail(ERROR_NO_SUCH_OVERLOAD, NULL);
    const order = compareNumbers(item, tagOf(item), best, tagOf(best));
    if (order == UNORDERED) return fail(ERROR_BAD_ARGUMENT, NULL);
    if (order == direction) best = item;
  }
  return best;
}

/** CEL `math.greatest`: takes the list of its arguments, or its one argument (a number, or a list of them). */
export function mathGreatest(values: u64): u64 {
  return extreme(values, 1);
}

/** CEL `math.least`; arguments as for `mathGreatest`. */
export function mathLeast(values: u64): u64 {
  return extreme(values, -1);
}

export function mathCeil(value: u64): u64 {
  return tagOf(value) == TAG_DOUBLE ? ofDouble(ceil(doubleOf(value))) : noOverload1(value);
}

export function mathFloor(value: u64): u64 {
  return tagOf(value) == TAG_DOUBLE ? ofDouble(floor(doubleOf(value))) : noOverload1(value);
}

export function mathTrunc(value: u64): u64 {
  return tagOf(value) == TAG_DOUBLE ? ofDouble(trunc(doubleOf(value))) : noOverload1(value);
}

/** Half away from zero. */
export function mathRound(value: u64): u64 {
  if (tagOf(value) != TAG_DOUBLE) return noOverload1(value);
  const number = doubleOf(value);
  const size = abs(number);
  if (!(size < WHOLE_DOUBLES)) return value;
  const whole = floor(size);
  // The subtraction is exact here, unlike `floor(size + 0.5)`, which is wrong just below one half.
  return ofDouble(copysign(size - whole >= 0.5 ? whole + 1 : whole, number));
}

export function mathAbs(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) return ofDouble(abs(doubleOf(value)));
  if (tag == TAG_UINT) return value;
  if (tag != TAG_INT) return noOverload1(value);
  const number = intOf(value);
  if (number == i64.MIN_VALUE) return fail(ERROR_OVERFLOW, NULL);
  return number < 0 ? ofInt(-number) : value;
}

/** -1, 0 or 1 of the argument's own type; NaN stays NaN. */
export function mathSign(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) {
    const number = doubleOf(value);
    if (number != number) return value;
    return ofDouble(number > 0 ? 1 : number < 0 ? -1 : 0);
  }
  if (tag == TAG_UINT) return ofUint(uintOf(value) == 0 ? 0 : 1);
  if (tag != TAG_INT) return noOverload1(value);
  const number = intOf(value);
  return ofInt(number > 0 ? 1 : number < 0 ? -1 : 0);
}

export function mathIsNaN(value: u64): u64 {
  return tagOf(value) == TAG_DOUBLE ? ofBool(isNaN(doubleOf(value))) : noOverload1(value);
}

export function mathIsInf(value: u64): u64 {
  return tagOf(value) == TAG_DOUBLE ? ofBool(abs(doubleOf(value)) == Infinity) : noOverload1(value);
}

export function mathIsFinite(value: u64): u64 {
  return tagOf(value) == TAG_DOUBLE ? ofBool(isFinite(doubleOf(value))) : noOverload1(value);
}

/** The square root of a number of any kind, as a double. */
export function mathSqrt(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) return ofDouble(sqrt(doubleOf(value)));
  if (tag == TAG_INT) return ofDouble(sqrt(<f64>intOf(value)));
  return tag == TAG_UINT ? ofDouble(sqrt(<f64>uintOf(value))) : noOverload1(value);
}

/** Whether both are ints or both are uints. */
function sameIntegers(left: u64, right: u64): bool {
  const tag = tagOf(left);
  return (tag == TAG_INT || tag == TAG_UINT) && tagOf(right) == tag;
}

/** `bits` as an int or a uint, like `example`. */
function integerLike(example: u64, bits: u64): u64 {
  return tagOf(example) == TAG_UINT ? ofUint(bits) : ofInt(<i64>bits);
}

export function mathBitAnd(left: u64, right: u64): u64 {
  if (!sameIntegers(left, right)) return noOverload2(left, right);
  return integerLike(left, uintOf(left) & uintOf(right));
}

export function mathBitOr(left: u64, right: u64): u64 {
  if (!sameIntegers(left, right)) return noOverload2(left, right);
  return integerLike(left, uintOf(left) | uintOf(right));
}

export function mathBitXor(left: u64, right: u64): u64 {
  if (!sameIntegers(left, right)) return noOverload2(left, right);
  return integerLike(left, uintOf(left) ^ uintOf(right));
}

export function mathBitNot(value: u64): u64 {
  const tag = tagOf(value);
  return tag == TAG_INT || tag == TAG_UINT ? integerLike(value, ~uintOf(value)) : noOverload1(value);
}

/** Whether `value` is an integer and `offset` an int: the arguments of a shift. */
function isShift(value: u64, offset: u64): bool {
  const tag = tagOf(value);
  return (tag == TAG_INT || tag == TAG_UINT) && tagOf(offset) == TAG_INT;
}

/** Shifts of 64 and more give 0, negative ones are an error. */
export function mathBitShiftLeft(value: u64, offset: u64): u64 {
  if (!isShift(value, offset)) return noOverload2(value, offset);
  const places = intOf(offset);
  if (places < 0) return fail(ERROR_BAD_ARGUMENT, offset);
  return integerLike(value, places > 63 ? 0 : uintOf(value) << places);
}

/** A logical shift, for ints too: the sign bit moves like any other. */
export function mathBitShiftRight(value: u64, offset: u64): u64 {
  if (!isShift(value, offset)) return noOverload2(value, offset);
  const places = intOf(offset);
  if (places < 0) return fail(ERROR_BAD_ARGUMENT, offset);
  return integerLike(value, places > 63 ? 0 : uintOf(value) >> places);
}
