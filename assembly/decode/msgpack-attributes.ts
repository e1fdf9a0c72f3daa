/**
 * The `attr` maps of a msgpack request: keys are looked up in the projection (projection.ts), hits become attribute
 * pairs in `pairs`, everything else is validated and skipped. Lists and maps are kept as their bytes.
 */
import { STATUS_MEMORY, TAG_RAW_MSGPACK, TAG_STRING } from "../abi";
import { NO_SLOT } from "../decide/attributes";
import { box, FALSE, NULL, ofDouble, TRUE } from "../value/value";
import { refuseAnyway } from "./failure";
import { MEMBER_NEW, RUN_ENTRY_SHIFT } from "./key-set";
import {
  atValue,
  bodyEnd,
  FALSE_BYTE,
  isArray,
  isMap,
  isNumber,
  isString,
  itemCount,
  MOST_FIX,
  NO_COUNT,
  numberValue,
  Packed,
  readMap,
  readNumber,
  readString,
  textLength,
  textPlain,
  textStart,
  TRUE_BYTE,
} from "./msgpack-scan";
import { refuseMember, skipArray, skipMap, skipValue } from "./msgpack-skip";
import {
  CELL_SIZE,
  closePairs,
  freeCell,
  freePair,
  knownEnd,
  learnKey,
  learntSlot,
  openShape,
  repeatsLongPacked,
  Shape,
  takePair,
  takePairs,
} from "./projection";
import { PAIR_SIZE } from "./request";

/** The entry of the shape and the entries left when `decodeEntry` was called. */
let openEntry: usize = 0;
let openLeft: u32 = 0;

/**
 * A map; `depth` counts it too. The inner loop takes entries whose keys repeat those of the shape and whose values are short ASCII
 * strings. It calls nothing, and what it works with is kept in globals across the call behind it, so that it stays in registers.
 */
export function decodeAttributes(at: usize, ofPrincipal: bool, depth: i32): usize {
  let left = Packed.mapCount(at);
  if (left != NO_COUNT) {
    at += 1;
  } else {
    at = readMap(at);
    if (at == 0) return 0;
    left = itemCount;
  }
  let entry = openShape(ofPrincipal);
  while (true) {
    const first = entry;
    const last = first + ((<usize>Shape.known(first, left)) << RUN_ENTRY_SHIFT);
    const end = bodyEnd;
    let pair = freePair;
    let cell = freeCell;
    while (entry < last) {
      if (!Shape.repeatsPacked(at, entry)) break;
      const header = at + 1 + Shape.length(entry);
      const length = Packed.fixLength(header);
      const start = header + 1;
      if (length > MOST_FIX) break;
      if (start + length > end) break;
      if (!Packed.isAscii(start, length)) break;
      const slot = Shape.slot(entry);
      if (slot != NO_SLOT) {
        if (pair + PAIR_SIZE + CELL_SIZE > cell) break;
        cell -= CELL_SIZE;
        Shape.text(pair, cell, slot, start, length);
        pair += PAIR_SIZE;
      }
      at = start + length;
      entry = Shape.next(entry);
    }
    takePairs(pair, cell);
    left -= <u32>(entry - first) >> <u32>RUN_ENTRY_SHIFT;
    if (left == 0) break;
    openEntry = entry;
    openLeft = left;
    at = decodeEntry(at, entry, depth);
    if (at == 0) return 0;
    entry = Shape.next(openEntry);
    left = openLeft - 1;
  }
  closePairs();
  return at;
}

/** Any entry, in its place of the shape. */
function decodeEntry(at: usize, entry: usize, depth: i32): usize {
  let slot: i32;
  if (entry < knownEnd && (Shape.repeatsPacked(at, entry) || repeatsLongPacked(at, entry))) {
    at += 1 + Shape.length(entry);
    slot = Shape.slot(entry);
  } else {
    at = decodeKey(at, entry);
    if (at == 0) return 0;
    slot = learntSlot;
  }
  if (slot == NO_SLOT) return skipValue(at, depth);
  const pair = takePair(slot);
  if (pair == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  return decodeValue(at, freeCell, pair, depth);
}

/** A key that its shape did not foresee: the header of its value. */
function decodeKey(at: usize, entry: usize): usize {
  const key = at;
  at = readString(at);
  if (at == 0) return 0;
  const added = learnKey(entry, textStart, textLength, textPlain);
  return added == MEMBER_NEW ? at : refuseMember(added, key);
}

/** Any value, into a pair; `cell` is 8 bytes for it if it needs some. */
function decodeValue(at: usize, cell: usize, pair: usize, depth: i32): usize {
  if (!atValue(at)) return 0;
  const byte = load<u8>(at);
  let value: u64 = NULL;
  let end: usize = 0;
  if (isString(byte)) {
    end = readString(at);
    store<u64>(cell, <u64>textStart | ((<u64>textLength) << 32));
    value = box(TAG_STRING, cell);
  } else if (isNumber(byte)) {
    end = readNumber(at);
    value = ofDouble(numberValue);
  } else if (isMap(byte) || isArray(byte)) {
    end = isMap(byte) ? skipMap(at, depth + 1) : skipArray(at, depth + 1);
    store<u64>(cell, <u64>at | ((<u64>(end - at)) << 32));
    value = box(TAG_RAW_MSGPACK, cell);
  } else {
    end = skipValue(at, depth);
    value = byte == TRUE_BYTE ? TRUE : byte == FALSE_BYTE ? FALSE : NULL;
  }
  store<u64>(pair, value, 8);
  return end;
}
