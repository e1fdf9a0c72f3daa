/**
 * Decides on which side of a rounding boundary a long decimal number lies, with exact integers. Only for the
 * few numbers that 128-bit arithmetic in parse-double.ts cannot place. It neither parses nor rounds.
 *
 * An integer is a fixed scratch cell, so the cost of one number is bounded whatever its length:
 *
 *   0 u32 count | 4 u32 limb[count], least significant first, no leading zero limbs; count 0 is zero
 */

/**
 * Digits that can matter: a boundary between two doubles has at most 767 significant digits; what follows only
 * says "a little more".
 */
const MAX_DIGITS: u32 = 769;
/** 770 digits and 2^1075 need less than 2,720 bits on either side: 85 limbs; the rest is slack. */
const MAX_LIMBS: u32 = 112;

const left: usize = memory.data(456, 8);
const right: usize = memory.data(456, 8);

/**
 * Compares the decimal digits at `at` .. `end` (digits and at most one point, anything else ends the number),
 * whose first significant digit stands for 10^firstPower, with (2 * mantissa + 1) * 2^(unit - 1), the middle
 * between two neighbouring doubles: negative, 0 or positive.
 */
export function compareWithMiddle(at: usize, end: usize, firstPower: i32, mantissa: u64, unit: i32): i32 {
  const digits = readDigits(at, end);
  const power = firstPower - (<i32>digits - 1);
  setNumber(right, 2 * mantissa + 1);
  let shift = unit - 1;
  if (power >= 0) {
    timesPowerOfFive(left, power);
    shift -= power;
  } else {
    timesPowerOfFive(right, -power);
    shift -= power;
  }
  if (shift >= 0) shiftLeft(right, shift);
  else shiftLeft(left, -shift);
  return compareNumbers();
}

/** Reads the significant digits into `left`; answers how many it read, a trailing "a little more" included. */
function readDigits(from: usize, end: usize): u32 {
  let at = from;
  store<u32>(left, 0);
  let count: u32 = 0;
  let more = false;
  let chunk: u32 = 0;
  let factor: u32 = 1;
  while (at < end) {
    const byte = <u32>load<u8>(at++);
    if (byte == 0x2e) continue;
    const digit = byte - 0x30;
    if (digit > 9) break;
    if (count == 0 && digit == 0) continue;
    if (count >= MAX_DIGITS) {
      if (digit != 0) more = true;
      continue;
    }
    count += 1;
    chunk = chunk * 10 + digit;
    factor *= 10;
    if (factor == 1000000000) {
      timesPlus(left, factor, chunk);
      chunk = 0;
      factor = 1;
    }
  }
  if (factor != 1) timesPlus(left, factor, chunk);
  if (more) {
    timesPlus(left, 10, 1);
    count += 1;
  }
  return count;
}

function setNumber(cell: usize, value: u64): void {
  const high = <u32>(value >> 32);
  store<u32>(cell, high != 0 ? 2 : value != 0 ? 1 : 0);
  store<u32>(cell, <u32>value, 4);
  store<u32>(cell, high, 8);
}

/** cell = cell * factor + carry. */
function timesPlus(cell: usize, factor: u32, plus: u32): void {
  const count = load<u32>(cell);
  let carry: u64 = plus;
  for (let index: u32 = 0; index < count; index++) {
    const limb = cell + 4 + ((<usize>index) << 2);
    carry += <u64>load<u32>(limb) * factor;
    store<u32>(limb, <u32>carry);
    carry >>= 32;
  }
  if (carry != 0 && count < MAX_LIMBS) {
    store<u32>(cell + 4 + ((<usize>count) << 2), <u32>carry);
    store<u32>(cell, count + 1);
  }
}

function timesPowerOfFive(cell: usize, power: i32): void {
  let rest = power;
  while (rest >= 13) {
    timesPlus(cell, 1220703125, 0);
    rest -= 13;
  }
  let factor: u32 = 1;
  while (rest > 0) {
    factor *= 5;
    rest -= 1;
  }
  timesPlus(cell, factor, 0);
}

function shiftLeft(cell: usize, bits: i32): void {
  if ((bits & 31) != 0) timesPlus(cell, (<u32>1) << (bits & 31), 0);
  const limbs: u32 = <u32>bits >> 5;
  const count = load<u32>(cell);
  if (limbs == 0 || count == 0 || count + limbs > MAX_LIMBS) return;
  memory.copy(cell + 4 + ((<usize>limbs) << 2), cell + 4, (<usize>count) << 2);
  memory.fill(cell + 4, 0, (<usize>limbs) << 2);
  store<u32>(cell, count + limbs);
}

function compareNumbers(): i32 {
  const leftCount = load<u32>(left);
  const rightCount = load<u32>(right);
  if (leftCount != rightCount) return leftCount < rightCount ? -1 : 1;
  for (let index = leftCount; index > 0; index--) {
    const leftLimb = load<u32>(left + ((<usize>index) << 2));
    const rightLimb = load<u32>(right + ((<usize>index) << 2));
    if (leftLimb != rightLimb) return leftLimb < rightLimb ? -1 : 1;
  }
  return 0;
}
