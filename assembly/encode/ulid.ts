/**
 * Call ids: ULIDs (48 bits of milliseconds, 80 random bits, Crockford base 32), increasing within one instance. The random
 * bits identify a call and protect nothing, so a seeded xorshift is enough; the host seeds it from its secure source.
 */

export const ULID_LENGTH: usize = 26;

/** 0123456789ABCDEFGHJKMNPQRSTVWXYZ */
const ALPHABET: usize = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
  0x4a, 0x4b, 0x4d, 0x4e, 0x50, 0x51, 0x52, 0x53, 0x54, 0x56, 0x57, 0x58, 0x59, 0x5a,
]);

let state: u64 = 0x9e3779b97f4a7c15;
let lastMillis: u64 = 0;
/** The 80 random bits of the last id: 40 high, 40 low. */
let high: u64 = 0;
let low: u64 = 0;

const FORTY_BITS: u64 = 0xffffffffff;

/** Seeds the random part. A zero seed is replaced, because xorshift would stay at zero. */
export function seedUlid(first: u32, second: u32): void {
  state = ((<u64>first) << 32) | second;
  if (state == 0) state = 0x9e3779b97f4a7c15;
}

/** Writes the next id's 26 characters to `out` and returns 26. A clock that stands still or steps back counts on. */
export function writeUlid(out: usize, millis: f64): usize {
  const now: u64 = millis > 0 ? <u64>millis : 0;
  if (now > lastMillis) {
    lastMillis = now;
    high = random() & FORTY_BITS;
    low = random() & FORTY_BITS;
  } else {
    low = (low + 1) & FORTY_BITS;
    if (low == 0) high = (high + 1) & FORTY_BITS;
  }
  writeBase32(out, lastMillis, 10);
  writeBase32(out + 10, high, 8);
  writeBase32(out + 18, low, 8);
  return ULID_LENGTH;
}

function writeBase32(out: usize, value: u64, digits: usize): void {
  let rest = value;
  for (let index = digits; index > 0; index--) {
    store<u8>(out + index - 1, load<u8>(ALPHABET + <usize>(rest & 31)));
    rest >>= 5;
  }
}

function random(): u64 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}
