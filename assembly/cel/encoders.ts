/**
 * CEL's encoders extension: base64 in the standard alphabet. `json.encode` is not here.
 */
import { ERROR_BAD_CONVERSION, TAG_BYTES, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { fail, lengthOf, ofBytes, ofString, startOf, tagOf } from "../value/value";
import { noFuel, noMemory, noOverload1 } from "./failure";

const PADDING: u8 = 0x3d;
const NOT_A_DIGIT: u32 = 64;

/** CEL `base64.encode(bytes)`: with padding. */
export function base64Encode(value: u64): u64 {
  if (tagOf(value) != TAG_BYTES) return noOverload1(value);
  const length = lengthOf(value);
  const size = ((<usize>length + 2) / 3) << 2;
  if (!burn(1 + (length >> 3))) return noFuel();
  if (!fits(size)) return noMemory();
  const out = allocate(size);
  const end = startOf(value) + length;
  let to = out;
  for (let at = startOf(value); at < end; at += 3) {
    const left = end - at;
    const second: u32 = left > 1 ? load<u8>(at + 1) : 0;
    const third: u32 = left > 2 ? load<u8>(at + 2) : 0;
    const bits = ((<u32>load<u8>(at)) << 16) | (second << 8) | third;
    store<u8>(to, encodeDigit(bits >> 18));
    store<u8>(to, encodeDigit((bits >> 12) & 63), 1);
    store<u8>(to, left > 1 ? encodeDigit((bits >> 6) & 63) : PADDING, 2);
    store<u8>(to, left > 2 ? encodeDigit(bits & 63) : PADDING, 3);
    to += 4;
  }
  return ofString(out, <u32>size);
}

function encodeDigit(value: u32): u8 {
  if (value < 26) return <u8>(0x41 + value);
  if (value < 52) return <u8>(0x61 + value - 26);
  if (value < 62) return <u8>(0x30 + value - 52);
  return value == 62 ? 0x2b : 0x2f;
}

function decodeDigit(byte: u32): u32 {
  if (byte - 0x41 < 26) return byte - 0x41;
  if (byte - 0x61 < 26) return byte - 0x61 + 26;
  if (byte - 0x30 < 10) return byte - 0x30 + 52;
  return byte == 0x2b ? 62 : byte == 0x2f ? 63 : NOT_A_DIGIT;
}

/**
 * CEL `base64.decode(string)`: complete padding or none at all; line ends are skipped; bits left over in the last
 * digit do not matter.
 */
export function base64Decode(value: u64): u64 {
  if (tagOf(value) != TAG_STRING) return noOverload1(value);
  const length = lengthOf(value);
  if (!burn(1 + (length >> 3))) return noFuel();
  if (!fits(length)) return noMemory();
  const out = allocate(length);
  const end = startOf(value) + length;
  let at = startOf(value);
  let to = out;
  let bits: u32 = 0;
  let digits = 0;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == PADDING) break;
    at++;
    if (isLineEnd(byte)) continue;
    const digit = decodeDigit(byte);
    if (digit == NOT_A_DIGIT) return fail(ERROR_BAD_CONVERSION, value);
    bits = (bits << 6) | digit;
    // Every digit but the first of four completes a byte.
    if ((digits & 3) != 0) store<u8>(to++, <u8>(bits >> (6 - ((digits & 3) << 1))));
    digits++;
  }
  if (at == end) return (digits & 3) == 1 ? fail(ERROR_BAD_CONVERSION, value) : ofBytes(out, <u32>(to - out));
  let missing = 4 - (digits & 3);
  if (missing > 2) return fail(ERROR_BAD_CONVERSION, value);
  while (at < end) {
    const byte = load<u8>(at++);
    if (isLineEnd(byte)) continue;
    if (byte != PADDING || missing == 0) return fail(ERROR_BAD_CONVERSION, value);
    missing--;
  }
  return missing == 0 ? ofBytes(out, <u32>(to - out)) : fail(ERROR_BAD_CONVERSION, value);
}

function isLineEnd(byte: u8): bool {
  return byte == 0x0a || byte == 0x0d;
}
