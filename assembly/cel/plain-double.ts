/**
 * Doubles in plain decimal notation with the shortest digits that read back, whatever the exponent: what Go's
 * `strconv.FormatFloat(x, 'f', -1, 64)` prints. No NaN and no infinities; fixed numbers of digits are in
 * exact-decimal.ts.
 */
import { findShortest, shortestDigits, shortestPower } from "../value/shortest-digits";
import { writeUint } from "../value/number-text";

/** Room that `writePlainDouble` needs at most, in bytes: sign, 309 digits, or "0." and 324 places, rounded up. */
export const PLAIN_DOUBLE_SIZE: usize = 352;

/** Writes a finite double at `out`; answers the number of bytes. */
export function writePlainDouble(value: f64, out: usize): u32 {
  let at = out;
  if (reinterpret<i64>(value) < 0) store<u8>(at++, 0x2d);
  const magnitude = abs(value);
  if (magnitude == 0) {
    store<u8>(at, 0x30);
    return <u32>(at + 1 - out);
  }
  findShortest(magnitude);
  const length = <i32>writeUint(shortestDigits, at);
  // Number of digits before the decimal point.
  const point = shortestPower + length;
  if (point <= 0) {
    const zeros = <usize>-point;
    memory.copy(at + 2 + zeros, at, length);
    store<u16>(at, 0x2e30);
    memory.fill(at + 2, 0x30, zeros);
    return <u32>(at + 2 + zeros + length - out);
  }
  if (point >= length) {
    memory.fill(at + length, 0x30, point - length);
    return <u32>(at + point - out);
  }
  memory.copy(at + point + 1, at + point, length - point);
  store<u8>(at + point, 0x2e);
  return <u32>(at + length + 1 - out);
}
