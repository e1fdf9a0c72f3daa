/**
 * HalfSipHash-2-4: a hash of 32 bits under a secret key of 64. Ids come from clients, who could otherwise choose many with the same
 * hash. Not for signing anything: 32 bits are few.
 */

/** The hash of `bytes` under the key of two words. */
export function keyedHash(bytes: Uint8Array, key0: number, key1: number): number {
  const length = bytes.byteLength;
  const whole = length & ~3;
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  // One word per pass, then the last one, then the end: each with its number of rounds.
  for (let at = 0; at <= whole + 4; at += 4) {
    let word = 0;
    let rounds = 2;
    if (at < whole) word = wordAt(bytes, at);
    else if (at === whole) word = lastWord(bytes, whole, length);
    else {
      v2 ^= 0xff;
      rounds = 4;
    }
    v3 ^= word;
    for (; rounds > 0; rounds--) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return v1 ^ v3;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** The bytes behind the last whole word, with the length on top. */
function lastWord(bytes: Uint8Array, at: number, length: number): number {
  let word = length << 24;
  for (let index = length - 1; index >= at; index--) word |= (bytes[index] ?? 0) << ((index & 3) * 8);
  return word;
}
