/**
 * The parts of the request that decide nothing inside the guest: `auxData` (tokens, verified by the host) and
 * `requestContext` (annotations for the log). Both are validated in full and not kept.
 */
import { STATUS_MEMORY, STATUS_SYNTAX } from "../abi";
import { noteToken } from "./aux-data";
import { refuse, refuseAnyway } from "./failure";
import { enterField, field } from "./json-field";
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
import { CLOSE_BRACE, COMMA, isNull, OPEN_BRACE, refuseType, Scan } from "./json-scan";
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
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACE) return at + 1;
  let seen: u32 = 0;
  while (true) {
    at = enterField(auxDataField(at + 1), MESSAGE_AUX_DATA, at, seen);
    if (at == 0) return 0;
    seen |= 1 << field;
    if (isNull(at)) at += 4;
    else at = field == FIELD_JWT ? decodeToken(at, false) : decodeTokens(at);
    if (at == 0) return 0;
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte == CLOSE_BRACE) return at + 1;
    if (byte != COMMA) return refuse(STATUS_SYNTAX, at);
    at = Scan.space(at + 1);
  }
}

/** `{` {name `:` token} `}`; unlike a field, an entry cannot be null. */
function decodeTokens(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
  const names = newRun();
  if (names == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACE) return at + 1;
  while (true) {
    at = skipKey(at, names);
    if (at == 0) return 0;
    at = decodeToken(at, true);
    if (at == 0) return 0;
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte == CLOSE_BRACE) return at + 1;
    if (byte != COMMA) return refuse(STATUS_SYNTAX, at);
    at = Scan.space(at + 1);
  }
}

/** `{` [token] [keySetId] `}` */
function decodeToken(at: usize, named: bool): usize {
  if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
  let hasToken = false;
  let seen: u32 = 0;
  at = Scan.space(at + 1);
  let byte = load<u8>(at);
  while (byte != CLOSE_BRACE) {
    at = enterField(jwtField(at + 1), MESSAGE_JWT, at, seen);
    if (at == 0) return 0;
    const entered = field;
    seen |= 1 << entered;
    store<u32>(spareString, 0, 4);
    at = decodeString(at, spareString);
    if (at == 0) return 0;
    if (entered == FIELD_TOKEN) hasToken = stringLength(spareString) != 0;
    at = Scan.space(at);
    byte = load<u8>(at);
    if (byte == COMMA) {
      at = Scan.space(at + 1);
      if (load<u8>(at) == CLOSE_BRACE) return refuse(STATUS_SYNTAX, at);
    } else if (byte != CLOSE_BRACE) {
      return refuse(STATUS_SYNTAX, at);
    }
  }
  noteToken(named, hasToken);
  return at + 1;
}

/** null | `{` [annotations] `}` */
export function decodeContext(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) return isNull(at) ? at + 4 : refuseType(at);
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACE) return at + 1;
  at = enterField(contextField(at + 1), MESSAGE_CONTEXT, at, 0);
  if (at == 0) return 0;
  if (load<u8>(at) == OPEN_BRACE) at = skipObject(at, DEPTH + 1);
  else at = isNull(at) ? at + 4 : refuseType(at);
  if (at == 0) return 0;
  at = Scan.space(at);
  const byte = load<u8>(at);
  if (byte == CLOSE_BRACE) return at + 1;
  if (byte != COMMA) return refuse(STATUS_SYNTAX, at);
  // The message has one field: another is unknown or a repetition, and the entry says which.
  at = Scan.space(at + 1);
  at = enterField(contextField(at + 1), MESSAGE_CONTEXT, at, <u32>-1);
  return at == 0 ? 0 : refuse(STATUS_SYNTAX, at);
}
