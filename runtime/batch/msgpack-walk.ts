/**
 * Walks over msgpack values without decoding them: how long they are, how many there are. For cutting and counting; the
 * guest's decoder is what says whether they are well-formed.
 */

/** The position behind `count` values from `position` on; -1 when they do not end before `end`. */
export function skipValues(bytes: Uint8Array, position: number, count: number, end: number): number {
  let left = count;
  let at = position;
  while (left > 0) {
    if (at >= end) return -1;
    const byte = bytes[at] ?? 0;
    left--;
    if (byte < 0x80 || byte >= 0xe0) at++;
    else if (byte < 0x90) {
      left += (byte & 15) * 2;
      at++;
    } else if (byte < 0xa0) {
      left += byte & 15;
      at++;
    } else if (byte < 0xc0) at += 1 + (byte & 31);
    else {
      const head = HEADS[byte - 0xc0] ?? 0;
      const counted = COUNTED[byte - 0xc0] ?? 0;
      const number = head === 0 ? 0 : readLength(bytes, at + 1, head);
      at += 1 + head + (FIXED[byte - 0xc0] ?? 0);
      // Lengths are counted in bytes or in values.
      if (counted === 0) at += number;
      else left += number * counted;
    }
  }
  return at <= end ? at : -1;
}

/** How many values lie from `position` to `end`; -1 when the last one does not end there. */
export function countValues(bytes: Uint8Array, position: number, end: number): number {
  let count = 0;
  let at = position;
  while (at < end) {
    at = skipValues(bytes, at, 1, end);
    if (at < 0) return -1;
    count++;
  }
  return count;
}

/** A big-endian number of `width` bytes. */
export function readLength(bytes: Uint8Array, position: number, width: number): number {
  let number = 0;
  for (let index = 0; index < width; index++) number = number * 256 + (bytes[position + index] ?? 0);
  return number;
}

// By header from 0xc0 on: nil, (never used), false, true, bin 8/16/32, ext 8/16/32, float 32/64, uint 8-64, int 8-64, fixext 1-16,
// str 8/16/32, array 16/32, map 16/32.

/** Bytes of the length that follows the header. */
const HEADS = table("0000 124 124 00 0000 0000 00000 124 24 24");
/** Bytes that follow beside what the length says. */
const FIXED = table("0000 000 111 48 1248 1248 2359H 000 00 00");
/** What a length counts: bytes (0), values (1) or pairs (2). */
const COUNTED = table("0000 000 000 00 0000 0000 00000 000 11 22");

function table(digits: string): readonly number[] {
  return Array.from(digits.replaceAll(" ", ""), (digit) => Number.parseInt(digit, 18));
}
