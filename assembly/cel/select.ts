/**
 * CEL selection: `a.b`, `a[k]`, `has(a.b)`, `a.?b`, `a[?k]` and `k in a` (langdef, "Field Selection", "Has",
 * "Operators"). The odd answers are those of cel-go: a value that is neither map nor list has no keys ("no such
 * key", and `has` is false), a list refuses keys that are no index, and selecting from an optional answers an
 * optional.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  TAG_DOUBLE,
  TAG_HIERARCHY,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_MESSAGE,
  TAG_OPTIONAL,
  TAG_STRING,
  TAG_UINT,
} from "../abi";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  ABSENT,
  countOf,
  doubleOf,
  fail,
  FALSE,
  intOf,
  isError,
  itemAt,
  lengthOf,
  NULL,
  ofBool,
  ofOptional,
  OPTIONAL_NONE,
  payloadOf,
  startOf,
  tagOf,
  TRUE,
  uintOf,
  valueAt,
} from "../value/value";
import { SAME, SAME_STOPPED, SAME_TOO_DEEP, sameValues, undecided } from "./equality";
import { noFuel, noOverload2 } from "./failure";
import { ENTRY_STOPPED, findKey, isKeyTag } from "./map-keys";
import { findField, isSet, noSuchField } from "./messages";

/** A double from here on is no index, not even one out of range. */
const TWO_TO_63: f64 = 9.223372036854775808e18;

/** CEL `operand.field`; `field` is a string. From an optional: as `operand.?field`. */
export function selectField(operand: u64, field: u64): u64 {
  return index(operand, field);
}

/** CEL `operand.?field`: an optional with the field's value, or none. */
export function optionalSelectField(operand: u64, field: u64): u64 {
  return optionalIndex(operand, field);
}

/** CEL `has(operand.field)`; `field` is a string. */
export function hasField(operand: u64, field: u64): u64 {
  const found = lookUp(withoutOptional(settle(operand)), field);
  if (isError(found)) return found;
  return ofBool(found != ABSENT && isThere(operand, found));
}

/** CEL `operand[key]`. From an optional: as `operand[?key]`. */
export function index(operand: u64, key: u64): u64 {
  const target = settle(operand);
  const tag = tagOf(target);
  if (tag == TAG_OPTIONAL) return optionalIndex(target, key);
  const found = lookUp(target, key);
  if (found != ABSENT) return found;
  const list = tag == TAG_LIST || tag == TAG_HIERARCHY;
  return fail(list ? ERROR_INDEX_OUT_OF_RANGE : ERROR_NO_SUCH_KEY, key);
}

/** CEL `operand[?key]`: an optional with the entry or item, or none. */
export function optionalIndex(operand: u64, key: u64): u64 {
  const found = lookUp(withoutOptional(settle(operand)), key);
  if (found == ABSENT) return OPTIONAL_NONE;
  if (isError(found)) return found;
  return isThere(operand, found) ? ofOptional(found) : OPTIONAL_NONE;
}

/** False for a field of a message that is empty. */
function isThere(operand: u64, found: u64): bool {
  return tagOf(withoutOptional(operand)) != TAG_MESSAGE || isSet(found);
}

/** The value inside an optional, however often it is wrapped; ABSENT for none. */
function withoutOptional(value: u64): u64 {
  let inside = value;
  while (tagOf(inside) == TAG_OPTIONAL) {
    if (inside == OPTIONAL_NONE) return ABSENT;
    inside = load<u64>(payloadOf(inside));
  }
  return inside;
}

/** The entry or item of a settled value, ABSENT when there is none, or an error when `key` cannot be asked for. */
function lookUp(target: u64, key: u64): u64 {
  // An optional without a value has no entry for whatever is asked.
  if (isError(target) || target == ABSENT) return target;
  const keyTag = tagOf(key);
  if (!isKeyTag(keyTag)) return noOverload2(target, key);
  const tag = tagOf(target);
  if (tag == TAG_MAP) {
    const found = findKey(target, key);
    if (found >= 0) return valueAt(target, <u32>found);
    return found == ENTRY_STOPPED ? noFuel() : ABSENT;
  }
  if (tag == TAG_MESSAGE) {
    const field = findField(target, key);
    return field < 0 ? noSuchField(key) : valueAt(target, <u32>field);
  }
  if (tag != TAG_LIST && tag != TAG_HIERARCHY) return ABSENT;
  return itemFor(target, tag, key, keyTag);
}

function itemFor(list: u64, tag: i32, key: u64, keyTag: i32): u64 {
  const count = countOf(list);
  if (keyTag == TAG_INT || (keyTag == TAG_UINT && tag == TAG_LIST)) {
    // A negative int is a huge uint, so one comparison covers both ends.
    const at = uintOf(key);
    if (at < count) return itemAt(list, <u32>at);
    return keyTag == TAG_UINT && intOf(key) < 0 ? fail(ERROR_BAD_ARGUMENT, key) : ABSENT;
  }
  // The parts of a hierarchy have int indices only.
  if (keyTag != TAG_DOUBLE || tag != TAG_LIST) return fail(ERROR_NO_SUCH_OVERLOAD, NULL);
  const position = doubleOf(key);
  if (Math.floor(position) != position || abs(position) >= TWO_TO_63) return fail(ERROR_BAD_ARGUMENT, key);
  return position >= 0 && position < <f64>count ? itemAt(list, <u32>position) : ABSENT;
}

/** CEL `element in container`: an item of a list, or a key of a map. */
export function isIn(element: u64, container: u64): u64 {
  const wanted = settle(element);
  const target = settle(container);
  if (isError(wanted)) return wanted;
  const tag = tagOf(target);
  if (tag == TAG_LIST)
    return tagOf(wanted) == TAG_STRING ? textInList(wanted, target) : valueInList(wanted, target);
  if (tag != TAG_MAP) return noOverload2(wanted, target);
  const found = findKey(target, wanted);
  return found == ENTRY_STOPPED ? noFuel() : ofBool(found >= 0);
}

/** The common case, without a call per item. */
function textInList(text: u64, list: u64): u64 {
  const count = countOf(list);
  const start = startOf(text);
  const length = lengthOf(text);
  let result = FALSE;
  let at: u32 = 0;
  let compared: u32 = 1;
  while (at < count && result == FALSE) {
    const item = itemAt(list, at);
    if (tagOf(item) == TAG_STRING && lengthOf(item) == length) {
      compared += length >> 4;
      if (equalBytes(startOf(item), start, length)) result = TRUE;
    }
    at += 1;
  }
  return burn(at + compared) ? result : noFuel();
}

function valueInList(value: u64, list: u64): u64 {
  const count = countOf(list);
  for (let at: u32 = 0; at < count; at++) {
    const same = sameValues(value, itemAt(list, at));
    if (same == SAME) return TRUE;
    // Values that cannot be compared are not the one looked for.
    if (same == SAME_STOPPED || same == SAME_TOO_DEEP) return undecided(same);
  }
  return FALSE;
}
