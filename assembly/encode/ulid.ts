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

const DIGITS: u32 = 32;
/** Characters that say the time; those behind them are random, or count on. */
const TIME_LENGTH: usize = 10;

/** The last id, as digits and as text. */
const lastDigits = memory.data(32, 16);
const lastText = memory.data<u8>([
  0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
  0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
]);

let state: u64 = 0x9e3779b97f4a7c15;
let lastMillis: u64 = 0;

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
    writeBase32(0, now, TIME_LENGTH);
    writeBase32(TIME_LENGTH, random() & FORTY_BITS, 8);
    writeBase32(TIME_LENGTH + 8, random() & FORTY_BITS, 8);
  } else countOn();
  // Two copies of 16 bytes that overlap.
  v128.store(out, v128.load(lastText));
  v128.store(out, v128.load(lastText, 10), 10);
  return ULID_LENGTH;
}

/** Adds one to the 80 random bits; mostly that changes one character. */
function countOn(): void {
  for (let index = ULID_LENGTH - 1; index >= TIME_LENGTH; index--) {
    const digit = (<u32>load<u8>(lastDigits + index) + 1) % DIGITS;
    setDigit(index, digit);
    if (digit != 0) return;
  }
}

/** Writes `value` as the digits from `first` on. */
function writeBase32(first: usize, value: u64, digits: usize): void {
  let rest = value;
  for (let index = first + digits; index > first; index--) {
    setDigit(index - 1, <u32>rest % DIGITS);
    rest >>= 5;
  }
}

function setDigit(index: usize, digit: u32): void {
  store<u8>(lastDigits + index, digit);
  store<u8>(lastText + index, load<u8>(ALPHABET + <usize>digit));
}

function random(): u64 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}
