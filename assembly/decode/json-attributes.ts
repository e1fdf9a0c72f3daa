/**
 * The `attr` objects of a JSON request: keys are looked up in the projection (projection.ts), hits become attribute
 * pairs in `pairs`, everything else is validated and skipped. Lists and maps are kept as their bytes.
 */
import { STATUS_MEMORY, TAG_RAW_JSON, TAG_STRING } from "../abi";
import { NO_SLOT } from "../decide/attributes";
import { box, FALSE, NULL, ofDouble, TRUE } from "../value/value";
import { refuseAnyway } from "./failure";
import { numberValue, scanNumber } from "./json-number";
import { isFalse, isTrue, MINUS, OPEN_BRACE, OPEN_BRACKET, QUOTE, Scan, skipLiteral } from "./json-scan";
import { hasEscapes, scanString, unescape } from "./json-string";
import { refuseMember, skipArray, skipObject, skipValue } from "./json-skip";
import { MEMBER_NEW } from "./key-set";
import {
  CELL_SIZE,
  closePairs,
  freeCell,
  freePair,
  learnKey,
  learntSlot,
  movePairs,
  openShape,
  Shape,
} from "./projection";
import { PAIR_SIZE } from "./request";

let decodedValue: u64 = NULL;

/** object, from its opening brace to the byte after the closing one. `depth` counts this object too. */
export function decodeAttributes(at: usize, ofPrincipal: bool, depth: i32): usize {
  const shape = openShape(ofPrincipal);
  let known = Shape.known(shape);
  let entry = Shape.first(shape);
  let index: u32 = 0;
  let first = freePair;
  let pair = first;
  let cell = freeCell;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const key = at + 1;
    let slot: i32;
    if (index < known && Shape.repeatsQuoted(key, entry)) {
      slot = Shape.slot(entry, key);
      at = Scan.colon(key + Shape.length(entry) + 1);
    } else {
      known = 0;
      at = decodeKey(key, shape, index, ofPrincipal);
      slot = learntSlot;
    }
    if (at == 0) return 0;
    if (slot == NO_SLOT) {
      at = skipValue(at, depth);
      if (at == 0) return 0;
    } else {
      if (pair + PAIR_SIZE + CELL_SIZE > cell) {
        const used = pair - first;
        first = movePairs(first, pair);
        if (first == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
        pair = first + used;
        cell = freeCell;
      }
      cell -= CELL_SIZE;
      store<u64>(pair, <u64>slot);
      const start = at + 1;
      const end = Scan.plainEnd(start);
      if (load<u8>(at) == QUOTE && load<u8>(end) == QUOTE) {
        store<u64>(cell, <u64>start | ((<u64>(end - start)) << 32));
        store<u64>(pair, box(TAG_STRING, cell), 8);
        at = end + 1;
      } else {
        at = decodeValue(at, cell, depth);
        if (at == 0) return 0;
        store<u64>(pair, decodedValue, 8);
      }
      pair += PAIR_SIZE;
    }
    index += 1;
    entry = Shape.next(entry);
    at = Scan.nextKey(at);
  }
  closePairs(first, pair, cell);
  return Scan.afterObject(at);
}

/** string `:`, for a key that its shape did not foresee, from the byte after the quote. */
function decodeKey(at: usize, shape: usize, index: u32, ofPrincipal: bool): usize {
  const scanned = scanString(at);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  const escaped = hasEscapes(scanned);
  let start = at;
  let length = <u32>(end - start);
  if (escaped) {
    const cell = unescape(start, end);
    if (cell == 0) return 0;
    start = load<u32>(cell);
    length = load<u32>(cell, 4);
  }
  const added = learnKey(shape, index, start, length, !escaped, ofPrincipal);
  if (added != MEMBER_NEW) return refuseMember(added, at - 1);
  return Scan.colon(end + 1);
}

/** value, left in `decodedValue`; `cell` is 8 bytes for it if it needs some. */
function decodeValue(at: usize, cell: usize, depth: i32): usize {
  const byte = load<u8>(at);
  if (byte == QUOTE) {
    const start = at + 1;
    const scanned = scanString(start);
    if (scanned == 0) return 0;
    const end = <usize>(<u32>scanned);
    if (hasEscapes(scanned)) {
      cell = unescape(start, end);
      if (cell == 0) return 0;
    } else {
      store<u32>(cell, <u32>start);
      store<u32>(cell, <u32>(end - start), 4);
    }
    decodedValue = box(TAG_STRING, cell);
    return end + 1;
  }
  if (byte == MINUS || <u32>byte - 0x30 <= 9) {
    const end = scanNumber(at);
    decodedValue = ofDouble(numberValue);
    return end;
  }
  if (byte == OPEN_BRACE || byte == OPEN_BRACKET) {
    const end = byte == OPEN_BRACE ? skipObject(at, depth + 1) : skipArray(at, depth + 1);
    if (end == 0) return 0;
    store<u32>(cell, <u32>at);
    store<u32>(cell, <u32>(end - at), 4);
    decodedValue = box(TAG_RAW_JSON, cell);
    return end;
  }
  decodedValue = isTrue(at) ? TRUE : isFalse(at) ? FALSE : NULL;
  return skipLiteral(at);
}
