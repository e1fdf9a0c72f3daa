/**
 * Conditions that are one `==`, decided in one call: what most policies ask of most requests. Each comes to what
 * `settle(equals(...))` of the same operands comes to, for the same fuel; texts that fit a vector are compared without a value
 * being made of them.
 */
import { OUTCOME_FALSE, OUTCOME_TRUE } from "../abi";
import { equals } from "../cel/equality";
import { principalId, stringLength, stringStart } from "../decode/request";
import { burn } from "../memory/fuel";
import { isStringValue, lengthOf, startOf } from "../value/value";
import { inputPrincipalId } from "./inputs";
import { resourceAttribute, resourceString, settle } from "./state";

/** Texts that are compared as one vector. */
const VECTOR: u32 = 16;

/** Whether two texts of `length` (at most VECTOR) bytes are the same. Reads 16 bytes of each. */
function sameShort(left: usize, right: usize, length: u32): i32 {
  const same = <u32>i8x16.bitmask(i8x16.eq(v128.load(left), v128.load(right)));
  return (~same & ((1 << length) - 1)) == 0 ? OUTCOME_TRUE : OUTCOME_FALSE;
}

/** `left == right` */
export function settleEquals(left: u64, right: u64): i32 {
  if (isStringValue(left) && isStringValue(right)) {
    const length = lengthOf(left);
    if (length != lengthOf(right)) {
      if (burn(1)) return OUTCOME_FALSE;
    } else if (length <= VECTOR && burn(1)) return sameShort(startOf(left), startOf(right), length);
  }
  return settle(equals(left, right));
}

/** `R.attr.<key of slot> == right` */
export function resourceEquals(slot: i32, right: u64): i32 {
  return settleEquals(resourceAttribute(slot), right);
}

/** `R.attr.<key of slot> == P.id`, in either order. */
export function resourceEqualsPrincipalId(slot: i32): i32 {
  const text = resourceString(slot);
  if (text != 0) {
    const length = load<u32>(text, 4);
    if (length != stringLength(principalId)) {
      if (burn(1)) return OUTCOME_FALSE;
    } else if (length <= VECTOR && burn(1))
      return sameShort(load<u32>(text), stringStart(principalId), length);
  }
  return settle(equals(resourceAttribute(slot), inputPrincipalId()));
}
