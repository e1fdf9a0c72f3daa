/**
 * The `attr` objects of a JSON request: keys are looked up in the projection (projection.ts), hits become attribute
 * pairs in `pairs`, everything else is validated and skipped. Lists and maps are kept as their bytes.
 */
import { STATUS_MEMORY, TAG_RAW_JSON, TAG_STRING } from "../abi";
import { NO_SLOT } from "../decide/attributes";
import { box, FALSE, NULL, ofDouble, TRUE } from "../value/value";
import { refuseAnyway } from "./failure";
import { numberValue, scanNumber } from "./json-number";
import { LETTER_F, LETTER_T, MINUS, OPEN_BRACE, OPEN_BRACKET, QUOTE, Scan, skipLiteral } from "./json-scan";
import { hasEscapes, scanString, unescape } from "./json-string";
import { refuseMember, skipArray, skipObject, skipValue } from "./json-skip";
import { MEMBER_NEW } from "./key-set";
import {
  CELL_SIZE,
  closePairs,
  freeCell,
  freePair,
  knownEnd,
  learnKey,
  learntSlot,
  movePairs,
  openShape,
  repeatsLongQuoted,
  Shape,
  takePairs,
} from "./projection";
import { PAIR_SIZE } from "./request";

/** The usual value, expanded where it is used. */
class Attribute {
  /** value, into a pair; `cell` is 8 bytes for it if it needs some. */
  @inline static value(at: usize, cell: usize, pair: usize, depth: i32): usize {
    if (load<u8>(at) == QUOTE) {
      const start = at + 1;
      const end = Scan.plainEnd(start);
      if (load<u8>(end) == QUOTE) {
        store<u64>(cell, <u64>start | ((<u64>(end - start)) << 32));
        store<u64>(pair, box(TAG_STRING, cell), 8);
        return end + 1;
      }
      return decodeValue(at, cell, pair, depth);
    }
    return decodeValue(at, cell, pair, depth);
  }
}

/**
 * object, from its opening brace to the byte after the closing one. `depth` counts this object too.
 *
 * Few values live through the loop, and what is rare is called, from two places each so that it stays a call: the
 * cursor has to stay in a register.
 */
export function decodeAttributes(at: usize, ofPrincipal: bool, depth: i32): usize {
  let entry = openShape(ofPrincipal);
  let known = knownEnd;
  let pair = freePair;
  let cell = freeCell;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    at += 1;
    let slot: i32;
    if (entry < known) {
      if (Shape.repeatsQuoted(at, entry)) {
        slot = Shape.slot(entry);
        at = Scan.colon(at + Shape.length(entry) + 1);
      } else if (repeatsLongQuoted(at, entry)) {
        slot = Shape.slot(entry);
        at = Scan.colon(at + Shape.length(entry) + 1);
      } else {
        known = 0;
        at = decodeKey(at, entry);
        slot = learntSlot;
      }
    } else {
      at = decodeKey(at, entry);
      slot = learntSlot;
    }
    if (at == 0) return 0;
    if (slot == NO_SLOT) {
      at = skipValue(at, depth);
      if (at == 0) return 0;
    } else {
      if (pair + PAIR_SIZE + CELL_SIZE > cell) {
        pair = movePairs(pair);
        if (pair == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
        cell = freeCell;
      }
      cell -= CELL_SIZE;
      store<u64>(pair, <u64>slot);
      at = Attribute.value(at, cell, pair, depth);
      if (at == 0) return 0;
      pair += PAIR_SIZE;
    }
    entry = Shape.next(entry);
    at = Scan.nextKey(at);
  }
  takePairs(pair, cell);
  closePairs();
  return Scan.afterObject(at);
}

/** string `:`, for a key that its shape did not foresee, from the byte after the quote. */
function decodeKey(at: usize, entry: usize): usize {
  const scanned = scanString(at);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  const escaped = hasEscapes(scanned);
  let start = at;
  let length = <u32>(end - start);
  if (escaped) {
    const text = unescape(start, end);
    if (text == 0) return 0;
    start = load<u32>(text);
    length = load<u32>(text, 4);
  }
  const added = learnKey(entry, start, length, !escaped);
  if (added != MEMBER_NEW) return refuseMember(added, at - 1);
  return Scan.colon(end + 1);
}

/** value, into a pair; `cell` is 8 bytes for it if it needs some. */
function decodeValue(at: usize, cell: usize, pair: usize, depth: i32): usize {
  const byte = load<u8>(at);
  if (<u32>byte - 0x30 <= 9 || byte == MINUS) {
    const end = scanNumber(at);
    store<u64>(pair, ofDouble(numberValue), 8);
    return end;
  }
  if (byte == QUOTE) return decodeLongString(at, cell, pair);
  if (byte == OPEN_BRACE || byte == OPEN_BRACKET) {
    const end = byte == OPEN_BRACE ? skipObject(at, depth + 1) : skipArray(at, depth + 1);
    store<u64>(cell, <u64>at | ((<u64>(end - at)) << 32));
    store<u64>(pair, box(TAG_RAW_JSON, cell), 8);
    return end;
  }
  const end = skipLiteral(at);
  store<u64>(pair, byte == LETTER_T ? TRUE : byte == LETTER_F ? FALSE : NULL, 8);
  return end;
}

/** string, of any kind. */
function decodeLongString(at: usize, cell: usize, pair: usize): usize {
  const start = at + 1;
  const scanned = scanString(start);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  if (hasEscapes(scanned)) {
    cell = unescape(start, end);
    if (cell == 0) return 0;
  } else {
    store<u64>(cell, <u64>start | ((<u64>(end - start)) << 32));
  }
  store<u64>(pair, box(TAG_STRING, cell), 8);
  return end + 1;
}
