/**
 * Doubles with a fixed number of digits, as Go's `%.Nf` and `%.Ne` print them: the exact decimal expansion of the
 * double, rounded half to even at the last digit. Shortest digits are in plain-double.ts.
 *
 * A finite double is significand * 2^exponent. Its whole part has at most 309 digits, its fraction at most 1074;
 * both are computed by big-number arithmetic over u32 words in static memory and written out in full:
 *
 *   words    | u32 ... |                     the number being divided or multiplied, least significant first
 *   digits   | '0' | whole part | fraction |  ASCII; the leading '0' takes the carry of rounding
 */

/** 1074 bits of fraction, or 1024 of whole part; the memory has four words more, for whole stores at the top. */
const WORD_COUNT: u32 = 36;
/** Digits of the largest whole part. */
const WHOLE_DIGITS: usize = 309;
/** Most digits after the point that anyone may ask for. */
export const MAX_PRECISION: i32 = 100;
/** Room for a formatted double: sign, 310 digits, point and precision. */
export const FIXED_SIZE: usize = 512;

/** Nine decimal digits come off the big number at a time. */
const CHUNK: u64 = 1_000_000_000;
const CHUNK_DIGITS: usize = 9;

const words: usize = memory.data(160);
/** 1 + 309 + 1074 digits, rounded up to whole chunks. */
const digits: usize = memory.data(1408);

let wholeStart: usize = 0;
let pointAt: usize = 0;
let digitsEnd: usize = 0;

function word(index: u32): usize {
  return words + ((<usize>index) << 2);
}

/** Sets the big number to `significand << shift`, shift >= 0 and all in range. */
function setWords(significand: u64, shift: u32): void {
  memory.fill(words, 0, WORD_COUNT << 2);
  const first = shift >> 5;
  const bits = shift & 31;
  const low = significand << bits;
  store<u64>(word(first), low);
  if (bits != 0) store<u32>(word(first + 2), <u32>(significand >> (64 - bits)));
}

/** Divides the big number by CHUNK; answers the rest. `used` words hold it. */
function divideWords(used: u32): u32 {
  let rest: u64 = 0;
  for (let index = used; index > 0; index--) {
    const at = word(index - 1);
    const value = (rest << 32) | <u64>load<u32>(at);
    store<u32>(at, <u32>(value / CHUNK));
    rest = value % CHUNK;
  }
  return <u32>rest;
}

/** Multiplies the big number by CHUNK; answers what leaves its top. */
function multiplyWords(): u32 {
  let carry: u64 = 0;
  for (let index: u32 = 0; index < WORD_COUNT; index++) {
    const at = word(index);
    const value = <u64>load<u32>(at) * CHUNK + carry;
    store<u32>(at, <u32>value);
    carry = value >> 32;
  }
  return <u32>carry;
}

/** Writes nine digits at `at`. */
function writeChunk(value: u32, at: usize): void {
  let rest = value;
  for (let place = CHUNK_DIGITS; place > 0; place--) {
    store<u8>(at + place - 1, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
}

function wordsAreZero(): bool {
  for (let index: u32 = 0; index < WORD_COUNT; index += 2) {
    if (load<u64>(word(index)) != 0) return false;
  }
  return true;
}

/** Writes the digits of the big number, at most 1024 bits of it, to end at `pointAt`; sets `wholeStart`. */
function writeWhole(): void {
  let at = pointAt;
  let used = WORD_COUNT;
  while (!wordsAreZero()) {
    while (used > 1 && load<u32>(word(used - 1)) == 0) used--;
    at -= CHUNK_DIGITS;
    writeChunk(divideWords(used), at);
  }
  while (at < pointAt && load<u8>(at) == 0x30) at++;
  wholeStart = at;
}

/** Expands |value| completely into `digits`. */
function expand(value: f64): void {
  const bits = reinterpret<u64>(value);
  const fraction = bits & 0x000f_ffff_ffff_ffff;
  const biased = <i32>((bits >> 52) & 0x7ff);
  const significand = biased == 0 ? fraction : fraction | 0x0010_0000_0000_0000;
  const exponent = (biased == 0 ? 1 : biased) - 1075;
  // One more than needed for rounding up, and a chunk may write up to eight zeros in front.
  pointAt = digits + 1 + WHOLE_DIGITS + CHUNK_DIGITS;
  digitsEnd = pointAt;
  if (exponent >= 0) {
    setWords(significand, exponent);
    writeWhole();
    return;
  }
  const places = <u32>-exponent;
  setWords(places < 64 ? significand >> places : 0, 0);
  writeWhole();
  // The fraction, with its binary point at the top of the big number.
  const below = places < 64 ? significand & (((<u64>1) << places) - 1) : significand;
  setWords(below, (WORD_COUNT << 5) - places);
  while (!wordsAreZero()) {
    writeChunk(multiplyWords(), digitsEnd);
    digitsEnd += CHUNK_DIGITS;
  }
}

/** The digit at `at` as a number, 0 outside the expansion. */
function digitAt(at: usize): u32 {
  return at >= wholeStart && at < digitsEnd ? <u32>load<u8>(at) - 0x30 : 0;
}

/** Whether cutting the expansion in front of `at` rounds up: more than half, or half and an odd digit before. */
function roundsUp(at: usize): bool {
  const first = digitAt(at);
  if (first != 5) return first > 5;
  for (let next = at + 1; next < digitsEnd; next++) {
    if (load<u8>(next) != 0x30) return true;
  }
  return (digitAt(at - 1) & 1) == 1;
}

/** Cuts the expansion in front of `at` and rounds; a carry may move `wholeStart` one digit to the left. */
function roundAt(at: usize): void {
  const up = roundsUp(at);
  // What is not written yet: zeros up to the cut, on either side.
  while (digitsEnd < at) store<u8>(digitsEnd++, 0x30);
  digitsEnd = at;
  if (!up) return;
  let place = at;
  while (place > wholeStart) {
    place--;
    const digit = load<u8>(place);
    if (digit != 0x39) {
      store<u8>(place, digit + 1);
      return;
    }
    store<u8>(place, 0x30);
  }
  wholeStart--;
  store<u8>(wholeStart, 0x31);
}

/** Writes the sign of `value`; answers the end. */
function writeSign(value: f64, out: usize): usize {
  if (reinterpret<i64>(value) >= 0) return out;
  store<u8>(out, 0x2d);
  return out + 1;
}

/** Writes `count` digits from `from`, zeros where the expansion has ended; answers the end. */
function copyDigits(from: usize, count: i32, out: usize): usize {
  for (let index = 0; index < count; index++) store<u8>(out + index, <u8>(0x30 + digitAt(from + index)));
  return out + count;
}

/** Writes a finite double with `precision` digits after the point, like `%.Nf`; answers the number of bytes. */
export function writeFixedDouble(value: f64, precision: i32, out: usize): u32 {
  let at = writeSign(value, out);
  expand(value);
  roundAt(pointAt + precision);
  if (wholeStart == pointAt) {
    store<u8>(at++, 0x30);
  } else {
    at = copyDigits(wholeStart, <i32>(pointAt - wholeStart), at);
  }
  if (precision > 0) {
    store<u8>(at, 0x2e);
    at = copyDigits(pointAt, precision, at + 1);
  }
  return <u32>(at - out);
}

/** Writes a finite double as `d.ddde+xx` with `precision` digits after the point, like `%.Ne`. */
export function writeScientificDouble(value: f64, precision: i32, out: usize): u32 {
  let at = writeSign(value, out);
  expand(value);
  let first = wholeStart;
  if (value != 0) {
    while (first < digitsEnd && load<u8>(first) == 0x30) first++;
    // Digits in front of the first one that counts must be out of the way of a carry.
    wholeStart = first;
    roundAt(first + 1 + precision);
    first = wholeStart;
  }
  const exponent = value == 0 ? 0 : <i32>pointAt - <i32>first - 1;
  at = copyDigits(first, 1, at);
  if (precision > 0) {
    store<u8>(at, 0x2e);
    at = copyDigits(first + 1, precision, at + 1);
  }
  store<u8>(at, 0x65);
  store<u8>(at, exponent < 0 ? 0x2d : 0x2b, 1);
  at += 2;
  const size = <u32>abs(exponent);
  if (size >= 100) store<u8>(at++, <u8>(0x30 + size / 100));
  store<u8>(at, <u8>(0x30 + ((size / 10) % 10)));
  store<u8>(at, <u8>(0x30 + (size % 10)), 1);
  return <u32>(at + 2 - out);
}
