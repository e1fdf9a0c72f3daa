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
import { CELL_SIZE, closePairs, growPairs, learnKey, learntSlot, openShape, roomFor, Shape } from "./projection";
import { PAIR_SIZE } from "./request";

let decodedValue: u64 = NULL;

/** A map; `depth` counts it too. */
export function decodeAttributes(at: usize, ofPrincipal: bool, depth: i32): usize {
  closePairs(0, 0);
  at = readMap(at);
  if (at == 0) return 0;
  const count = itemCount;
  const shape = openShape(ofPrincipal);
  let known = Shape.known(shape);
  let entry = Shape.first(shape);
  // The next pair and its cell, the end of the chunk's pairs and their beginning.
  let pair: usize = 0;
  let cell: usize = 0;
  let full: usize = 0;
  let first: usize = 0;
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
      if (pair == full) {
        const taken = <u32>(pair - first) / <u32>PAIR_SIZE;
        first = growPairs(first, taken);
        if (first == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
        pair = first + (<usize>taken) * PAIR_SIZE;
        full = first + (<usize>roomFor(taken)) * PAIR_SIZE;
        cell = full + (<usize>taken) * CELL_SIZE;
      }
      const end = Packed.shortEnd(at);
      if (end != 0) {
        store<u64>(cell, (<u64>at + 1) | ((<u64>(end - at - 1)) << 32));
        store<u64>(pair, box(TAG_STRING, cell), 8);
        at = end;
      } else {
        at = decodeValue(at, cell, depth);
        store<u64>(pair, decodedValue, 8);
      }
      store<u64>(pair, <u64>slot);
      pair += PAIR_SIZE;
      cell += CELL_SIZE;
    }
    if (at == 0) return 0;
    entry = Shape.next(entry);
  }
  closePairs(first, pair);
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
