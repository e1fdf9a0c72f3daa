/**
 * CEL optional values: `optional.of`, `.ofNonZeroValue`, `.none`, `.unwrap` and the member functions. Optional selection
 * (`a.?b`, `a[?k]`) is in select.ts.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_OPTIONAL_NONE,
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
import { fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  doubleOf,
  fail,
  FALSE,
  intOf,
  isError,
  itemAt,
  lengthOf,
  newList,
  NULL,
  ofBool,
  ofOptional,
  OPTIONAL_NONE,
  payloadOf,
  setItem,
  tagOf,
  timestampNanos,
  timestampSeconds,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";
import { TIMESTAMP_MIN } from "./time-text";

/** The value inside an optional that has one. */
function inside(optional: u64): u64 {
  return load<u64>(payloadOf(optional));
}

/** Whether a value is the zero of its type; types without a zero (types, optionals, hierarchies...) never are. */
function isZero(value: u64): bool {
  const tag = tagOf(value);
  if (tag == TAG_DOUBLE) return doubleOf(value) == 0;
  if (tag == TAG_INT || tag == TAG_UINT || tag == TAG_DURATION) return intOf(value) == 0;
  if (tag == TAG_STRING || tag == TAG_BYTES) return lengthOf(value) == 0;
  if (tag == TAG_LIST || tag == TAG_MAP) return countOf(value) == 0;
  // The zero time of Go: the first instant of year 1.
  if (tag == TAG_TIMESTAMP) return timestampSeconds(value) == TIMESTAMP_MIN && timestampNanos(value) == 0;
  return tag == TAG_NULL || (tag == TAG_BOOL && value == FALSE);
}

export function optionalOf(value: u64): u64 {
  const settled = settle(value);
  return isError(settled) ? settled : ofOptional(settled);
}

export function optionalOfNonZero(value: u64): u64 {
  const settled = settle(value);
  if (isError(settled)) return settled;
  return isZero(settled) ? OPTIONAL_NONE : ofOptional(settled);
}

export function optionalNone(): u64 {
  return OPTIONAL_NONE;
}

export function optionalHasValue(optional: u64): u64 {
  return tagOf(optional) == TAG_OPTIONAL ? ofBool(optional != OPTIONAL_NONE) : noOverload1(optional);
}

/** The value inside; ERROR_OPTIONAL_NONE when there is none. */
export function optionalValue(optional: u64): u64 {
  if (tagOf(optional) != TAG_OPTIONAL) return noOverload1(optional);
  return optional == OPTIONAL_NONE ? fail(ERROR_OPTIONAL_NONE, NULL) : inside(optional);
}

/** CEL `a.or(b)`: not strict in `b`, which does not count when `a` has a value. */
export function optionalOr(optional: u64, other: u64): u64 {
  if (tagOf(optional) != TAG_OPTIONAL) return noOverload2(optional, other);
  return optional == OPTIONAL_NONE ? other : optional;
}

/** CEL `a.orValue(b)`: not strict in `b`, which does not count when `a` has a value. */
export function optionalOrValue(optional: u64, other: u64): u64 {
  if (tagOf(optional) != TAG_OPTIONAL) return noOverload2(optional, other);
  return optional == OPTIONAL_NONE ? other : inside(optional);
}

/** The values inside those optionals of a list that have one; an item that is no optional is an error. */
export function optionalUnwrap(value: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  if (!burn(1 + count)) return noFuel();
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (tagOf(item) != TAG_OPTIONAL) return fail(ERROR_BAD_ARGUMENT, item);
    if (item != OPTIONAL_NONE) kept++;
  }
  // One cell of 8 bytes before the items, as in value.ts.
  if (!fits(8 + ((<usize>kept) << 3))) return noMemory();
  const result = newList(kept);
  let next: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (item != OPTIONAL_NONE) setItem(result, next++, inside(item));
  }
  return result;
}
