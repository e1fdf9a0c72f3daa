/**
 * Arena blocks whose number or size depends on the request: they either fit or the decode stops. (`allocate`
 * alone answers a shared address when the arena is full, which must never be filled with pointers.)
 */
import { allocate, fits } from "../memory/arena";

/** Address of `size` fresh bytes, or 0 when they do not fit. */
export function reserve(size: usize): usize {
  return fits(size) ? allocate(size) : 0;
}

/**
 * Moves an array of `count` items of `itemSize` bytes to a block for `capacity` items. Answers its address, or
 * 0 when it does not fit.
 */
export function regrow(items: usize, count: u32, itemSize: usize, capacity: u32): usize {
  const grown = reserve(<usize>capacity * itemSize);
  if (grown != 0 && count != 0) memory.copy(grown, items, <usize>count * itemSize);
  return grown;
}
