/**
 * The msgpack request decoder: the same message as json.ts, as maps with the same names. Integers and floats become
 * doubles, nil is "not given", bin and ext are wrong types, and strictness is that of JSON: unknown and repeated
 * keys, UTF-8, depth, trailing bytes.
 *
 * Each function takes the address of the header of its value and answers the address after it, or 0 with the
 * reason in failure.ts.
 */
import { FORMAT_MSGPACK, STATUS_MEMORY, STATUS_TRAILING, TAG_RAW_MSGPACK } from "../abi";
import { box } from "../value/value";
import { clearAuxData } from "./aux-data";
import { conclude, expectUntil, refuse, refuseAnyway } from "./failure";
import {
  FIELD_ACTIONS,
  FIELD_ATTR,
  FIELD_AUX_DATA,
  FIELD_ID,
  FIELD_INCLUDE_META,
  FIELD_PRINCIPAL,
  FIELD_REQUEST_ID,
  FIELD_RESOURCES,
  FIELD_ROLES,
  FIELD_VERSION,
  MESSAGE_ENTRY,
  MESSAGE_PRINCIPAL,
  MESSAGE_REQUEST,
  MESSAGE_RESOURCE,
} from "./json-fields";
import { packedKindEnd } from "./kind-end";
import { decodeAttributes } from "./msgpack-attributes";
import { decodeAuxData, decodeContext } from "./msgpack-aux-data";
import { EnterPacked } from "./msgpack-field";
import { PackedField } from "./msgpack-fields";
import {
  bodyEnd,
  FALSE_BYTE,
  itemCount,
  NIL,
  MOST_FIX,
  NO_COUNT,
  Packed,
  readArray,
  readMap,
  readUntil,
  refuseHeader,
  TRUE_BYTE,
} from "./msgpack-scan";
import { decodeString, decodeStrings, listCount, listRecords, Text } from "./msgpack-text";
import { pairCount, pairs, prepareShapes } from "./projection";
import {
  actionCount,
  actionRecords,
  actionsLength,
  noteActions,
  notePrincipal,
  prefixLength,
  prefixLeftOfEntry,
  prefixLeftOfResource,
  prefixOfEntry,
  prefixOfResource,
  principalLength,
  forgetPrefix,
  repeatActions,
  Repeats,
  takePrincipal,
} from "./repeats";
import {
  clearRequest,
  principalId,
  principalScope,
  principalVersion,
  requestId,
  RESOURCE_ID,
  RESOURCE_SIZE,
  setIncludeMeta,
  setPrincipalAttr,
  setRoles,
  STRING_PLAIN,
} from "./request";
import {
  actionLimit,
  asksFor,
  beginSpare,
  clearResource,
  endPrefix,
  endSpare,
  followPrefix,
  recallPrefix,
  resourceLimit,
  setActions,
  setAttributes,
  setEntries,
  setLimits,
  spareResource,
  takeResource,
  withinLimits,
} from "./request-limits";
import { reserve } from "./reserve";

/** Depth of the two `attr` maps: request, principal, attr; request, resources, entry, resource, attr. */
const PRINCIPAL_ATTR_DEPTH: i32 = 3;
const RESOURCE_ATTR_DEPTH: i32 = 5;
/** Place in the resource record of each string field, by field number (kind 12, id 7, version 8, scope 11). */
const RECORDS = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 16, 32, 0, 0, 48, 0]);
const NO_LIMIT: u32 = 0xffff_ffff;

/**
 * Decodes the `length` bytes at `start` into request.ts. Answers STATUS_OK or the reason of the refusal, then with
 * CONTROL_ERROR_OFFSET (bytes from `start`) and CONTROL_ERROR_DETAIL (the count found, for limits) set. The body
 * must be followed by 32 readable bytes; what they hold does not matter.
 */
export function decodeMsgpack(start: usize, length: u32, maxActions: u32, maxResources: u32): i32 {
  const end = start + length;
  clearRequest();
  clearAuxData();
  prepareShapes();
  expectUntil(end);
  readUntil(end);
  setLimits(maxActions, maxResources, FORMAT_MSGPACK);
  return conclude(decodeBody(start, end), start);
}

/** The whole body: one request, and exactly the end. */
function decodeBody(start: usize, end: usize): usize {
  const at = decodeRequest(start);
  if (at == 0) return 0;
  if (at != end) return refuse(STATUS_TRAILING, at);
  return withinLimits(at, start);
}

/** {requestId?, includeMeta?, principal?, resources?, auxData?, requestContext?} */
function decodeRequest(at: usize): usize {
  at = readMap(at);
  if (at == 0) return 0;
  let seen: u32 = 0;
  for (let left = itemCount; left != 0; left--) {
    const match = PackedField.request(at);
    at = EnterPacked.field(match, MESSAGE_REQUEST, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(match);
    seen |= 1 << field;
    if (field == FIELD_REQUEST_ID) at = decodeString(at, requestId);
    else if (field == FIELD_PRINCIPAL) at = decodePrincipal(at);
    else if (field == FIELD_RESOURCES) at = decodeResources(at);
    else if (field == FIELD_INCLUDE_META) at = decodeIncludeMeta(at);
    else at = field == FIELD_AUX_DATA ? decodeAuxData(at) : decodeContext(at);
    if (at == 0) return 0;
  }
  return at;
}

/** bool | nil */
function decodeIncludeMeta(at: usize): usize {
  const byte = load<u8>(at);
  if (byte != TRUE_BYTE && byte != FALSE_BYTE && byte != NIL) return refuseHeader(at);
  setIncludeMeta(byte == TRUE_BYTE);
  return at + 1;
}

/** nil | {id?, policyVersion?, roles?, attr?, scope?} */
function decodePrincipal(at: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  if (principalLength <= bodyEnd - at && Repeats.principal(at)) {
    takePrincipal();
    return at + principalLength;
  }
  const place = at;
  at = readMap(at);
  if (at == 0) return 0;
  let seen: u32 = 0;
  for (let left = itemCount; left != 0; left--) {
    const match = PackedField.principal(at);
    at = EnterPacked.field(match, MESSAGE_PRINCIPAL, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(match);
    seen |= 1 << field;
    if (field == FIELD_ID) at = decodeString(at, principalId);
    else if (field == FIELD_ROLES) at = decodeRoles(at);
    else if (field == FIELD_ATTR) at = decodePrincipalAttr(at);
    else at = decodeString(at, field == FIELD_VERSION ? principalVersion : principalScope);
    if (at == 0) return 0;
  }
  notePrincipal(place, at);
  return at;
}

function decodeRoles(at: usize): usize {
  at = decodeStrings(at, NO_LIMIT);
  if (at != 0) setRoles(listRecords, listCount);
  return at;
}

/** nil | map */
function decodePrincipalAttr(at: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  const cell = reserve(8);
  if (cell == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  const end = decodeAttributes(at, true, PRINCIPAL_ATTR_DEPTH);
  if (end == 0) return 0;
  store<u32>(cell, <u32>at);
  store<u32>(cell, <u32>(end - at), 4);
  setPrincipalAttr(pairs, pairCount, box(TAG_RAW_MSGPACK, cell));
  return end;
}

/** nil | [entry...] */
function decodeResources(at: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  at = readArray(at);
  if (at == 0) return 0;
  const count = itemCount;
  const kept = count < resourceLimit ? count : resourceLimit;
  const records: usize = kept == 0 ? 0 : reserve(<usize>kept * RESOURCE_SIZE);
  if (records == 0 && kept != 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  for (let index: u32 = 0; index < count; index++) {
    if (index < kept) {
      at = decodeEntry(at, records + <usize>index * RESOURCE_SIZE);
    } else {
      beginSpare();
      at = decodeEntry(at, spareResource);
      endSpare();
    }
    if (at == 0) return 0;
  }
  setEntries(records, count);
  return at;
}

/** The entry whose prefix is still to be noted (0 = none), the fields that it has had and those still to come. */
let openEntry: usize = 0;
let openFields: u32 = 0;
let openLeft: u32 = 0;

/** {actions?, resource?} */
function decodeEntry(at: usize, record: usize): usize {
  let seen: u32 = 0;
  let left: u32 = 0;
  if ((prefixLength <= bodyEnd - at && Repeats.prefix(at)) || recallsPrefix(at, record)) {
    takeResource(record, at);
    seen = prefixOfEntry;
    left = prefixLeftOfEntry;
    openEntry = 0;
    at = decodeRest(at + prefixLength, record);
    if (at == 0) return 0;
  } else {
    clearResource(record, at);
    forgetPrefix();
    openEntry = at;
    left = Packed.mapCount(at);
    if (left != NO_COUNT) {
      at += 1;
    } else {
      at = readMap(at);
      if (at == 0) return 0;
      left = itemCount;
    }
  }
  for (; left != 0; left--) {
    const match = PackedField.entry(at);
    at = EnterPacked.field(match, MESSAGE_ENTRY, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(match);
    seen |= 1 << field;
    openFields = seen;
    openLeft = left - 1;
    at = field == FIELD_ACTIONS ? decodeActions(at, record) : decodeResource(at, record);
    if (at == 0) return 0;
  }
  return at;
}

/** Makes the known prefix that the entry at `at` begins with the current one; false when it begins with none. */
function recallsPrefix(at: usize, record: usize): bool {
  if (!asksFor(record)) return false;
  if (followPrefix(at)) return true;
  const kindEnd = packedKindEnd(at);
  return recallPrefix(at, kindEnd, <u32>load<u16>(kindEnd));
}

function decodeActions(at: usize, record: usize): usize {
  const place = at;
  if (actionsLength <= bodyEnd - at && Repeats.actions(at)) {
    setActions(record, actionRecords, actionCount, place);
    repeatActions(place);
    return at + actionsLength;
  }
  at = decodeStrings(at, actionLimit);
  if (at == 0) return 0;
  setActions(record, listRecords, listCount, place);
  noteActions(place, at, listRecords, listCount);
  return at;
}

/** nil | {kind?, policyVersion?, id?, attr?, scope?} */
function decodeResource(at: usize, record: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  let left = Packed.mapCount(at);
  if (left != NO_COUNT) {
    at += 1;
  } else {
    at = readMap(at);
    if (at == 0) return 0;
    left = itemCount;
  }
  return decodeFields(at, left, 0, record);
}

/** The fields of a resource behind the prefix, which ends before the first of id and attributes: mostly just these two. */
function decodeRest(at: usize, record: usize): usize {
  let left = prefixLeftOfResource;
  let seen = prefixOfResource;
  if (PackedField.isId(at)) {
    const length = Packed.fixLength(at + 3);
    const start = at + 4;
    if (length <= MOST_FIX && start + length <= bodyEnd && Packed.isPlain(start, length)) {
      Text.write(record + RESOURCE_ID, start, length, STRING_PLAIN);
      at = start + length;
      left -= 1;
      seen |= 1 << FIELD_ID;
    }
  }
  if (left != 0 && PackedField.isAttr(at) && at + 5 < bodyEnd) {
    at = decodeResourceAttr(at + 5, record);
    if (at == 0) return 0;
    left -= 1;
    seen |= 1 << FIELD_ATTR;
  }
  return left == 0 ? at : decodeFields(at, left, seen, record);
}

/** The `left` last fields of a resource, from the key at `at` on; `seen` are those before. */
function decodeFields(at: usize, left: u32, seen: u32, record: usize): usize {
  for (; left != 0; left--) {
    const key = at;
    const match = PackedField.resource(at);
    at = EnterPacked.field(match, MESSAGE_RESOURCE, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(match);
    if (openEntry != 0 && (field == FIELD_ID || field == FIELD_ATTR)) {
      endPrefix(openEntry, key, openFields, seen, openLeft, left, record);
      openEntry = 0;
    }
    seen |= 1 << field;
    const length = Packed.fixLength(at);
    if (length <= MOST_FIX && field != FIELD_ATTR) {
      const start = at + 1;
      if (start + length <= bodyEnd && Packed.isPlain(start, length)) {
        Text.write(record + <usize>load<u8>(RECORDS + field), start, length, STRING_PLAIN);
        at = start + length;
      } else {
        at = decodeResourceField(at, field, record);
        if (at == 0) return 0;
      }
    } else {
      at = decodeResourceField(at, field, record);
      if (at == 0) return 0;
    }
  }
  return at;
}

/** The value of any field of a resource. */
function decodeResourceField(at: usize, field: u32, record: usize): usize {
  if (field == FIELD_ATTR) return decodeResourceAttr(at, record);
  return decodeString(at, record + <usize>load<u8>(RECORDS + field));
}

/** nil | map */
function decodeResourceAttr(at: usize, record: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  const end = decodeAttributes(at, false, RESOURCE_ATTR_DEPTH);
  if (end == 0) return 0;
  setAttributes(record, TAG_RAW_MSGPACK, at, end);
  return end;
}
