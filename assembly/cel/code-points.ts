/**
 * Stepping through UTF-8 by code points. All text in the guest is well-formed (decoders check it), so nothing
 * here validates; positions stay inside the range they are given all the same.
 */

/** Number of bytes of the code point that starts with `lead`. */
export function widthOf(lead: u8): u32 {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Number of code points in `length` bytes. */
export function countCodePoints(start: usize, length: u32): u32 {
  let count: u32 = 0;
  for (let at: u32 = 0; at < length; at++) count += (load<u8>(start + at) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

/** Byte offset of code point `index`; `length` when the text ends before it or with it. */
export function offsetOf(start: usize, length: u32, index: u32): u32 {
  let at: u32 = 0;
  for (let left = index; left > 0 && at < length; left--) at += widthOf(load<u8>(start + at));
  return at < length ? at : length;
}

/** The code point at `at`, which has all its bytes before `end`; 0xfffd when it does not. */
export function codePointAt(at: usize, end: usize): u32 {
  const lead = <u32>load<u8>(at);
  if (lead < 0x80) return lead;
  if (end - at < <usize>widthOf(<u8>lead)) return 0xfffd;
  const second = <u32>load<u8>(at + 1) & 63;
  if (lead < 0xe0) return ((lead & 31) << 6) | second;
  const third = <u32>load<u8>(at + 2) & 63;
  if (lead < 0xf0) return ((lead & 15) << 12) | (second << 6) | third;
  return ((lead & 7) << 18) | (second << 12) | (third << 6) | (<u32>load<u8>(at + 3) & 63);
}
