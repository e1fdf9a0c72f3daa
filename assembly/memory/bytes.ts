/**
 * Hashing and comparing byte ranges. The hash is part of the image format: compiler/emit/hash.ts computes the
 * same function, and a test compares the two.
 */

/**
 * FNV-1a over 32-bit little-endian words, then the tail bytes, with a final avalanche. Not keyed: tables built
 * with it hold only names from policies, so a request cannot make them collide.
 */
export function hashBytes(start: usize, length: u32): u32 {
  let hash: u32 = 0x811c9dc5 ^ length;
  let at = start;
  const end = start + length;
  while (at + 4 <= end) {
    hash = (hash ^ load<u32>(at)) * 0x01000193;
    hash ^= hash >> 15;
    at += 4;
  }
  while (at < end) {
    hash = (hash ^ <u32>load<u8>(at)) * 0x01000193;
    at += 1;
  }
  hash ^= hash >> 16;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  return hash;
}

/** Whether two ranges of `length` bytes are equal. */
export function equalBytes(left: usize, right: usize, length: u32): bool {
  let at: usize = 0;
  const whole: usize = length & ~7;
  while (at < whole) {
    if (load<u64>(left + at) != load<u64>(right + at)) return false;
    at += 8;
  }
  while (at < <usize>length) {
    if (load<u8>(left + at) != load<u8>(right + at)) return false;
    at += 1;
  }
  return true;
}

/** Bytewise order of two ranges, which for UTF-8 is the order of code points: negative, 0 or positive. */
export function compareBytes(left: usize, leftLength: u32, right: usize, rightLength: u32): i32 {
  const shorter: usize = leftLength < rightLength ? leftLength : rightLength;
  for (let at: usize = 0; at < shorter; at++) {
    const difference = <i32>load<u8>(left + at) - <i32>load<u8>(right + at);
    if (difference != 0) return difference;
  }
  return leftLength < rightLength ? -1 : leftLength > rightLength ? 1 : 0;
}

/**
 * Copies `size` bytes, a multiple of 16, between ranges that do not overlap. For the short runs of a request this beats
 * `memory.copy`, which leaves the compiled code for the engine's.
 */
export function copyBlocks(to: usize, from: usize, size: usize): void {
  for (let at: usize = 0; at < size; at += 16) v128.store(to + at, v128.load(from + at));
}
