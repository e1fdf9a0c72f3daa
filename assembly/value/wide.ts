/**
 * 64 x 64 -> 128 bit multiplication from 32-bit halves. Pure arithmetic; knows nothing of values.
 */

/** 1 for true, 0 for false. */
export function bit(condition: bool): u64 {
  return condition ? 1 : 0;
}

/** The upper 64 bits of left * right; the lower 64 are what `left * right` gives. */
export function multiplyHigh(left: u64, right: u64): u64 {
  const leftLow = left & 0xffffffff;
  const leftHigh = left >> 32;
  const rightLow = right & 0xffffffff;
  const rightHigh = right >> 32;
  const cross = leftHigh * rightLow + ((leftLow * rightLow) >> 32);
  const middle = leftLow * rightHigh + (cross & 0xffffffff);
  return leftHigh * rightHigh + (cross >> 32) + (middle >> 32);
}
