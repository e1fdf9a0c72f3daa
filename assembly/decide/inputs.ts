/**
 * What conditions can read besides projected attributes: the fields of `request`, `runtime`, `globals`, and the instant of
 * the request. Whole objects are built on demand; generated code calls one function per input (compiler/emit).
 */
import { ERROR_MEMORY, STATUS_AUX_DATA, STATUS_MEMORY, STATUS_OK, TAG_MAP } from "../abi";
import { decodeJsonValue, jsonValueStatus } from "../decode/json-build";
import {
  RESOURCE_ATTR,
  RESOURCE_ID,
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  STRING_SIZE,
  principalAttr,
  principalId,
  principalScope,
  principalVersion,
  roleCount,
  roles,
  stringLength,
  stringStart,
} from "../decode/request";
import {
  MESSAGE_AUX_DATA,
  MESSAGE_PRINCIPAL,
  MESSAGE_REQUEST,
  MESSAGE_RESOURCE,
  MESSAGE_RUNTIME,
  ofMessage,
  UNSET,
} from "../cel/messages";
import { fits } from "../memory/arena";
import {
  NULL,
  countOf,
  fail,
  isError,
  keyAt,
  lengthOf,
  newList,
  newMap,
  ofString,
  ofTimestamp,
  setEntry,
  setItem,
  tagOf,
  valueAt,
} from "../value/value";
import { effectiveDerivedRoles } from "./derived-roles";
import { principalAttributes, resourceAttributes } from "./evaluation-inputs";
import { resourceRecord } from "./subject";

const DOT: u8 = 0x2e;
const NANOS_PER_MILLI: f64 = 1000000;

let nowMillis: f64 = 0;
let nowSeconds: i64 = 0;
let nowNanos: u32 = 0;
/** Whether a condition or an output asked for the instant of the request. */
let nowRead: bool = false;
let globals: u64 = 0;
/** The claims that came with the request, a map; 0 when none did. */
let auxData: u64 = 0;
/** The same whether or not conditions see it at the moment. */
let givenAuxData: u64 = 0;

/** Sets the instant of the request, in milliseconds since 1970. */
export function setNow(millis: f64): void {
  nowRead = false;
  // Requests that are decided together have the same one.
  if (millis == nowMillis) return;
  nowMillis = millis;
  const whole = Math.floor(millis / 1000.0);
  nowSeconds = <i64>whole;
  nowNanos = <u32>((millis - whole * 1000.0) * NANOS_PER_MILLI);
}

/** Whether anything of the last request depended on when it was decided. */
export function readsNow(): bool {
  return nowRead;
}

export function setGlobalsValue(value: u64): void {
  globals = value;
}

/**
 * Sets `request.auxData` from the JSON text of `length` bytes at `start`, which the host wrote after it verified the
 * tokens; no text for a request without. STATUS_OK, STATUS_MEMORY, or STATUS_AUX_DATA for text that is no map.
 */
export function setAuxData(start: usize, length: u32): i32 {
  auxData = 0;
  givenAuxData = 0;
  if (length == 0) return STATUS_OK;
  const value = decodeJsonValue(start, length);
  if (isError(value)) return jsonValueStatus() == STATUS_MEMORY ? STATUS_MEMORY : STATUS_AUX_DATA;
  if (tagOf(value) != TAG_MAP) return STATUS_AUX_DATA;
  auxData = value;
  givenAuxData = value;
  return STATUS_OK;
}

/** Shows `request.auxData` to conditions, or an empty one: the claims belong to the evaluations whose context has the tokens. */
export function showAuxData(visible: bool): void {
  auxData = visible ? givenAuxData : 0;
}

export function inputNow(): u64 {
  nowRead = true;
  return ofTimestamp(nowSeconds, nowNanos);
}

export function inputGlobals(): u64 {
  return globals == 0 ? newMap(0) : globals;
}

export function inputPrincipalId(): u64 {
  return textOf(principalId);
}

export function inputPrincipalRoles(): u64 {
  if (!fits(<usize>roleCount * 16)) return fail(ERROR_MEMORY, NULL);
  const list = newList(roleCount);
  for (let index: u32 = 0; index < roleCount; index++) {
    setItem(list, index, textOf(roles + <usize>index * STRING_SIZE));
  }
  return list;
}

export function inputPrincipalAttr(): u64 {
  return principalAttributes(principalAttr);
}

export function inputPrincipalPolicyVersion(): u64 {
  return textOf(principalVersion);
}

export function inputPrincipalScope(): u64 {
  return scopeText(principalScope);
}

export function inputResourceKind(): u64 {
  return textOf(resourceRecord + RESOURCE_KIND);
}

export function inputResourceId(): u64 {
  return textOf(resourceRecord + RESOURCE_ID);
}

export function inputResourceAttr(): u64 {
  return resourceAttributes(load<u64>(resourceRecord, RESOURCE_ATTR));
}

export function inputResourcePolicyVersion(): u64 {
  return textOf(resourceRecord + RESOURCE_VERSION);
}

export function inputResourceScope(): u64 {
  return scopeText(resourceRecord + RESOURCE_SCOPE);
}

/** `request.principal` as a value. */
export function inputPrincipal(): u64 {
  const map = newMap(5);
  put(map, FIELD_ID, inputPrincipalId());
  put(map, FIELD_ROLES, inputPrincipalRoles());
  put(map, FIELD_ATTR, inputPrincipalAttr());
  put(map, FIELD_POLICY_VERSION, inputPrincipalPolicyVersion());
  put(map, FIELD_SCOPE, inputPrincipalScope());
  return finish(map, MESSAGE_PRINCIPAL);
}

/** `request.resource` as a value. */
export function inputResource(): u64 {
  const map = newMap(5);
  put(map, FIELD_KIND, inputResourceKind());
  put(map, FIELD_ID, inputResourceId());
  put(map, FIELD_ATTR, inputResourceAttr());
  put(map, FIELD_POLICY_VERSION, inputResourcePolicyVersion());
  put(map, FIELD_SCOPE, inputResourceScope());
  return finish(map, MESSAGE_RESOURCE);
}

/** `request` as a value. */
export function inputRequest(): u64 {
  const map = newMap(3);
  put(map, FIELD_PRINCIPAL, inputPrincipal());
  put(map, FIELD_RESOURCE, inputResource());
  put(map, FIELD_AUX_DATA, inputAuxData());
  return finish(map, MESSAGE_REQUEST);
}

/** The claims of verified tokens. Without any it is empty: reading one is "no such key". */
export function inputAuxData(): u64 {
  const map = newMap(2);
  put(map, FIELD_JWT, inputAuxDataJwt());
  put(map, FIELD_JWTS, inputAuxDataJwts());
  return finish(map, auxData == 0 ? MESSAGE_AUX_DATA | UNSET : MESSAGE_AUX_DATA);
}

/** Claims by name. */
export function inputAuxDataJwt(): u64 {
  return auxDataField(JWT_LENGTH);
}

/** Token names to `{"claims": {}}`. */
export function inputAuxDataJwts(): u64 {
  return auxDataField(JWTS_LENGTH);
}

/** The field of auxData whose name has `length` bytes, which tells its only two fields apart; an empty map without it. */
function auxDataField(length: u32): u64 {
  if (auxData != 0) {
    const count = countOf(auxData);
    for (let index: u32 = 0; index < count; index++) {
      if (lengthOf(keyAt(auxData, index)) == length) return valueAt(auxData, index);
    }
  }
  return newMap(0);
}

export function inputRuntimeEffectiveDerivedRoles(): u64 {
  return effectiveDerivedRoles();
}

export function inputRuntime(): u64 {
  const derived = effectiveDerivedRoles();
  if (isError(derived)) return derived;
  const map = newMap(1);
  put(map, FIELD_EFFECTIVE_DERIVED_ROLES, derived);
  return finish(map, MESSAGE_RUNTIME);
}

function textOf(record: usize): u64 {
  return ofString(stringStart(record), stringLength(record));
}

/** A scope as conditions see it: without the leading dot. */
function scopeText(record: usize): u64 {
  const start = stringStart(record);
  const length = stringLength(record);
  return length > 0 && load<u8>(start) == DOT ? ofString(start + 1, length - 1) : ofString(start, length);
}

// --- field names of whole objects ---------------------------------------------------------------------------

const FIELD_ID: i32 = 0;
const FIELD_ROLES: i32 = 1;
const FIELD_ATTR: i32 = 2;
const FIELD_POLICY_VERSION: i32 = 3;
const FIELD_SCOPE: i32 = 4;
const FIELD_KIND: i32 = 5;
const FIELD_PRINCIPAL: i32 = 6;
const FIELD_RESOURCE: i32 = 7;
const FIELD_EFFECTIVE_DERIVED_ROLES: i32 = 8;
const FIELD_AUX_DATA: i32 = 9;
const FIELD_JWT: i32 = 10;
const FIELD_JWTS: i32 = 11;

/** Lengths of `jwt` and `jwts`. */
const JWT_LENGTH: u32 = 3;
const JWTS_LENGTH: u32 = 4;

const NAME_BYTES: usize = memory.data<u8>([
  0x69, 0x64, 0x72, 0x6f, 0x6c, 0x65, 0x73, 0x61, 0x74, 0x74, 0x72, 0x70, 0x6f, 0x6c, 0x69, 0x63, 0x79, 0x56,
  0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x73, 0x63, 0x6f, 0x70, 0x65, 0x6b, 0x69, 0x6e, 0x64, 0x70, 0x72, 0x69,
  0x6e, 0x63, 0x69, 0x70, 0x61, 0x6c, 0x72, 0x65, 0x73, 0x6f, 0x75, 0x72, 0x63, 0x65, 0x65, 0x66, 0x66, 0x65,
  0x63, 0x74, 0x69, 0x76, 0x65, 0x44, 0x65, 0x72, 0x69, 0x76, 0x65, 0x64, 0x52, 0x6f, 0x6c, 0x65, 0x73, 0x61,
  0x75, 0x78, 0x44, 0x61, 0x74, 0x61, 0x6a, 0x77, 0x74, 0x6a, 0x77, 0x74, 0x73,
]);
/** Lengths of id, roles, attr, policyVersion, scope, kind, principal, resource, effectiveDerivedRoles, auxData, jwt, jwts. */
const NAME_LENGTHS: usize = memory.data<u8>([2, 5, 4, 13, 5, 4, 9, 8, 21, 7, 3, 4]);

/** Appends a field; the map was made with room for all of them. */
function put(map: u64, field: i32, value: u64): void {
  let start = NAME_BYTES;
  for (let index = 0; index < field; index++) start += load<u8>(NAME_LENGTHS + <usize>index);
  const cell = <usize>(<u32>map);
  // The count of a map under construction lives in its spare word, so that building one inside another works.
  const count = load<u32>(cell, 4);
  setEntry(map, count, ofString(start, load<u8>(NAME_LENGTHS + <usize>field)), value);
  store<u32>(cell, count + 1, 4);
}

/** The message; the first field that is an error (no room in the arena) is the result. */
function finish(map: u64, type: u32): u64 {
  const count = countOf(map);
  for (let index: u32 = 0; index < count; index++) {
    if (isError(valueAt(map, index))) return valueAt(map, index);
  }
  return ofMessage(map, type);
}
