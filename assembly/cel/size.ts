/**
 * CEL `size()`: code points of a string, bytes, items of a list, entries of a map, parts of a hierarchy.
 */
import { TAG_BYTES, TAG_HIERARCHY, TAG_LIST, TAG_MAP, TAG_STRING } from "../abi";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import { countOf, lengthOf, ofInt, startOf, tagOf } from "../value/value";
import { countCodePoints } from "./code-points";
import { noFuel, noOverload1 } from "./failure";

/** CEL `size(value)`, `value.size()`: an int. */
export function size(value: u64): u64 {
  const target = settle(value);
  const tag = tagOf(target);
  if (tag == TAG_LIST || tag == TAG_MAP || tag == TAG_HIERARCHY) return ofInt(countOf(target));
  if (tag == TAG_BYTES) return ofInt(lengthOf(target));
  if (tag != TAG_STRING) return noOverload1(target);
  const length = lengthOf(target);
  return burn(1 + (length >> 4)) ? ofInt(countCodePoints(startOf(target), length)) : noFuel();
}
