/**
 * The string tests of CEL's standard library: `contains`, `startsWith`, `endsWith`. By bytes, which for UTF-8 is
 * by code points. The strings extension is in string-extension.ts.
 */
import { TAG_STRING } from "../abi";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { lengthOf, ofBool, startOf, tagOf, TRUE } from "../value/value";
import { noFuel, noOverload2 } from "./failure";
import { findFirst, SEARCH_STOPPED } from "./text-search";

/** CEL `text.contains(piece)`; every string contains "". */
export function contains(text: u64, piece: u64): u64 {
  if (tagOf(text) != TAG_STRING || tagOf(piece) != TAG_STRING) return noOverload2(text, piece);
  if (lengthOf(piece) == 0) return TRUE;
  const found = findFirst(startOf(text), lengthOf(text), startOf(piece), lengthOf(piece), 0);
  return found == SEARCH_STOPPED ? noFuel() : ofBool(found >= 0);
}

/** CEL `text.startsWith(piece)`. */
export function startsWith(text: u64, piece: u64): u64 {
  if (tagOf(text) != TAG_STRING || tagOf(piece) != TAG_STRING) return noOverload2(text, piece);
  return hasAt(text, piece, 0);
}

/** CEL `text.endsWith(piece)`. */
export function endsWith(text: u64, piece: u64): u64 {
  if (tagOf(text) != TAG_STRING || tagOf(piece) != TAG_STRING) return noOverload2(text, piece);
  return hasAt(text, piece, lengthOf(text) - lengthOf(piece));
}

/** Whether `piece` lies at byte `from` of `text`; `from` has wrapped around when the piece is longer. */
function hasAt(text: u64, piece: u64, from: u32): u64 {
  const length = lengthOf(piece);
  if (length > lengthOf(text)) return ofBool(false);
  if (!burn(1 + (length >> 4))) return noFuel();
  return ofBool(equalBytes(startOf(text) + from, startOf(piece), length));
}
