/**
 * Hashing and comparing byte ranges. The hash is part of the image format: compiler/emit/hash.ts computes the
 * same function, and a test compares the two.
 */

/**
 * FNV-1a over 32-bit little-endian words, the last one filled up with zeros, with a final avalanche. May read up to 3
 * bytes behind the range. Not keyed: tables built
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
  const rest = <u32>(end - at);
  if (rest != 0) hash = (hash ^ (load<u32>(at) & ((1 << (rest << 3)) - 1))) * 0x01000193;
  hash ^= hash >> 16;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  return hash;
}

/** Whether two ranges of `length` bytes are equal. May read up to 7 bytes behind either of them. */
export function equalBytes(left: usize, right: usize, length: u32): bool {
  if (length > 8) {
    const last: usize = length - 8;
    for (let at: usize = 0; at < last; at += 8) {
      if (load<u64>(left + at) != load<u64>(right + at)) return false;
    }
    return load<u64>(left + last) == load<u64>(right + last);
  }
  return length == 0 || (load<u64>(left) ^ load<u64>(right)) << (64 - ((<u64>length) << 3)) == 0;
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
