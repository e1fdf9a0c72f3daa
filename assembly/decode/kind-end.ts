/**
 * Where the kind of an entry ends, found at a glance in entries as most clients write them: actions, then a resource that begins with its
 * kind, without white space. Nothing is validated: what comes of it is only a guess at which bytes of known-prefixes.ts the entry begins
 * with. 0 for every other entry. Reads less than 64 bytes behind the longest text that is kept there, whether the body goes that far or
 * not: the arena lies behind it.
 */
import { QUOTE } from "./json-scan";
import { MOST_TEXT } from "./known-prefixes";
import { MOST_FIX, Packed, STR_8 } from "./msgpack-scan";

const MOST_ACTIONS: u32 = 15;
const MASK_5: u64 = 0xff_ffff_ffff;
const MASK_6: u64 = 0xffff_ffff_ffff;
const FIXARRAY: u8 = 0x90;
const CLOSE_BRACKET: u8 = 0x5d;

/** The byte after the kind of the msgpack entry at `at`. */
export function packedKindEnd(at: usize): usize {
  const limit = at + MOST_TEXT;
  // actions
  if (load<u64>(at, 1) != 0x736e_6f69_7463_61a7) return 0;
  let left = <u32>load<u8>(at, 9) - FIXARRAY;
  if (left > MOST_ACTIONS) return 0;
  let place = at + 10;
  for (; left != 0; left--) {
    const length = Packed.fixLength(place);
    if (length > MOST_FIX) return 0;
    place += 1 + <usize>length;
    if (place > limit) return 0;
  }
  // resource, the header of its map, kind
  if (load<u64>(place) != 0x6372_756f_7365_72a8 || load<u8>(place, 8) != 0x65) return 0;
  if ((load<u64>(place, 10) & MASK_5) != 0x64_6e69_6ba4) return 0;
  place += 15;
  const length = Packed.fixLength(place);
  if (length <= MOST_FIX) return place + 1 + <usize>length;
  place = load<u8>(place) == STR_8 ? place + 2 + <usize>load<u8>(place, 1) : 0;
  return place > limit ? 0 : place;
}

/** The byte after the kind of the JSON entry at `at`. */
export function quotedKindEnd(at: usize): usize {
  const limit = at + MOST_TEXT;
  // {"actions":[
  if (load<u64>(at) != 0x6e6f_6974_6361_227b || load<u32>(at, 8) != 0x5b3a_2273) return 0;
  let place = firstOf(CLOSE_BRACKET, at + 12, limit);
  // ],"resource":{"kind":"
  if (load<u64>(place) != 0x756f_7365_7222_2c5d || load<u64>(place, 8) != 0x6b22_7b3a_2265_6372) return 0;
  if ((load<u64>(place, 16) & MASK_6) != 0x223a_2264_6e69) return 0;
  place = firstOf(QUOTE, place + 22, limit);
  return load<u8>(place) == QUOTE ? place + 1 : 0;
}

/** The first `byte` from `at` on; without one before `limit` any other place. */
function firstOf(byte: u8, at: usize, limit: usize): usize {
  const wanted = i8x16.splat(byte);
  while (at < limit) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (found != 0) return at + ctz(found);
    at += 16;
  }
  return at;
}
