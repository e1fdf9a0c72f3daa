/** The hash of the image's tables; the guest computes the same one in assembly/memory/bytes.ts. */

/** Hashes UTF-8 bytes to a u32 (FNV-1a over little-endian words, the last one filled up with zeros, with a final avalanche). */
export function hashBytes(bytes: Uint8Array): number {
  const { length } = bytes;
  const byte = (at: number): number => bytes[at] ?? 0;
  let hash = 0x811c9dc5 ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const word = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  let rest = 0;
  for (let shift = 0; at < length; at++, shift += 8) rest |= byte(at) << shift;
  if (length % 4 !== 0) hash = Math.imul(hash ^ rest, 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

/** Mixes three symbol ids into a u32; the guest computes the same one in assembly/decide/tables.ts. */
export function hashSymbols(first: number, second: number, third: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return hash >>> 0;
}
