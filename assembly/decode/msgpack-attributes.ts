/**
 * The `attr` maps of a msgpack request: keys are looked up in the projection (projection.ts), hits become attribute
 * pairs in `pairs`, everything else is validated and skipped. Lists and maps are kept as their bytes.
 */
import { STATUS_MEMORY, TAG_RAW_MSGPACK, TAG_STRING } from "../abi";
import { NO_SLOT } from "../decide/attributes";
import { box, FALSE, NULL, ofDouble, TRUE } from "../value/value";
import { refuseAnyway } from "./failure";
import { MEMBER_NEW } from "./key-set";
import {
  atValue,
  bodyEnd,
  FALSE_BYTE,
  isArray,
  isMap,
  isNumber,
  isString,
  itemCount,
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
  learnKey,
  learntSlot,
  movePairs,
  openShape,
  Shape,
} from "./projection";
import { PAIR_SIZE } from "./request";

let decodedValue: u64 = NULL;

/** A map; `depth` counts it too. */
export function decodeAttributes(at: usize, ofPrincipal: bool, depth: i32): usize {
  at = readMap(at);
  if (at == 0) return 0;
  const count = itemCount;
  const shape = openShape(ofPrincipal);
  let known = Shape.known(shape);
  let entry = Shape.first(shape);
  let first = freePair;
  let pair = first;
  let cell = freeCell;
  for (let index: u32 = 0; index < count; index++) {
    const key = at;
    let slot: i32;
    if (index < known && Shape.repeatsPacked(at, entry) && at + Shape.length(entry) < bodyEnd) {
      slot = Shape.slot(entry, at + 1);
      at += 1 + Shape.length(entry);
    } else {
      known = 0;
      at = readString(at);
      if (at == 0) return 0;
      const added = learnKey(shape, index, textStart, textLength, textPlain, ofPrincipal);
      if (added != MEMBER_NEW) return refuseMember(added, key);
      slot = learntSlot;
    }
    if (slot == NO_SLOT) {
      at = skipValue(at, depth);
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
      const length = Packed.fixLength(at);
      const end = at + 1 + length;
      if (length <= 16 && end <= bodyEnd && Packed.isPlain(at + 1, length)) {
        store<u64>(cell, (<u64>at + 1) | ((<u64>length) << 32));
        store<u64>(pair, box(TAG_STRING, cell), 8);
        at = end;
      } else {
        at = decodeValue(at, cell, depth);
        if (at == 0) return 0;
        store<u64>(pair, decodedValue, 8);
      }
      pair += PAIR_SIZE;
    }
    if (at == 0) return 0;
    entry = Shape.next(entry);
  }
  closePairs(first, pair, cell);
  return at;
}

/** Any value, left in `decodedValue`; `cell` is 8 bytes for it if it needs some. */
function decodeValue(at: usize, cell: usize, depth: i32): usize {
  if (!atValue(at)) return 0;
  const byte = load<u8>(at);
  if (isString(byte)) {
    const end = readString(at);
    store<u32>(cell, <u32>textStart);
    store<u32>(cell, textLength, 4);
    decodedValue = box(TAG_STRING, cell);
    return end;
  }
  if (isNumber(byte)) {
    const end = readNumber(at);
    decodedValue = ofDouble(numberValue);
    return end;
  }
  if (isMap(byte) || isArray(byte)) {
    const end = isMap(byte) ? skipMap(at, depth + 1) : skipArray(at, depth + 1);
    store<u32>(cell, <u32>at);
    store<u32>(cell, <u32>(end - at), 4);
    decodedValue = box(TAG_RAW_MSGPACK, cell);
    return end;
  }
  decodedValue = byte == TRUE_BYTE ? TRUE : byte == FALSE_BYTE ? FALSE : NULL;
  return skipValue(at, depth);
}
