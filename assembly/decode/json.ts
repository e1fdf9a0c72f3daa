/**
 * The JSON request decoder: CheckResourcesRequest (COMPAT.md 10.2) in protobuf JSON, one validating pass over the
 * raw bytes into the records of request.ts. Field names in camelCase and snake_case; `null` is "not given";
 * unknown and repeated fields are refused, in parts that are skipped too. Whether the content makes sense
 * (ids present, names unique...) is validate.ts's business.
 *
 * Each parse function takes the address of the first byte of its production and answers the address after its
 * last one, or 0 with the reason in failure.ts. The loops over fields look alike because a shared one would need
 * an indirect call per field.
 */
import { FORMAT_JSON, STATUS_MEMORY, STATUS_SYNTAX, STATUS_TRAILING, TAG_RAW_JSON } from "../abi";
import { box } from "../value/value";
import { clearAuxData } from "./aux-data";
import { conclude, expectUntil, refuse, refuseAnyway } from "./failure";
import { decodeAttributes } from "./json-attributes";
import { decodeAuxData, decodeContext } from "./json-aux-data";
import { Enter } from "./json-field";
import {
  Field,
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
import {
  CLOSE_BRACKET,
  COMMA,
  COMMA_BRACE,
  COLON_QUOTE,
  guardEnd,
  isFalse,
  isNull,
  isTrue,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  refuseType,
  Scan,
} from "./json-scan";
import { quotedKindEnd } from "./kind-end";
import { decodeString, decodeStrings, listCount, listRecords, Text } from "./json-text";
import { pairCount, pairs, prepareShapes } from "./projection";
import {
  actionCount,
  actionRecords,
  actionsLength,
  noteActions,
  notePrincipal,
  prefixLength,
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
import { regrow, reserve } from "./reserve";

/** Depth of the two `attr` objects: request, principal, attr; request, resources, entry, resource, attr. */
const PRINCIPAL_ATTR_DEPTH: i32 = 3;
const RESOURCE_ATTR_DEPTH: i32 = 5;
/** Place in the resource record of each string field, by field number (kind 12, id 7, version 8, scope 11). */
const RECORDS = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 16, 32, 0, 0, 48, 0]);
const FIRST_RESOURCES: u32 = 16;
const NO_LIMIT: u32 = 0xffff_ffff;

/**
 * Decodes the `length` bytes at `start` into request.ts. Answers STATUS_OK or the reason of the refusal, then with
 * CONTROL_ERROR_OFFSET (bytes from `start`) and CONTROL_ERROR_DETAIL (the count found, for limits) set. The body
 * must be followed by 32 bytes of memory; what they hold does not matter, and they are left as they were.
 */
export function decodeJson(start: usize, length: u32, maxActions: u32, maxResources: u32): i32 {
  const end = start + length;
  clearRequest();
  clearAuxData();
  prepareShapes();
  expectUntil(end);
  setLimits(maxActions, maxResources, FORMAT_JSON);
  const before = guardEnd(end);
  const at = decodeBody(start, end);
  store<u8>(end, before);
  return conclude(at, start);
}

/** The whole body: one request, white space, and exactly the end. */
function decodeBody(start: usize, end: usize): usize {
  let at = Scan.space(start);
  if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
  at = decodeRequest(at);
  if (at == 0) return 0;
  at = Scan.space(at);
  if (at != end) return refuse(STATUS_TRAILING, at);
  return withinLimits(at, start);
}

/** `{` [requestId] [includeMeta] [principal] [resources] [auxData] [requestContext] `}` */
function decodeRequest(at: usize): usize {
  let seen: u32 = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const match = Field.request(at + 1);
    at = Enter.field(match, MESSAGE_REQUEST, at, seen);
    if (at == 0) return 0;
    const field = Enter.entered(match);
    seen |= 1 << field;
    if (field == FIELD_REQUEST_ID) at = decodeString(at, requestId);
    else if (field == FIELD_PRINCIPAL) at = decodePrincipal(at);
    else if (field == FIELD_RESOURCES) at = decodeResources(at);
    else if (field == FIELD_INCLUDE_META) at = decodeIncludeMeta(at);
    else at = field == FIELD_AUX_DATA ? decodeAuxData(at) : decodeContext(at);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** true | false | null */
function decodeIncludeMeta(at: usize): usize {
  if (isTrue(at)) {
    setIncludeMeta(true);
    return at + 4;
  }
  if (isFalse(at)) return at + 5;
  return isNull(at) ? at + 4 : refuseType(at);
}

/** null | `{` [id] [policyVersion] [roles] [attr] [scope] `}` */
function decodePrincipal(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  if (Repeats.principal(at)) {
    takePrincipal();
    return at + principalLength;
  }
  const place = at;
  let seen: u32 = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const match = Field.principal(at + 1);
    at = Enter.field(match, MESSAGE_PRINCIPAL, at, seen);
    if (at == 0) return 0;
    const field = Enter.entered(match);
    seen |= 1 << field;
    if (field == FIELD_ID) at = decodeString(at, principalId);
    else if (field == FIELD_ROLES) at = decodeRoles(at);
    else if (field == FIELD_ATTR) at = decodePrincipalAttr(at);
    else at = decodeString(at, field == FIELD_VERSION ? principalVersion : principalScope);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  at = Scan.afterObject(at);
  if (at != 0) notePrincipal(place, at);
  return at;
}

function decodeRoles(at: usize): usize {
  at = decodeStrings(at, NO_LIMIT);
  if (at != 0) setRoles(listRecords, listCount);
  return at;
}

/** null | object */
function decodePrincipalAttr(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  const cell = reserve(8);
  if (cell == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  const end = decodeAttributes(at, true, PRINCIPAL_ATTR_DEPTH);
  if (end == 0) return 0;
  store<u32>(cell, <u32>at);
  store<u32>(cell, <u32>(end - at), 4);
  setPrincipalAttr(pairs, pairCount, box(TAG_RAW_JSON, cell));
  return end;
}

/** null | `[` [entry {`,` entry}] `]` */
function decodeResources(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACKET) return isNull(at) ? at + 4 : refuseType(at);
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACKET) return at + 1;
  let records: usize = 0;
  let capacity: u32 = 0;
  let count: u32 = 0;
  while (true) {
    if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
    if (count < resourceLimit) {
      if (count == capacity) {
        capacity = count == 0 ? FIRST_RESOURCES : count * 2;
        records = regrow(records, count, RESOURCE_SIZE, capacity);
        if (records == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
      }
      at = decodeEntry(at, records + <usize>count * RESOURCE_SIZE);
    } else {
      beginSpare();
      at = decodeEntry(at, spareResource);
      endSpare();
    }
    if (at == 0) return 0;
    count += 1;
    if (load<u16>(at) == COMMA_BRACE) {
      at += 1;
      continue;
    }
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte != COMMA) {
      if (byte != CLOSE_BRACKET) return refuse(STATUS_SYNTAX, at);
      setEntries(records, count);
      return at + 1;
    }
    at = Scan.space(at + 1);
  }
}

/** The entry whose prefix is still to be noted (0 = none), and the fields that it has had. */
let openEntry: usize = 0;
let openFields: u32 = 0;

/** `{` [actions] [resource] `}` */
function decodeEntry(at: usize, record: usize): usize {
  let seen: u32 = 0;
  if (Repeats.prefix(at) || recallsPrefix(at, record)) {
    takeResource(record, at);
    seen = prefixOfEntry;
    openEntry = 0;
    // The prefix ends with the quote that opens a key.
    at = decodeRest(at + prefixLength - 1, record);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  } else {
    clearResource(record, at);
    forgetPrefix();
    openEntry = at;
    at = Scan.firstKey(at);
  }
  while (!Scan.ended(at)) {
    const match = Field.entry(at + 1);
    at = Enter.field(match, MESSAGE_ENTRY, at, seen);
    if (at == 0) return 0;
    const field = Enter.entered(match);
    seen |= 1 << field;
    openFields = seen;
    at = field == FIELD_ACTIONS ? decodeActions(at, record) : decodeResource(at, record);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** Makes the known prefix that the entry at `at` begins with the current one; false when it begins with none. */
function recallsPrefix(at: usize, record: usize): bool {
  if (!asksFor(record)) return false;
  if (followPrefix(at)) return true;
  const kindEnd = quotedKindEnd(at);
  return recallPrefix(at, kindEnd, load<u32>(kindEnd));
}

function decodeActions(at: usize, record: usize): usize {
  const place = at;
  if (Repeats.actions(at)) {
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

/** null | `{` [kind] [policyVersion] [id] [attr] [scope] `}` */
function decodeResource(at: usize, record: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  return decodeFields(Scan.firstKey(at), 0, record);
}

/** The fields of a resource behind the prefix, which ends before the first of id and attributes: mostly just these two. */
function decodeRest(at: usize, record: usize): usize {
  let seen = prefixOfResource;
  if (Field.isId(at) && load<u16>(at, 4) == COLON_QUOTE) {
    const start = at + 6;
    const end = Scan.plainEnd(start);
    if (load<u8>(end) == QUOTE) {
      Text.plain(record + RESOURCE_ID, start, <u32>(end - start));
      seen |= 1 << FIELD_ID;
      at = Scan.nextKey(end + 1);
      if (Scan.ended(at)) return Scan.afterObject(at);
    }
  }
  if (Field.isAttrObject(at)) {
    at = decodeResourceAttr(at + 7, record);
    if (at == 0) return 0;
    seen |= 1 << FIELD_ATTR;
    at = Scan.nextKey(at);
    if (Scan.ended(at)) return Scan.afterObject(at);
  }
  return decodeFields(at, seen, record);
}

/** The fields of a resource from the key at `at` on; `seen` are those before. */
function decodeFields(at: usize, seen: u32, record: usize): usize {
  while (!Scan.ended(at)) {
    const key = at;
    const match = Field.resource(at + 1);
    at = Enter.field(match, MESSAGE_RESOURCE, at, seen);
    if (at == 0) return 0;
    const field = Enter.entered(match);
    if (openEntry != 0 && (field == FIELD_ID || field == FIELD_ATTR)) {
      endPrefix(openEntry, key + 1, openFields, seen, 0, 0, record);
      openEntry = 0;
    }
    seen |= 1 << field;
    if (field == FIELD_ATTR) {
      at = decodeResourceField(at, field, record);
      if (at == 0) return 0;
    } else {
      const start = at + 1;
      const end = Scan.plainEnd(start);
      if (load<u8>(at) == QUOTE && load<u8>(end) == QUOTE) {
        Text.plain(record + <usize>load<u8>(RECORDS + field), start, <u32>(end - start));
        at = end + 1;
      } else {
        at = decodeResourceField(at, field, record);
        if (at == 0) return 0;
      }
    }
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** The value of any field of a resource. */
function decodeResourceField(at: usize, field: u32, record: usize): usize {
  if (field == FIELD_ATTR) return decodeResourceAttr(at, record);
  return decodeString(at, record + <usize>load<u8>(RECORDS + field));
}

/** null | object */
function decodeResourceAttr(at: usize, record: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  const end = decodeAttributes(at, false, RESOURCE_ATTR_DEPTH);
  if (end == 0) return 0;
  setAttributes(record, TAG_RAW_JSON, at, end);
  return end;
}
