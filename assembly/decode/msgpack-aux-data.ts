/**
 * The parts of a msgpack request that decide nothing inside the guest: `auxData` (tokens, verified by the host) and
 * `requestContext` (annotations for the log). Both are validated in full and not kept.
 */
import { STATUS_MEMORY } from "../abi";
import { noteToken } from "./aux-data";
import { refuseAnyway } from "./failure";
import { FIELD_JWT, FIELD_TOKEN, MESSAGE_AUX_DATA, MESSAGE_CONTEXT, MESSAGE_JWT } from "./json-fields";
import { newRun } from "./key-set";
import { EnterPacked } from "./msgpack-field";
import { itemCount, NIL, readMap } from "./msgpack-scan";
import { skipKey, skipMap } from "./msgpack-skip";
import { decodeString } from "./msgpack-text";
import { stringLength } from "./request";

/** Depth of the two messages: they stand in the request. */
const DEPTH: i32 = 2;

/** A string record nobody reads, except for its length. */
const spareString = memory.data(16);

/** nil | {jwt?, jwts?} */
export function decodeAuxData(at: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  at = readMap(at);
  if (at == 0) return 0;
  let seen: u32 = 0;
  for (let left = itemCount; left != 0; left--) {
    at = EnterPacked.field(0, MESSAGE_AUX_DATA, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(0);
    seen |= 1 << field;
    if (load<u8>(at) == NIL) at += 1;
    else at = field == FIELD_JWT ? decodeToken(at, false) : decodeTokens(at);
    if (at == 0) return 0;
  }
  return at;
}

/** {name: token...}; unlike a field, an entry cannot be nil. */
function decodeTokens(at: usize): usize {
  const names = newRun();
  if (names == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  at = readMap(at);
  if (at == 0) return 0;
  for (let left = itemCount; left != 0; left--) {
    at = skipKey(at, names);
    if (at == 0) return 0;
    at = decodeToken(at, true);
    if (at == 0) return 0;
  }
  return at;
}

/** {token?, keySetId?} */
function decodeToken(at: usize, named: bool): usize {
  at = readMap(at);
  if (at == 0) return 0;
  let hasToken = false;
  let seen: u32 = 0;
  for (let left = itemCount; left != 0; left--) {
    at = EnterPacked.field(0, MESSAGE_JWT, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(0);
    seen |= 1 << field;
    store<u32>(spareString, 0, 4);
    at = decodeString(at, spareString);
    if (at == 0) return 0;
    if (field == FIELD_TOKEN) hasToken = stringLength(spareString) != 0;
  }
  noteToken(named, hasToken);
  return at;
}

/** nil | {annotations?} */
export function decodeContext(at: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  at = readMap(at);
  if (at == 0) return 0;
  let seen: u32 = 0;
  for (let left = itemCount; left != 0; left--) {
    at = EnterPacked.field(0, MESSAGE_CONTEXT, at, seen);
    if (at == 0) return 0;
    const field = EnterPacked.entered(0);
    seen |= 1 << field;
    at = load<u8>(at) == NIL ? at + 1 : skipMap(at, DEPTH + 1);
    if (at == 0) return 0;
  }
  return at;
}
