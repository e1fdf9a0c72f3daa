/**
 * What both decoders of AuthZEN bodies do with a decoded part: which problem a missing or mistyped field is, and the properties
 * that have a meaning of their own (COMPAT.md section 11): `cerbos.roles` or whatever names the roles, `cerbos.policyVersion`,
 * `cerbos.scope`; in contexts `cerbos.requestId`, `cerbos.includeMeta`, `cerbos.auxData`.
 */
import {
  INVALID_AUTHZEN_AUX_DATA,
  INVALID_AUTHZEN_INCLUDE_META,
  INVALID_AUTHZEN_REQUEST_ID,
  INVALID_AUTHZEN_RESOURCE_SCOPE,
  INVALID_AUTHZEN_RESOURCE_VERSION,
  INVALID_AUTHZEN_ROLES,
  INVALID_AUTHZEN_SUBJECT_SCOPE,
  INVALID_AUTHZEN_SUBJECT_VERSION,
  ROLES_FROM_PROPERTY,
  ROLES_FROM_TYPE,
  TAG_ABSENT,
  TAG_BOOL,
  TAG_LIST,
  TAG_RAW_JSON,
  TAG_STRING,
  INVALID_AUTHZEN_SUBJECT_ID_TYPE,
  INVALID_AUTHZEN_RESOURCE_ID_TYPE,
  INVALID_AUTHZEN_SUBJECT_KIND_TYPE,
  INVALID_AUTHZEN_RESOURCE_KIND_TYPE,
  INVALID_AUTHZEN_SEMANTIC,
} from "../abi";
import {
  NO_SLOT,
  principalRolesSlot,
  principalScopeSlot,
  principalVersionSlot,
  resourceScopeSlot,
  resourceVersionSlot,
  setRoleProperty,
} from "../decide/attributes";
import { fragment, fragmentLength, fragmentStart } from "../decide/fragments";
import { countOf, itemAt, lengthOf, startOf, tagOf, TRUE } from "../value/value";
import { clearAuxData, hasBothKinds, lacksToken } from "./aux-data";
import {
  CONTEXT_FLAGS,
  CONTEXT_HAS_META,
  CONTEXT_HAS_TOKENS,
  CONTEXT_PROBLEM,
  CONTEXT_REQUEST_ID,
  ENTITY_PROBLEM,
  ENTITY_ROLE_COUNT,
  ENTITY_ROLES,
  ENTITY_SCOPE,
  ENTITY_TYPE,
  ENTITY_VERSION,
  noteProblem,
  body,
  EVALUATION_PROBLEM,
  SEMANTIC_ALL,
  SEMANTIC_DENY_ON_FIRST_DENY,
  SEMANTIC_PERMIT_ON_FIRST_PERMIT,
  setSemantic,
} from "./evaluation";
import { decodeAuxData as decodeJsonAuxData } from "./json-aux-data";
import { materialize } from "./materialize";
import { mayHoldReserved, memberPlace, memberValue } from "./members";
import { decodeAuxData as decodeMsgpackAuxData } from "./msgpack-aux-data";
import { PAIR_SIZE, hasAuxData, setHasAuxData, setString, STRING_SET, STRING_SIZE } from "./request";
import { reserve } from "./reserve";
import { areNames, isScope, isVersion } from "./validate";

const REQUEST_ID = fragment("cerbos.requestId");
const INCLUDE_META = fragment("cerbos.includeMeta");
const AUX_DATA = fragment("cerbos.auxData");

/** Where the roles of a subject come from: ROLES_FROM_*. */
export let roleSource: u32 = ROLES_FROM_TYPE;
/** Name of the property or claim. */
export let roleNameStart: usize = 0;
export let roleNameLength: u32 = 0;

/** Sets where roles come from; the bytes of the name must stay in place. */
export function setRoleSource(source: u32, start: usize, length: u32): void {
  roleSource = source;
  roleNameStart = start;
  roleNameLength = length;
  setRoleProperty(start, source == ROLES_FROM_PROPERTY ? length : 0);
}

/**
 * Reads what `count` decoded properties, from `pairs` on, say of an entity's version and scope, and of a subject's roles, unless something
 * has said it before. `place` is where the properties stand.
 */
export function readProperties(entity: usize, ofSubject: bool, pairs: usize, count: u32, place: usize): void {
  const version = ofSubject ? principalVersionSlot : resourceVersionSlot;
  const scope = ofSubject ? principalScopeSlot : resourceScopeSlot;
  const roles = ofSubject ? principalRolesSlot : NO_SLOT;
  const end = pairs + <usize>count * PAIR_SIZE;
  for (let pair = pairs; pair < end; pair += PAIR_SIZE) {
    const slot = load<i32>(pair);
    if (slot == version) readName(entity, ENTITY_VERSION, load<u64>(pair, 8), ofSubject, place);
    else if (slot == scope) readName(entity, ENTITY_SCOPE, load<u64>(pair, 8), ofSubject, place);
    else if (slot == roles && load<u32>(entity, ENTITY_ROLE_COUNT) == 0) {
      if (!rolesOf(materialize(load<u64>(pair, 8)), entity))
        noteProblem(entity, ENTITY_PROBLEM, INVALID_AUTHZEN_ROLES, place);
    }
  }
}

/** In the spare word of a string record: something has said what it is, if only that it is empty. */
const SAID: usize = 12;

/** A policy version or a scope. */
function readName(entity: usize, field: usize, value: u64, ofSubject: bool, place: usize): void {
  if (load<u32>(entity + field, SAID) != 0) return;
  const isVersionField = field == ENTITY_VERSION;
  const fits =
    toString(value, entity + field) && (isVersionField ? isVersion(entity + field) : isScope(entity + field));
  store<u32>(entity + field, 1, SAID);
  if (fits) return;
  noteProblem(
    entity,
    ENTITY_PROBLEM,
    isVersionField
      ? ofSubject
        ? INVALID_AUTHZEN_SUBJECT_VERSION
        : INVALID_AUTHZEN_RESOURCE_VERSION
      : ofSubject
        ? INVALID_AUTHZEN_SUBJECT_SCOPE
        : INVALID_AUTHZEN_RESOURCE_SCOPE,
    place,
  );
}

/** Takes a string, or a list of different strings of at least one, for the roles of a subject. */
export function rolesOf(value: u64, entity: usize): bool {
  const tag = tagOf(value);
  const count: u32 = tag == TAG_STRING ? 1 : tag == TAG_LIST ? countOf(value) : 0;
  if (count == 0) return false;
  const records = reserve(<usize>count * STRING_SIZE);
  if (records == 0) return false;
  for (let index: u32 = 0; index < count; index++) {
    const item = tag == TAG_STRING ? value : itemAt(value, index);
    if (!toString(item, records + <usize>index * STRING_SIZE)) return false;
  }
  if (!areNames(records, count)) return false;
  store<u32>(entity, <u32>records, ENTITY_ROLES);
  store<u32>(entity, count, ENTITY_ROLE_COUNT);
  return true;
}

/** A subject whose properties name no roles has its type for one. */
export function rolesOfType(entity: usize): void {
  store<u32>(entity, <u32>(entity + ENTITY_TYPE), ENTITY_ROLES);
  store<u32>(entity, 1, ENTITY_ROLE_COUNT);
}

/** Reads what a context says of the answer and of tokens. */
export function readContext(context: usize, tag: i32, start: usize, end: usize): void {
  if (!mayHoldReserved(start, end)) return;
  const id = member(tag, start, REQUEST_ID);
  if (tagOf(id) != TAG_ABSENT && !toString(id, context + CONTEXT_REQUEST_ID))
    noteProblem(context, CONTEXT_PROBLEM, INVALID_AUTHZEN_REQUEST_ID, start);
  const meta = member(tag, start, INCLUDE_META);
  if (meta == TRUE) addFlag(context, CONTEXT_HAS_META);
  else if (tagOf(meta) != TAG_ABSENT && tagOf(meta) != TAG_BOOL)
    noteProblem(context, CONTEXT_PROBLEM, INVALID_AUTHZEN_INCLUDE_META, start);
  const tokens = memberPlace(tag, start, fragmentStart(AUX_DATA), fragmentLength(AUX_DATA));
  if (tokens == 0) return;
  clearAuxData();
  setHasAuxData(false);
  const read = tag == TAG_RAW_JSON ? decodeJsonAuxData(tokens) : decodeMsgpackAuxData(tokens);
  if (read == 0 || hasBothKinds() || lacksToken())
    noteProblem(context, CONTEXT_PROBLEM, INVALID_AUTHZEN_AUX_DATA, tokens);
  if (hasAuxData) addFlag(context, CONTEXT_HAS_TOKENS);
}

function addFlag(context: usize, flag: u32): void {
  store<u32>(context, load<u32>(context, CONTEXT_FLAGS) | flag, CONTEXT_FLAGS);
}

function member(tag: i32, start: usize, name: usize): u64 {
  return memberValue(tag, start, fragmentStart(name), fragmentLength(name));
}

/** Takes a string value for a string record; false for any other value. */
function toString(value: u64, record: usize): bool {
  if (tagOf(value) != TAG_STRING) return false;
  const length = lengthOf(value);
  setString(record, startOf(value), length, length == 0 ? 0 : STRING_SET);
  return true;
}

/** The problem of an id, or of a type, that is no string. */
export function nameOfWrongType(isId: bool, ofSubject: bool): u32 {
  if (isId) return ofSubject ? INVALID_AUTHZEN_SUBJECT_ID_TYPE : INVALID_AUTHZEN_RESOURCE_ID_TYPE;
  return ofSubject ? INVALID_AUTHZEN_SUBJECT_KIND_TYPE : INVALID_AUTHZEN_RESOURCE_KIND_TYPE;
}

/** Lengths of the three names tell them apart: execute_all, deny_on_first_deny, permit_on_first_permit. */
export function takeSemantic(start: usize, length: u32, place: usize): void {
  const head: u64 = length < 8 ? 0 : load<u64>(start);
  const tail: u64 = length < 8 ? 0 : load<u64>(start + length - 8);
  // execute_ cute_all
  if (length == 11 && head == 0x5f65_7475_6365_7865 && tail == 0x6c6c_615f_6574_7563) {
    setSemantic(SEMANTIC_ALL);
    // deny_on_ ... rst_deny
  } else if (
    length == 18 &&
    head == 0x5f6e_6f5f_796e_6564 &&
    load<u64>(start, 8) == 0x6564_5f74_7372_6966 &&
    tail == 0x796e_6564_5f74_7372
  ) {
    setSemantic(SEMANTIC_DENY_ON_FIRST_DENY);
    // permit_o n_first_ ... t_permit
  } else if (
    length == 22 &&
    head == 0x6f5f_7469_6d72_6570 &&
    load<u64>(start, 8) == 0x5f74_7372_6966_5f6e &&
    tail == 0x7469_6d72_6570_5f74
  ) {
    setSemantic(SEMANTIC_PERMIT_ON_FIRST_PERMIT);
  } else noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_SEMANTIC, place);
}
