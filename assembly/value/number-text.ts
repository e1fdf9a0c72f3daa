/**
 * Numbers as text, written to memory the caller provides: integers, and doubles in the two layouts that Cerbos
 * prints (Go's `%g` for CEL `string()`, and the JSON form). Reading doubles is in parse-double.ts, re-exported
 * here. Allocates nothing.
 */
import { findShortest, shortestDigits, shortestPower } from "./shortest-digits";

export { parseDouble, parseStatus, NUMBER_OK, NUMBER_RANGE, NUMBER_SYNTAX } from "./parse-double";

/** Room that every function here needs at most, in bytes. */
export const NUMBER_TEXT_SIZE: usize = 40;

/** From this decimal exponent on, Go's `%g` uses the exponent form for shortest digits. */
const GO_LARGE: i32 = 6;
/** Below this decimal exponent `%g` uses the exponent form. */
const GO_SMALL: i32 = -4;
/** The same two limits of the JSON form. */
const JSON_LARGE: i32 = 21;
const JSON_SMALL: i32 = -6;

/** Writes `value` in decimal at `out`; answers the number of bytes. */
export function writeUint(value: u64, out: usize): u32 {
  const length = countDigits(value);
  writeDigits(value, length, out);
  return length;
}

/** Writes `value` in decimal at `out`, with a minus sign if needed; answers the number of bytes. */
export function writeInt(value: i64, out: usize): u32 {
  if (value >= 0) return writeUint(<u64>value, out);
  store<u8>(out, 0x2d);
  return writeUint(0 - <u64>value, out + 1) + 1;
}

/** Writes `value` as Go prints it with `%g` (`1`, `0.5`, `1e+21`, `NaN`, `+Inf`); answers the number of bytes. */
export function writeDoubleGo(value: f64, out: usize): u32 {
  if (value != value) return writeWord(out, 0x004e614e, 3);
  if (value == Infinity) return writeWord(out, 0x666e492b, 4);
  if (value == -Infinity) return writeWord(out, 0x666e492d, 4);
  return writeFinite(value, out, GO_SMALL, GO_LARGE, 2);
}

/**
 * Writes `value` as Cerbos's JSON has it: plain for 1e-6 <= |value| < 1e21, else like `1e+21`, `1e-7`. NaN and
 * the infinities become the strings `"NaN"`, `"Infinity"`, `"-Infinity"`, quotes included. Answers the number of bytes.
 */
export function writeDoubleJson(value: f64, out: usize): u32 {
  if (value != value) {
    store<u8>(out, 0x22);
    writeWord(out + 1, 0x224e614e, 4);
    return 5;
  }
  if (value == Infinity || value == -Infinity) return writeInfinityJson(value < 0, out);
  return writeFinite(value, out, JSON_SMALL, JSON_LARGE, 1);
}

function writeInfinityJson(negative: bool, out: usize): u32 {
  store<u8>(out, 0x22);
  let at = out + 1;
  if (negative) store<u8>(at++, 0x2d);
  store<u32>(at, 0x69666e49);
  store<u32>(at, 0x7974696e, 4);
  store<u8>(at, 0x22, 8);
  return <u32>(at + 9 - out);
}

/** Writes the lowest `length` bytes of `word`; `out` has room for 4. */
function writeWord(out: usize, word: u32, length: u32): u32 {
  store<u32>(out, word);
  return length;
}

/** `exponentDigits`: the least number of digits of a negative exponent (positive ones always get two). */
function writeFinite(value: f64, out: usize, small: i32, large: i32, exponentDigits: u32): u32 {
  let at = out;
  if (reinterpret<i64>(value) < 0) store<u8>(at++, 0x2d);
  const magnitude = abs(value);
  if (magnitude == 0) {
    store<u8>(at, 0x30);
    return <u32>(at + 1 - out);
  }
  findShortest(magnitude);
  const digits = shortestDigits;
  const length = countDigits(digits);
  // Number of digits before the decimal point.
  const point = shortestPower + <i32>length;
  if (point - 1 < small || point - 1 >= large) {
    return <u32>(writeExponent(digits, length, point - 1, at, exponentDigits) - out);
  }
  return <u32>(writePlain(digits, length, point, at) - out);
}

/** Writes d.ddde+xx; answers the end. */
function writeExponent(digits: u64, length: u32, exponent: i32, out: usize, exponentDigits: u32): usize {
  // The digits go one place to the right, then the first moves in front of the point.
  writeDigits(digits, length, out + 1);
  store<u8>(out, load<u8>(out + 1));
  let at = out + 1;
  if (length > 1) {
    store<u8>(at, 0x2e);
    at = out + 1 + length;
  }
  store<u8>(at, 0x65);
  store<u8>(at, exponent < 0 ? 0x2d : 0x2b, 1);
  at += 2;
  const size = <u32>abs(exponent);
  if (size < 10 && (exponent > 0 || exponentDigits > 1)) store<u8>(at++, 0x30);
  return at + writeUint(size, at);
}

/** Writes ddd.ddd, 0.00ddd or ddd00; `point` is the number of digits before the point. Answers the end. */
function writePlain(digits: u64, length: u32, point: i32, out: usize): usize {
  if (point <= 0) {
    const zeros = <usize>-point;
    store<u16>(out, 0x2e30);
    memory.fill(out + 2, 0x30, zeros);
    writeDigits(digits, length, out + 2 + zeros);
    return out + 2 + zeros + length;
  }
  const whole = <u32>point;
  if (whole >= length) {
    writeDigits(digits, length, out);
    memory.fill(out + length, 0x30, whole - length);
    return out + whole;
  }
  writeDigits(digits, length, out + 1);
  memory.copy(out, out + 1, whole);
  store<u8>(out + whole, 0x2e);
  return out + length + 1;
}

function countDigits(value: u64): u32 {
  let count: u32 = 1;
  let rest = value;
  while (rest >= 10000) {
    rest /= 10000;
    count += 4;
  }
  if (rest >= 1000) return count + 3;
  if (rest >= 100) return count + 2;
  return rest >= 10 ? count + 1 : count;
}

/** Writes exactly `length` digits of `value`, which has that many. */
function writeDigits(value: u64, length: u32, out: usize): void {
  let at = out + length;
  let rest = value;
  do {
    const next = rest / 10;
    store<u8>(--at, <u8>(0x30 + (rest - next * 10)));
    rest = next;
  } while (at > out);
}
