/**
 * The `attr` objects of a JSON request: keys are looked up in the projection (projection.ts), hits become attribute
 * pairs in `pairs`, everything else is validated and skipped. Lists and maps are kept as their bytes.
 */
import { STATUS_MEMORY, TAG_RAW_JSON, TAG_STRING } from "../abi";
import { NO_SLOT } from "../decide/attributes";
import { box, FALSE, NULL, ofDouble, TRUE } from "../value/value";
import { refuseAnyway } from "./failure";
import { Digits, numberValue, scanNumber } from "./json-number";
import {
  COLON,
  COLON_QUOTE,
  COMMA_QUOTE,
  LETTER_F,
  LETTER_T,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  Scan,
  skipLiteral,
  WORD_FALSE,
  WORD_FALSE_MASK,
  WORD_TRUE,
} from "./json-scan";
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
  openShape,
  repeatsLongQuoted,
  Shape,
  takePair,
  takePairs,
} from "./projection";
import { PAIR_SIZE } from "./request";

/** The entry of the shape when `decodeMember` was called. */
let openEntry: usize = 0;

/**
 * object, from its opening brace to the byte after the closing one. `depth` counts this object too.
 *
 * The inner loop takes members whose keys repeat those of the shape and whose values are short plain strings, written without white
 * space. It calls nothing, and what it works with is kept in globals across what is behind it, so that it stays in registers.
 */
export function decodeAttributes(at: usize, ofPrincipal: bool, depth: i32): usize {
  let entry = openShape(ofPrincipal);
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const last = knownEnd;
    let pair = freePair;
    let cell = freeCell;
    while (entry < last) {
      if (!Shape.repeatsQuoted(at + 1, entry)) break;
      const colon = at + 2 + Shape.length(entry);
      if (load<u16>(colon) != COLON_QUOTE) break;
      const start = colon + 2;
      const end = Scan.plainEnd(start);
      if (load<u8>(end) != QUOTE) break;
      const slot = Shape.slot(entry);
      if (slot != NO_SLOT) {
        if (pair + PAIR_SIZE + CELL_SIZE > cell) break;
        cell -= CELL_SIZE;
        Shape.text(pair, cell, slot, start, <u32>(end - start));
        pair += PAIR_SIZE;
      }
      entry = Shape.next(entry);
      at = end + 1;
      if (load<u16>(at) != COMMA_QUOTE) {
        at = Scan.nextKey(at);
        break;
      }
      at += 1;
    }
    takePairs(pair, cell);
    if (Scan.ended(at)) break;
    const end = entry < last ? takePlain(at, entry) : 0;
    if (end != 0) {
      at = Scan.nextKey(end);
      entry = Shape.next(entry);
      continue;
    }
    openEntry = entry;
    at = decodeMember(at + 1, entry, depth);
    if (at == 0) return 0;
    entry = Shape.next(openEntry);
    at = Scan.nextKey(at);
  }
  closePairs();
  return Scan.afterObject(at);
}

/**
 * The same for one member with the key of `entry`, from its quote on, whose value is a plain string of any length, a small integer, true or
 * false: the byte after it. 0, with nothing taken, for any other member.
 */
function takePlain(at: usize, entry: usize): usize {
  if (!Shape.repeatsQuoted(at + 1, entry)) return 0;
  const colon = at + 2 + Shape.length(entry);
  if (load<u8>(colon) != COLON) return 0;
  const slot = Shape.slot(entry);
  const pair = freePair;
  let cell = freeCell;
  if (slot != NO_SLOT && pair + PAIR_SIZE + CELL_SIZE > cell) return 0;
  const start = colon + 1;
  const word = load<u64>(start);
  let end = start + Digits.leading(word);
  let value: u64 = FALSE;
  if (<u8>word == QUOTE) {
    let block = start + 1;
    end = Scan.plainEnd(block);
    while (end == block + 16) {
      block = end;
      end = Scan.plainEnd(block);
    }
    if (load<u8>(end) != QUOTE) return 0;
    if (slot != NO_SLOT) {
      cell -= CELL_SIZE;
      Shape.text(pair, cell, slot, start + 1, <u32>(end - start) - 1);
      takePairs(pair + PAIR_SIZE, cell);
    }
    return end + 1;
  }
  if (end != start) {
    if (Digits.areLong(word, end - start)) return 0;
    value = ofDouble(<f64>Digits.value(word, end - start));
  } else if (<u32>word == WORD_TRUE) {
    end += 4;
    value = TRUE;
  } else {
    if ((word & WORD_FALSE_MASK) != WORD_FALSE) return 0;
    end += 5;
  }
  if (slot != NO_SLOT) {
    Shape.scalar(pair, slot, value);
    takePairs(pair + PAIR_SIZE, cell);
  }
  return end;
}

/** Any member, in its place of the shape, from the byte after the quote of its key to the byte after its value. */
function decodeMember(at: usize, entry: usize, depth: i32): usize {
  let slot: i32;
  if (entry < knownEnd && (Shape.repeatsQuoted(at, entry) || repeatsLongQuoted(at, entry))) {
    at = Scan.colon(at + Shape.length(entry) + 1);
    slot = Shape.slot(entry);
  } else {
    at = decodeKey(at, entry);
    slot = learntSlot;
  }
  if (at == 0) return 0;
  if (slot == NO_SLOT) return skipValue(at, depth);
  const pair = takePair(slot);
  if (pair == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  return decodeValue(at, freeCell, pair, depth);
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
