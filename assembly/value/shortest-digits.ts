/**
 * Double to the shortest decimal that reads back as the same double, the nearest one where several are equally
 * short: what Go and JavaScript print. Gives digits and a power of ten; number-text.ts lays them out.
 *
 * The method is Schubfach (Raffaello Giulietti, "The Schubfach way to render doubles"): scale the double and
 * both ends of its rounding interval by one power of ten, rounded to odd, and look for the multiple of 10, else
 * of 1, inside the interval. The table's powers are rounded down and the method wants them rounded up, hence
 * `nextUp` below.
 */
import { POWERS_OF_TEN, POWER_EXACT_MAX, POWER_MIN } from "./powers-of-ten";
import { bit, multiplyHigh } from "./wide";

const FRACTION_BITS: u64 = 0x000f_ffff_ffff_ffff;
const HIDDEN_BIT: u64 = 0x0010_0000_0000_0000;

/** Result of `findShortest`: the number is shortestDigits * 10^shortestPower, without trailing zeros. */
export let shortestDigits: u64 = 0;
export let shortestPower: i32 = 0;

/** Sets `shortestDigits` and `shortestPower` for a finite double greater than 0. */
export function findShortest(value: f64): void {
  const bits = reinterpret<u64>(value);
  const fraction = bits & FRACTION_BITS;
  const biased = <i32>((bits >> 52) & 0x7ff);
  const significand = biased == 0 ? fraction : fraction | HIDDEN_BIT;
  const exponent = (biased == 0 ? 1 : biased) - 1075;
  if (exponent <= 0 && exponent > -53) {
    const whole = significand >> -exponent;
    if (whole << -exponent == significand) {
      setShortest(whole, 0);
      return;
    }
  }
  // Below a power of two the neighbours are half as far apart, except at the smallest normal number.
  const narrow = fraction == 0 && biased > 1;
  searchInterval(significand, exponent, narrow);
}

function searchInterval(significand: u64, exponent: i32, narrow: bool): void {
  // floor(log10 of the interval's width): 1262611 / 2^22 is log10(2), 524031 / 2^22 is log10(4 / 3).
  const power = (exponent * 1262611 - (narrow ? 524031 : 0)) >> 22;
  const shift = exponent + ((-power * 1741647) >> 19) + 1;
  const entry = POWERS_OF_TEN + ((<usize>(-power - POWER_MIN)) << 4);
  const nextUp: u64 = power > 0 || power < -POWER_EXACT_MAX ? 1 : 0;
  const low = load<u64>(entry, 8) + nextUp;
  const high = load<u64>(entry) + bit(low < nextUp);

  const center = significand << 2;
  const odd = significand & 1;
  const lower = roundToOdd(high, low, (center - (narrow ? 1 : 2)) << shift) + odd;
  const middle = roundToOdd(high, low, center << shift);
  const upper = roundToOdd(high, low, (center + 2) << shift) - odd;

  const ones = middle >> 2;
  if (ones >= 10) {
    const tens = ones / 10;
    const below = lower <= 40 * tens;
    const above = 40 * tens + 40 <= upper;
    if (below != above) {
      setShortest(tens + bit(above), power + 1);
      return;
    }
  }
  const belowOne = lower <= ones << 2;
  const aboveOne = (ones << 2) + 4 <= upper;
  if (belowOne != aboveOne) {
    setShortest(ones + bit(aboveOne), power);
    return;
  }
  const half = (ones << 2) + 2;
  const up = middle > half || (middle == half && (ones & 1) != 0);
  setShortest(ones + bit(up), power);
}

/** The upper 64 bits of (high:low * factor) / 2^64, its last bit set when anything was cut off. */
function roundToOdd(high: u64, low: u64, factor: u64): u64 {
  const carry = multiplyHigh(low, factor);
  const middle = high * factor + carry;
  const top = multiplyHigh(high, factor) + bit(middle < carry);
  return top | bit(middle > 1);
}

function setShortest(digits: u64, power: i32): void {
  let rest = digits;
  let zeros = 0;
  while (rest != 0 && rest % 10 == 0) {
    rest /= 10;
    zeros += 1;
  }
  shortestDigits = rest;
  shortestPower = power + zeros;
}
