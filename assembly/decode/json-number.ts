/**
 * JSON numbers (RFC 8259, section 6) as doubles: the grammar, and the value of everything short. Long or extreme
 * numbers go to `parseDouble`, which rounds correctly at any length.
 *
 * Most numbers of requests have up to eight digits before the point and up to eight after it. Eight bytes are loaded
 * at once for each part, and the digits among them converted together, whatever their number.
 */
import { STATUS_NUMBER } from "../abi";
import { parseDouble } from "../value/parse-double";
import { refuse } from "./failure";
import { MINUS } from "./json-scan";

const DOT: u8 = 0x2e;
const PLUS: u8 = 0x2b;
const ZERO: u8 = 0x30;
const LETTER_E: u8 = 0x65;
const LOWER_CASE: u8 = 0x20;

/** Largest integer up to which all are exact doubles. */
const EXACT_MANTISSA: u64 = 1 << 53;
/** Powers of ten, exact as doubles. */
const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]);

/** Eight bytes of text as digits, expanded where they are used. */
export class Digits {
  /** How many of the eight bytes, from the first, are decimal digits. */
  @inline static leading(word: u64): usize {
    // The high bit of a byte is set in one of the two terms exactly if the byte is no digit (carries only go up, and
    // only from bytes that are none, so the first such byte is found right).
    const above = word + 0x4646_4646_4646_4646;
    const below = word - 0x3030_3030_3030_3030;
    return <usize>(ctz<u64>((above | below) & 0x8080_8080_8080_8080) >> 3);
  }

  /** The number that the first `count` (1 to 7) of them spell. */
  @inline static value(word: u64, count: usize): u64 {
    // Shifted up, the missing leading digits are zero bytes; then pairs, fours and eights are joined.
    const digits = (word << ((8 - <u64>count) << 3)) & 0x0f0f_0f0f_0f0f_0f0f;
    const pairs = (digits * 2561) >> 8;
    const fours = ((pairs & 0x00ff_00ff_00ff_00ff) * 6_553_601) >> 16;
    return ((fours & 0x0000_ffff_0000_ffff) * 42_949_672_960_001) >> 32;
  }

  /** Whether the number that begins with the first `count` of them is not an integer of 1 to 7 digits. */
  @inline static areLong(word: u64, count: usize): bool {
    const next = <u8>(word >> ((<u64>count) << 3));
    return (
      count - 1 >= 7 || (count > 1 && <u8>word == ZERO) || next == DOT || (next | LOWER_CASE) == LETTER_E
    );
  }
}

/** Value of the last number that `scanNumber` accepted. */
export let numberValue: f64 = 0;

/** The byte after the number at `at`, its value in `numberValue`; 0 when it is malformed or overflows. */
export function scanNumber(at: usize): usize {
  const start = at;
  const negative = load<u8>(at) == MINUS;
  if (negative) at += 1;
  const word = load<u64>(at);
  const digits = Digits.leading(word);
  // Eight digits or more, none at all, and zeros before other digits take the long way.
  if (digits - 1 >= 7 || (digits > 1 && load<u8>(at) == ZERO)) return scanLongNumber(start);
  at += digits;
  const whole = Digits.value(word, digits);
  const next = load<u8>(at);
  if (next == DOT) return scanFraction(start, at + 1, whole, negative);
  if ((next | LOWER_CASE) == LETTER_E) return scanLongNumber(start);
  numberValue = negative ? -(<f64>whole) : <f64>whole;
  return at;
}

/** The digits after a point, up to seven of them and no exponent. */
function scanFraction(start: usize, at: usize, whole: u64, negative: bool): usize {
  const word = load<u64>(at);
  const digits = Digits.leading(word);
  if (digits - 1 >= 7 || (load<u8>(at + digits) | LOWER_CASE) == LETTER_E) return scanLongNumber(start);
  const power = load<f64>(POWERS + (digits << 3));
  // At most 14 digits: the mantissa and the power of ten are exact, so the one division rounds correctly.
  const value = <f64>(whole * <u64>power + Digits.value(word, digits)) / power;
  numberValue = negative ? -value : value;
  return at + digits;
}

/** Any number: checks the grammar byte by byte and leaves the value to `parseDouble`. */
function scanLongNumber(start: usize): usize {
  let at = load<u8>(start) == MINUS ? start + 1 : start;
  let mantissa: u64 = 0;
  const whole = at;
  at = skipDigits(at);
  if (at == whole || (load<u8>(whole) == ZERO && at != whole + 1))
    return refuse(STATUS_NUMBER, at == whole ? at : whole + 1);
  let integer = true;
  if (load<u8>(at) == DOT) {
    integer = false;
    const fraction = at + 1;
    at = skipDigits(fraction);
    if (at == fraction) return refuse(STATUS_NUMBER, at);
  }
  if ((load<u8>(at) | LOWER_CASE) == LETTER_E) {
    integer = false;
    const sign = load<u8>(at + 1);
    const exponent = sign == PLUS || sign == MINUS ? at + 2 : at + 1;
    at = skipDigits(exponent);
    if (at == exponent) return refuse(STATUS_NUMBER, at);
  }
  if (integer && at - whole <= 16) {
    for (let digit = whole; digit < at; digit++) mantissa = mantissa * 10 + <u64>(load<u8>(digit) - ZERO);
    if (mantissa <= EXACT_MANTISSA) {
      numberValue = whole == start ? <f64>mantissa : -(<f64>mantissa);
      return at;
    }
  }
  const value = parseDouble(start, <u32>(at - start));
  if (!isFinite<f64>(value)) return refuse(STATUS_NUMBER, start);
  numberValue = value;
  return at;
}

function skipDigits(at: usize): usize {
  while (<u32>load<u8>(at) - 0x30 <= 9) at += 1;
  return at;
}
