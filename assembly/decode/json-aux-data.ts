/**
 * The parts of the request that decide nothing inside the guest: `auxData` (tokens, verified by the host) and
 * `requestContext` (annotations for the log). Both are validated in full and not kept.
 */
import { STATUS_MEMORY } from "../abi";
import { noteToken } from "./aux-data";
import { refuseAnyway } from "./failure";
import { Enter } from "./json-field";
import {
  auxDataField,
  contextField,
  FIELD_JWT,
  FIELD_TOKEN,
  jwtField,
  MESSAGE_AUX_DATA,
  MESSAGE_CONTEXT,
  MESSAGE_JWT,
} from "./json-fields";
import { isNull, OPEN_BRACE, refuseType, Scan } from "./json-scan";
import { skipKey, skipObject } from "./json-skip";
import { decodeString } from "./json-text";
import { newRun } from "./key-set";
import { stringLength } from "./request";

/** Depth of the two messages: they stand in the request. */
const DEPTH: i32 = 2;

/** A string record nobody reads, except for its length. */
const spareString = memory.data(16);

/** null | `{` [jwt] [jwts] `}` */
export function decodeAuxData(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  let seen: u32 = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const match = auxDataField(at + 1);
    at = Enter.field(match, MESSAGE_AUX_DATA, at, seen);
    if (at == 0) return 0;
    const field = Enter.entered(match);
    seen |= 1 << field;
    if (isNull(at)) at += 4;
    else at = field == FIELD_JWT ? decodeToken(at, false) : decodeTokens(at);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** `{` {name `:` token} `}`; unlike a field, an entry cannot be null. */
function decodeTokens(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
  const names = newRun();
  if (names == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    at = skipKey(at, names);
    if (at == 0) return 0;
    at = decodeToken(at, true);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** `{` [token] [keySetId] `}` */
function decodeToken(at: usize, named: bool): usize {
  if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
  let hasToken = false;
  let seen: u32 = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const match = jwtField(at + 1);
    at = Enter.field(match, MESSAGE_JWT, at, seen);
    if (at == 0) return 0;
    const field = Enter.entered(match);
    seen |= 1 << field;
    store<u32>(spareString, 0, 4);
    at = decodeString(at, spareString);
    if (at == 0) return 0;
    if (field == FIELD_TOKEN) hasToken = stringLength(spareString) != 0;
    at = Scan.nextKey(at);
  }
  if (at != 0) noteToken(named, hasToken);
  return Scan.afterObject(at);
}

/** null | `{` [annotations] `}` */
export function decodeContext(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  let seen: u32 = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const match = contextField(at + 1);
    at = Enter.field(match, MESSAGE_CONTEXT, at, seen);
    if (at == 0) return 0;
    seen |= 1 << Enter.entered(match);
    if (load<u8>(at) == OPEN_BRACE) at = skipObject(at, DEPTH + 1);
    else at = isNull(at) ? at + 4 : refuseType(at);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}
