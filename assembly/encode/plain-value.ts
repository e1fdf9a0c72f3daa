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
  TAG_MESSAGE,
  TAG_NULL,
  TAG_OPTIONAL,
  TAG_RAW_JSON,
  TAG_RAW_MSGPACK,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_UINT,
} from "../abi";
import { base64Encode } from "../cel/encoders";
import { setFields } from "../cel/messages";
import { durationText, timestampText } from "../cel/time-text";
import { materialize } from "../decode/materialize";
import { allocate, fits } from "../memory/arena";
import { compareBytes } from "../memory/bytes";
import {
  countOf,
  doubleOf,
  intOf,
  isError,
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
      return number >= -MAX_SAFE && number <= MAX_SAFE
        ? ofDouble(<f64>number)
        : digits(number < 0, <u64>number);
    }
    case TAG_UINT: {
      const number = uintOf(value);
      return number <= <u64>MAX_SAFE ? ofDouble(<f64>number) : digits(false, number);
    }
    case TAG_BYTES: {
      const text = base64Encode(value);
      return isError(text) ? NOT_PLAIN : text;
    }
    case TAG_RAW_JSON:
    case TAG_RAW_MSGPACK: {
      const built = materialize(value);
      return isError(built) ? NOT_PLAIN : built;
    }
    case TAG_TIMESTAMP:
      return timestampText(value);
    case TAG_DURATION:
      return durationText(value);
    case TAG_MESSAGE: {
      const fields = setFields(value);
      return isError(fields) ? NOT_PLAIN : fields;
    }
    case TAG_OPTIONAL:
      return payloadOf(value) == 0 ? NOT_PLAIN : plainOf(load<u64>(payloadOf(value)));
    default:
      return NOT_PLAIN;
  }
}

/**
 * The entries of a map by sorted key: addresses of `u64 key, u64 value` pairs, 4 bytes each; 0 when a key is no string or
 * the arena is full. Keys come from requests, so the sort is a merge sort: n log n comparisons in any order.
 */
export function sortedEntries(map: u64): usize {
  const count = countOf(map);
  const size = (<usize>count) << 2;
  if (!fits(size * 2 + 8)) return 0;
  let order = allocate(size * 2 + 8);
  let other = order + size;
  for (let index: u32 = 0; index < count; index++) {
    if (tagOf(keyAt(map, index)) != TAG_STRING) return 0;
    store<u32>(order + ((<usize>index) << 2), <u32>(payloadOf(map) + 8 + ((<usize>index) << 4)));
  }
  for (let width: usize = 4; width < size; width *= 2) {
    for (let start: usize = 0; start < size; start += width * 2) {
      const middle = start + width < size ? start + width : size;
      const end = middle + width < size ? middle + width : size;
      merge(order + start, order + middle, order + end, other + start);
    }
    const sorted = other;
    other = order;
    order = sorted;
  }
  return order;
}

/** Merges the sorted runs [left, right) and [right, end) to `out`. */
function merge(left: usize, right: usize, end: usize, out: usize): void {
  const middle = right;
  while (left < middle && right < end) {
    if (comesBefore(load<u32>(right), load<u32>(left))) {
      store<u32>(out, load<u32>(right));
      right += 4;
    } else {
      store<u32>(out, load<u32>(left));
      left += 4;
    }
    out += 4;
  }
  memory.copy(out, left, middle - left);
  memory.copy(out + (middle - left), right, end - right);
}

/** Whether the key of one entry sorts before that of another. */
function comesBefore(entry: usize, other: usize): bool {
  const key = load<u64>(entry);
  const otherKey = load<u64>(other);
  return compareBytes(startOf(key), lengthOf(key), startOf(otherKey), lengthOf(otherKey)) < 0;
}

function digits(negative: bool, value: u64): u64 {
  const out = allocate(MAX_DIGITS);
  return ofString(out, negative ? writeInt(<i64>value, out) : writeUint(value, out));
}
