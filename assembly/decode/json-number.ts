/**
 * JSON numbers (RFC 8259, section 6) as doubles: the grammar, and the value of everything short. Long or extreme
 * numbers go to `parseDouble`, which rounds correctly at any length.
 */
import { STATUS_NUMBER } from "../abi";
import { parseDouble } from "../value/parse-double";
import { refuse } from "./failure";
import { MINUS } from "./json-scan";

const DOT: u8 = 0x2e;
const PLUS: u8 = 0x2b;

/** Largest mantissa that every double arithmetic step below keeps exact. */
const EXACT_MANTISSA: u64 = 1 << 53;
/** Digits that always fit a u64. */
const SAFE_DIGITS: usize = 19;
/** Powers of ten up to here are exact doubles. */
const EXACT_POWER: i32 = 22;
const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  1e20, 1e21, 1e22,
]);
/** Exponents beyond this say nothing new; the counter stops here so that it cannot overflow. */
const EXPONENT_CAP: i32 = 1_000_000;

/** Value of the last number that `scanNumber` accepted. */
export let numberValue: f64 = 0;

/** The byte after the number at `at`, its value in `numberValue`; 0 when it is malformed or overflows. */
export function scanNumber(at: usize): usize {
  const start = at;
  const negative = load<u8>(at) == MINUS;
  if (negative) at += 1;
  let mantissa: u64 = 0;
  const whole = at;
  let digit = digitAt(at);
  if (digit > 9) return refuse(STATUS_NUMBER, at);
  if (digit == 0) {
    at += 1;
    if (digitAt(at) <= 9) return refuse(STATUS_NUMBER, at);
  } else {
    do {
      mantissa = mantissa * 10 + digit;
      at += 1;
      digit = digitAt(at);
    } while (digit <= 9);
  }
  let digits = at - whole;
  let exponent: i32 = 0;
  if (load<u8>(at) == DOT) {
    at += 1;
    const fraction = at;
    digit = digitAt(at);
    if (digit > 9) return refuse(STATUS_NUMBER, at);
    do {
      mantissa = mantissa * 10 + digit;
      at += 1;
      digit = digitAt(at);
    } while (digit <= 9);
    digits += at - fraction;
    exponent = -(<i32>(at - fraction));
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    at += 1;
    const sign = load<u8>(at);
    if (sign == PLUS || sign == MINUS) at += 1;
    digit = digitAt(at);
    if (digit > 9) return refuse(STATUS_NUMBER, at);
    let written: i32 = 0;
    do {
      if (written < EXPONENT_CAP) written = written * 10 + <i32>digit;
      at += 1;
      digit = digitAt(at);
    } while (digit <= 9);
    exponent += sign == MINUS ? -written : written;
  }
  if (
    digits <= SAFE_DIGITS &&
    mantissa <= EXACT_MANTISSA &&
    exponent >= -EXACT_POWER &&
    exponent <= EXACT_POWER
  ) {
    const value = scale(<f64>mantissa, exponent);
    numberValue = negative ? -value : value;
    return at;
  }
  const value = parseDouble(start, <u32>(at - start));
  if (!isFinite<f64>(value)) return refuse(STATUS_NUMBER, start);
  numberValue = value;
  return at;
}

function digitAt(at: usize): u32 {
  return <u32>load<u8>(at) - 0x30;
}

function scale(value: f64, exponent: i32): f64 {
  if (exponent == 0) return value;
  if (exponent < 0) return value / load<f64>(POWERS + ((<usize>-exponent) << 3));
  return value * load<f64>(POWERS + ((<usize>exponent) << 3));
}
