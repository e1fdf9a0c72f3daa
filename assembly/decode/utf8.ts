/**
 * UTF-8 validation (Unicode 15, table 3-7): shortest forms only, no surrogates, nothing above U+10FFFF.
 */

/**
 * Length of the well-formed multi-byte sequence at `at`, or 0. Reads at most 4 bytes, but never a byte after
 * one that is wrong, so a NUL after the last byte of a text is bound enough.
 */
export function sequenceLength(at: usize): u32 {
  const lead = load<u8>(at);
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return continues(at + 1) ? 2 : 0;
  const second = load<u8>(at + 1);
  if (lead < 0xf0) {
    const lowest: u8 = lead == 0xe0 ? 0xa0 : 0x80;
    const highest: u8 = lead == 0xed ? 0x9f : 0xbf;
    if (second < lowest || second > highest) return 0;
    return continues(at + 2) ? 3 : 0;
  }
  if (lead > 0xf4) return 0;
  const lowest: u8 = lead == 0xf0 ? 0x90 : 0x80;
  const highest: u8 = lead == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  return continues(at + 2) && continues(at + 3) ? 4 : 0;
}

function continues(at: usize): bool {
  return (load<u8>(at) & 0xc0) == 0x80;
}

/** Address of the first byte in [start, end) that is not part of well-formed UTF-8, or `end`. */
export function firstMalformed(start: usize, end: usize): usize {
  let at = start;
  while (at < end) {
    if (at + 16 <= end) {
      const high = <u32>i8x16.bitmask(v128.load(at));
      if (high == 0) {
        at += 16;
        continue;
      }
      at += ctz<u32>(high);
    } else if (load<u8>(at) < 0x80) {
      at += 1;
      continue;
    }
    const length = boundedSequence(at, end);
    if (length == 0) return at;
    at += length;
  }
  return end;
}

/** As `sequenceLength`, for bytes with nothing known after `end`. */
function boundedSequence(at: usize, end: usize): u32 {
  const lead = load<u8>(at);
  const wanted: usize = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return at + wanted <= end ? sequenceLength(at) : 0;
}
