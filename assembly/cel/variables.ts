/**
 * What a variable of a policy holds. Cerbos keeps variables as native values and reads them back: what has no native value of its own does not come
 * back as what it was. An optional becomes its value or null, a type its name, a hierarchy the list of its parts; SPIFFE values
 * are errors. Inside lists and maps all of them stay what they are.
 */
import {
  ERROR_BAD_CONVERSION,
  TAG_HIERARCHY,
  TAG_LIST,
  TAG_OPTIONAL,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_MATCHER,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TYPE,
} from "../abi";
import { box, fail, NULL, OPTIONAL_NONE, payloadOf, tagOf } from "../value/value";

/** The value of a variable whose expression has this one. */
export function variableValue(value: u64): u64 {
  let held = value;
  while (tagOf(held) == TAG_OPTIONAL) {
    if (held == OPTIONAL_NONE) return NULL;
    held = load<u64>(payloadOf(held));
  }
  const tag = tagOf(held);
  // Their cells are those of a string and of a list.
  if (tag == TAG_TYPE) return box(TAG_STRING, payloadOf(held));
  if (tag == TAG_HIERARCHY) return box(TAG_LIST, payloadOf(held));
  const isSpiffe = tag == TAG_SPIFFE_ID || tag == TAG_SPIFFE_TRUST_DOMAIN || tag == TAG_SPIFFE_MATCHER;
  return isSpiffe ? fail(ERROR_BAD_CONVERSION, held) : held;
}
