/**
 * Parts of the request as whole values (`P`, `request`, `dyn(R)`): protobuf messages to Cerbos, not maps. They have the fields of their type and no
 * other; one that the request does not give reads as empty and is absent to `has`. They have no size and nothing is `in` them.
 *
 *   | u32 number of fields | u32 type, UNSET | u64 name, u64 value ... |    all fields of the type, names in camelCase
 *
 * Reading fields by name when the compiler knows the part does not come here (decide/inputs.ts).
 */
import { ERROR_NO_SUCH_FIELD, TAG_LIST, TAG_MAP, TAG_MESSAGE, TAG_STRING } from "../abi";
import { fits } from "../memory/arena";
import {
  box,
  countOf,
  fail,
  keyAt,
  lengthOf,
  newMap,
  payloadOf,
  setEntry,
  startOf,
  tagOf,
  valueAt,
} from "../value/value";
import { noMemory } from "./failure";

export const MESSAGE_REQUEST: u32 = 0;
export const MESSAGE_PRINCIPAL: u32 = 1;
export const MESSAGE_RESOURCE: u32 = 2;
export const MESSAGE_AUX_DATA: u32 = 3;
export const MESSAGE_RUNTIME: u32 = 4;
/** Number of types. */
export const MESSAGE_TYPES: u32 = 5;

/** Added to the type of a message that the message around it does not have. */
export const UNSET: u32 = 0x100;

const UNDERSCORE: u8 = 0x5f;
const LOWER_CASE: u8 = 0x20;

/** The message with the entries of a map, which has all fields of the type. */
export function ofMessage(map: u64, type: u32): u64 {
  const cell = payloadOf(map);
  store<u32>(cell, type, 4);
  return box(TAG_MESSAGE, cell);
}

/** The type, one of MESSAGE_*. */
export function messageType(message: u64): u32 {
  return load<u32>(payloadOf(message), 4) & ~UNSET;
}

/** Whether a field is there: not empty, as protobuf has it. */
export function isSet(value: u64): bool {
  const tag = tagOf(value);
  if (tag == TAG_STRING) return lengthOf(value) != 0;
  if (tag == TAG_LIST || tag == TAG_MAP) return countOf(value) != 0;
  return tag != TAG_MESSAGE || (load<u32>(payloadOf(value), 4) & UNSET) == 0;
}

/** Index of the field of that name, in camelCase or snake_case; -1 without one. */
export function findField(message: u64, name: u64): i32 {
  if (tagOf(name) != TAG_STRING) return -1;
  const count = countOf(message);
  for (let index: u32 = 0; index < count; index++) {
    const field = keyAt(message, index);
    if (isName(startOf(field), lengthOf(field), startOf(name), lengthOf(name))) return <i32>index;
  }
  return -1;
}

/** Whether `written` is the field's name, or that name in snake_case. */
function isName(field: usize, fieldLength: u32, written: usize, length: u32): bool {
  const isSnake = length > fieldLength;
  const end = written + length;
  let at = written;
  for (let index: u32 = 0; index < fieldLength; index++) {
    let byte = load<u8>(field + index);
    if (isSnake && byte < 0x61) {
      if (at >= end || load<u8>(at) != UNDERSCORE) return false;
      at += 1;
      byte |= LOWER_CASE;
    }
    if (at >= end || load<u8>(at) != byte) return false;
    at += 1;
  }
  return at == end;
}

export function noSuchField(name: u64): u64 {
  return fail(ERROR_NO_SUCH_FIELD, name);
}

/** The fields that are there, as a map; an error when it does not fit the arena. */
export function setFields(message: u64): u64 {
  const count = countOf(message);
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) if (isSet(valueAt(message, index))) kept++;
  if (!fits(8 + ((<usize>kept) << 4))) return noMemory();
  const map = newMap(kept);
  let next: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const value = valueAt(message, index);
    if (isSet(value)) setEntry(map, next++, keyAt(message, index), value);
  }
  return map;
}
