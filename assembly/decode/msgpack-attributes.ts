/**
 * The `attr` maps of a msgpack request: keys are looked up in the projection (projection.ts), hits become attribute
 * pairs in `pairs`, everything else is validated and skipped. Lists and maps are kept as their bytes.
 */
import { STATUS_MEMORY, STATUS_TRUNCATED, TAG_RAW_MSGPACK, TAG_STRING } from "../abi";
import { NO_SLOT } from "../decide/attributes";
import { box, FALSE, NULL, ofDouble, TRUE } from "../value/value";
import { refuse, refuseAnyway } from "./failure";
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
  movePairs,
  openShape,
  repeatsLongPacked,
  Shape,
} from "./projection";
import { PAIR_SIZE } from "./request";

/** The usual values, expanded where they are used. */
class Attribute {
  /** Any value, into a pair; `cell` is 8 bytes for it if it needs some. */
  @inline static value(at: usize, cell: usize, pair: usize, depth: i32): usize {
    const length = Packed.fixLength(at);
    if (length <= MOST_FIX) {
      const start = at + 1;
      if (start + length > bodyEnd) return refuse(STATUS_TRUNCATED, bodyEnd);
      if (Packed.isPlain(start, length)) {
        store<u64>(cell, <u64>start | ((<u64>length) << 32));
        store<u64>(pair, box(TAG_STRING, cell), 8);
        return start + length;
      }
      return decodeValue(at, cell, pair, depth);
    }
    return decodeValue(at, cell, pair, depth);
  }

  /** Any value that no policy asks for. */
  @inline static skip(at: usize, depth: i32): usize {
    const length = Packed.fixLength(at);
    const end = at + 1 + length;
    if (length <= MOST_FIX && end <= bodyEnd && Packed.isPlain(at + 1, length)) return end;
    return skipValue(at, depth);
  }
}

/** A map; `depth` counts it too. Written as json-attributes.ts is, for the same reasons. */
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
  let known = knownEnd;
  let pair = freePair;
  let cell = freeCell;
  while (left != 0) {
    let slot: i32;
    if (entry < known) {
      if (Shape.repeatsPacked(at, entry)) {
        slot = Shape.slot(entry, at + 1);
        at += 1 + Shape.length(entry);
      } else if (repeatsLongPacked(at, entry)) {
        slot = Shape.slot(entry, at + 1);
        at += 1 + Shape.length(entry);
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
      at = Attribute.skip(at, depth);
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
    left -= 1;
  }
  closePairs(pair, cell);
  return at;
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
