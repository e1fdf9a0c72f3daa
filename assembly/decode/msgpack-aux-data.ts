/**
 * The parts of a msgpack request that decide nothing inside the guest: `auxData` (tokens, verified by the host) and
 * `requestContext` (annotations for the log). Both are validated in full and not kept.
 */
import { STATUS_MEMORY } from "../abi";
import { noteToken } from "./aux-data";
import { refuseAnyway } from "./failure";
import { auxDataField, contextField, FIELD_JWT, FIELD_TOKEN, jwtField } from "./json-fields";
import { newRun } from "./key-set";
import { field, keyText, readKey, takeField } from "./msgpack-field";
import { itemCount, NIL, readMap, textLength } from "./msgpack-scan";
import { skipKey, skipMap } from "./msgpack-skip";
import { decodeString } from "./msgpack-text";

/** Depth of the two messages: they stand in the request. */
const DEPTH: i32 = 2;

/** A string record nobody reads. */
const spareString = memory.data(16);

/** nil | {jwt?, jwts?} */
export function decodeAuxData(at: usize): usize {
  if (load<u8>(at) == NIL) return at + 1;
  at = readMap(at);
  if (at == 0) return 0;
  let seen: u32 = 0;
  for (let left = itemCount; left != 0; left--) {
    at = readKey(at);
    if (at == 0 || !takeField(auxDataField(keyText), seen)) return 0;
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
    at = readKey(at);
    if (at == 0 || !takeField(jwtField(keyText), seen)) return 0;
    seen |= 1 << field;
    const given = load<u8>(at) != NIL;
    at = decodeString(at, spareString);
    if (at == 0) return 0;
    if (field == FIELD_TOKEN) hasToken = given && textLength != 0;
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
    at = readKey(at);
    if (at == 0 || !takeField(contextField(keyText), seen)) return 0;
    seen |= 1 << field;
    at = load<u8>(at) == NIL ? at + 1 : skipMap(at, DEPTH + 1);
    if (at == 0) return 0;
  }
  return at;
}
