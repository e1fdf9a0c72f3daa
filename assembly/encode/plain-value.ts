/**
 * The plain form of a value: what both encodings write (COMPAT.md section 7.2, last point). Settles how CEL types without
 * a JSON form appear: big integers, bytes, timestamps and durations as strings, present optionals as their value.
 */
import {
  TAG_BOOL,
  TAG_BYTES,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_OPTIONAL,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_UINT,
} from "../abi";
import { base64Encode } from "../cel/encoders";
import { durationText, timestampTextUtc } from "../cel/time-text";
import { allocate, fits } from "../memory/arena";
import { compareBytes } from "../memory/bytes";
import {
  countOf,
  doubleOf,
  intOf,
  keyAt,
  lengthOf,
  ofDouble,
  ofString,
  payloadOf,
  startOf,
  tagOf,
  uintOf,
} from "../value/value";
import { writeInt, writeUint } from "../value/number-text";

/** Deepest nesting written; deeper values are not convertible. */
export const MAX_NESTING: i32 = 128;

/** The answer for a value without a JSON form. Never a real value: its payload is no address. */
export const NOT_PLAIN: u64 = 0xffff_ffff_ffff_ffff;

const MAX_SAFE: i64 = 9007199254740991;
const MAX_DIGITS: usize = 24;

/** Null, bool, double, string, list or map for `value`; NOT_PLAIN when it has none of these forms. */
export function plainOf(value: u64): u64 {
  switch (tagOf(value)) {
    case TAG_NULL:
    case TAG_BOOL:
    case TAG_STRING:
    case TAG_LIST:
    case TAG_MAP:
      return value;
    case TAG_DOUBLE: {
      const number = doubleOf(value);
      return number - number == 0 ? value : NOT_PLAIN;
    }
    case TAG_INT: {
      const number = intOf(value);
      return number >= -MAX_SAFE && number <= MAX_SAFE ? ofDouble(<f64>number) : digits(number < 0, <u64>number);
    }
    case TAG_UINT: {
      const number = uintOf(value);
      return number <= <u64>MAX_SAFE ? ofDouble(<f64>number) : digits(false, number);
    }
    case TAG_BYTES:
      return base64Encode(value);
    case TAG_TIMESTAMP:
      return timestampTextUtc(value);
    case TAG_DURATION:
      return durationText(value);
    case TAG_OPTIONAL:
      return payloadOf(value) == 0 ? NOT_PLAIN : plainOf(load<u64>(payloadOf(value)));
    default:
      return NOT_PLAIN;
  }
}

/**
 * The entries of a map by sorted key: addresses of `u64 key, u64 value` pairs, 4 bytes each; 0 when a key is no string or
 * the arena is full.
 */
export function sortedEntries(map: u64): usize {
  const count = countOf(map);
  if (!fits((<usize>count) << 2)) return 0;
  const order = allocate(((<usize>count) << 2) + 8);
  for (let index: u32 = 0; index < count; index++) {
    const key = keyAt(map, index);
    if (tagOf(key) != TAG_STRING) return 0;
    let low: u32 = 0;
    let high: u32 = index;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = load<u64>(load<u32>(order + ((<usize>middle) << 2)));
      if (compareBytes(startOf(other), lengthOf(other), startOf(key), lengthOf(key)) < 0) low = middle + 1;
      else high = middle;
    }
    const place = order + ((<usize>low) << 2);
    if (low < index) memory.copy(place + 4, place, (<usize>(index - low)) << 2);
    store<u32>(place, <u32>(payloadOf(map) + 8 + ((<usize>index) << 4)));
  }
  return order;
}

function digits(negative: bool, value: u64): u64 {
  const out = allocate(MAX_DIGITS);
  return ofString(out, negative ? writeInt(<i64>value, out) : writeUint(value, out));
}
