/**
 * Decimal text to double, correctly rounded (to nearest, ties to even) for every input. Accepts exactly
 *
 *   [+-] digits [. digits] [(e|E) [+-] digits]       with at least one digit before the exponent, "1." and ".5" included
 *
 * and no blanks, so a caller with a narrower grammar (JSON) checks its own syntax first. Names ("NaN", "Inf"),
 * hexadecimal numbers and underscores are not read here.
 */
import { bit, multiplyHigh } from "./wide";
import { compareWithMiddle } from "./big-compare";
import { POWERS_OF_TEN, POWER_MAX, POWER_MIN } from "./powers-of-ten";

/** The text is a number, and a double is near enough (underflow to 0 counts as near enough). */
export const NUMBER_OK: i32 = 0;
/** The text is not a number. */
export const NUMBER_SYNTAX: i32 = 1;
/** The number is beyond the largest double; the result is an infinity. */
export const NUMBER_RANGE: i32 = 2;

/** Digits that surely fit a u64. */
const MAX_DIGITS: u32 = 19;
/** Exponents stop counting here: far outside a double, and no overflow of an i64 sum with any text length. */
const EXPONENT_CAP: i64 = 1000000000;
const INFINITY_BITS: u64 = 0x7ff0_0000_0000_0000;

/** 10^0 .. 10^22: the powers that are exact doubles. */
const EXACT_POWERS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  1e20, 1e21, 1e22,
]);

let status: i32 = NUMBER_OK;

/** How the last `parseDouble` went: NUMBER_OK, NUMBER_SYNTAX (result 0) or NUMBER_RANGE. */
export function parseStatus(): i32 {
  return status;
}

/** The double nearest to the `length` bytes at `start`; `parseStatus()` says whether they are a number. */
export function parseDouble(start: usize, length: u32): f64 {
  const end = start + length;
  let at = start;
  let negative = false;
  if (at < end && (load<u8>(at) == 0x2d || load<u8>(at) == 0x2b)) {
    negative = load<u8>(at) == 0x2d;
    at += 1;
  }
  const first = at;
  let digits: u64 = 0;
  let count: u32 = 0;
  let power: i64 = 0;
  let anyDigit = false;
  let anyPoint = false;
  let cut = false;
  while (at < end) {
    const byte = <u32>load<u8>(at);
    const digit = byte - 0x30;
    if (digit <= 9) {
      anyDigit = true;
      if (count < MAX_DIGITS) {
        digits = digits * 10 + digit;
        if (digits != 0) count += 1;
        if (anyPoint) power -= 1;
      } else {
        if (digit != 0) cut = true;
        if (!anyPoint) power += 1;
      }
    } else if (byte == 0x2e && !anyPoint) {
      anyPoint = true;
    } else {
      break;
    }
    at += 1;
  }
  if (!anyDigit) return notANumber();
  if (at < end) {
    const exponent = parseExponent(at, end);
    if (status != NUMBER_OK) return 0;
    power += exponent;
  }
  status = NUMBER_OK;
  const magnitude = digits == 0 ? 0 : toDouble(digits, count, power, cut, first, end);
  return negative ? -magnitude : magnitude;
}

function notANumber(): f64 {
  status = NUMBER_SYNTAX;
  return 0;
}

/** The exponent part `at` .. `end`, all of it; sets `status`. */
function parseExponent(from: usize, end: usize): i64 {
  let at = from;
  status = NUMBER_SYNTAX;
  if ((load<u8>(at) | 0x20) != 0x65) return 0;
  at += 1;
  let negative = false;
  if (at < end && (load<u8>(at) == 0x2d || load<u8>(at) == 0x2b)) {
    negative = load<u8>(at) == 0x2d;
    at += 1;
  }
  if (at >= end) return 0;
  let exponent: i64 = 0;
  while (at < end) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return 0;
    if (exponent < EXPONENT_CAP) exponent = exponent * 10 + <i64>digit;
    at += 1;
  }
  status = NUMBER_OK;
  return negative ? -exponent : exponent;
}

/**
 * The double nearest to digits * 10^power, where `cut` says that more digits follow in the text `first` .. `end`.
 *
 * The product of the digits with the 128-bit power is the number rounded down, off by less than a known bound.
 * Unless the rounding boundary lies inside that bound, the product decides; otherwise exact integers do.
 */
function toDouble(digits: u64, count: u32, power: i64, cut: bool, first: usize, end: usize): f64 {
  if (!cut && digits <= 0x20_0000_0000_0000 && power >= -22 && power <= 22) {
    const whole = <f64>digits;
    if (power < 0) return whole / load<f64>(EXACT_POWERS + ((<usize>-power) << 3));
    return whole * load<f64>(EXACT_POWERS + ((<usize>power) << 3));
  }
  if (power < POWER_MIN) return 0;
  if (power > POWER_MAX) return beyond();
  const ten = <i32>power;
  const entry = POWERS_OF_TEN + ((<usize>(ten - POWER_MIN)) << 4);
  const powerHigh = load<u64>(entry);
  const powerLow = load<u64>(entry, 8);
  const zeros = <i32>clz(digits);
  const scaled = digits << zeros;
  let middle = scaled * powerHigh;
  let high = multiplyHigh(scaled, powerHigh);
  const carry = multiplyHigh(scaled, powerLow);
  middle += carry;
  if (middle < carry) high += 1;

  // 1741647 / 2^19 is log2(10), close enough to be exact after flooring in this range of powers.
  const top = <i32>(high >> 63) + 62;
  const exponent = top + 1 + ((ten * 1741647) >> 19) - zeros;
  return round(high, middle, exponent, cut, <i32>(power + <i64>count - 1), first, end);
}

/**
 * Rounds the number whose leading 128 bits are high:middle and whose top bit stands for 2^exponent. `firstPower`
 * is the power of ten of its first digit in the text `first` .. `end`.
 */
function round(
  high: u64,
  middle: u64,
  exponent: i32,
  cut: bool,
  firstPower: i32,
  first: usize,
  end: usize,
): f64 {
  if (exponent > 1023) return beyond();
  const normal = exponent >= -1022;
  const shift = <i32>(high >> 63) + 10 + (normal ? 0 : -1022 - exponent);
  if (shift > 65) return 0;
  if (shift == 65) {
    // Rounded down it is just under half of the smallest double; the cut-off digits may lift it above.
    return compareWithMiddle(first, end, firstPower, 0, -1074) > 0 ? reinterpret<f64>(<u64>1) : 0;
  }
  const mantissa: u64 = shift == 64 ? 0 : high >> shift;
  const half: u64 = (<u64>1) << (shift - 1);
  const rest: u64 = shift == 64 ? high : high & (half + half - 1);

  // The true rest is at least rest:middle, and less than that plus 2 units of `middle`, or plus 17 units of `high`
  // when digits were cut (the digits' error of 1, scaled by at most 2^4, times a power below 2^128).
  let up = rest >= half;
  const near = cut ? half - rest <= 17 : half - rest == 1 && middle >= <u64>-2;
  if (rest < half ? near : rest == half && middle == 0) {
    const unit = (normal ? exponent : -1022) - 52;
    const side = compareWithMiddle(first, end, firstPower, mantissa, unit);
    up = side > 0 || (side == 0 && (mantissa & 1) != 0);
  }
  // A carry out of the mantissa raises the exponent, which is what the next double is.
  const base: u64 = normal ? ((<u64>(exponent + 1022)) << 52) + mantissa : mantissa;
  const bits = base + bit(up);
  if (bits >= INFINITY_BITS) return beyond();
  return reinterpret<f64>(bits);
}

function beyond(): f64 {
  status = NUMBER_RANGE;
  return Infinity;
}
