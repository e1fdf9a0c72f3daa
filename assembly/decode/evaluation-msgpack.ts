/**
 * AuthZEN evaluation bodies in msgpack: the same records as evaluation-json.ts makes, with the strictness of msgpack.ts.
 */
import {
  FORMAT_MSGPACK,
  INVALID_AUTHZEN_ACTION_NAME_TYPE,
  INVALID_AUTHZEN_ACTION_PROPERTIES,
  INVALID_AUTHZEN_ACTION_TYPE,
  INVALID_AUTHZEN_CONTEXT,
  INVALID_AUTHZEN_EVALUATION,
  INVALID_AUTHZEN_EVALUATIONS,
  INVALID_AUTHZEN_OPTIONS,
  INVALID_AUTHZEN_RESOURCE_PROPERTIES,
  INVALID_AUTHZEN_RESOURCE_TYPE,
  INVALID_AUTHZEN_SEMANTIC,
  INVALID_AUTHZEN_SUBJECT_PROPERTIES,
  INVALID_AUTHZEN_SUBJECT_TYPE,
  STATUS_MEMORY,
  STATUS_TOO_MANY_PAIRS,
  STATUS_TRAILING,
  TAG_RAW_MSGPACK,
} from "../abi";
import {
  ACTION_CELL,
  ACTION_PROBLEM,
  ACTION_PROPERTIES,
  addEvaluation,
  body,
  CONTEXT_CELL,
  CONTEXT_PROBLEM,
  ENTITY_ID,
  ENTITY_PROBLEM,
  EVALUATION_ACTION,
  EVALUATION_CONTEXT,
  EVALUATION_PROBLEM,
  EVALUATION_RESOURCE,
  EVALUATION_SUBJECT,
  evaluationCount,
  newAction,
  newContext,
  newEntity,
  NO_ROOM,
  noteProblem,
  setRaw,
} from "./evaluation";
import {
  AuthzenField,
  FIELD_ACTION,
  FIELD_CONTEXT,
  FIELD_EVALUATIONS,
  FIELD_ID,
  FIELD_NAME,
  FIELD_OPTIONS,
  FIELD_PROPERTIES,
  FIELD_RESOURCE,
  FIELD_SEMANTIC,
  FIELD_SUBJECT,
  FIELD_TYPE,
  LEVEL_ACTION,
  LEVEL_BODY,
  LEVEL_ENTITY,
  LEVEL_OPTIONS,
  Member,
} from "./evaluation-fields";
import { readContext, readProperties, nameOfWrongType, takeSemantic } from "./evaluation-problems";
import { conclude, expectUntil, refuse, refuseAnyway } from "./failure";
import { decodeAttributes } from "./msgpack-attributes";
import {
  atValue,
  bodyEnd,
  isArray,
  isMap,
  isString,
  itemCount,
  NIL,
  NO_COUNT,
  Packed,
  readArray,
  readMap,
  readUntil,
  refuseHeader,
} from "./msgpack-scan";
import { skipMap, skipValue } from "./msgpack-skip";
import { decodeString } from "./msgpack-text";
import { pairCount, pairs, prepareShapes } from "./projection";
import { Repeats } from "./repeats";
import { stringLength, stringStart } from "./request";
import { setAttributes, setLimits } from "./request-limits";

/** Depth of an evaluation of a batch: body, evaluations, evaluation. */
const ITEM_DEPTH: i32 = 3;

/** A string record for options. */
const spareString = memory.data(16);

let limit: u32 = 0;
let tooManyPlace: usize = 0;

/** What the evaluations of a batch begin with, up to the key behind the type of the resource (evaluation-json.ts). */
let prefixStart: usize = 0;
let prefixLength: usize = 0;
let prefixEntity: usize = 0;
/** Fields left of the evaluation behind its resource, and of the resource. */
let prefixLeft: u32 = 0;
let prefixLeftOfEntity: u32 = 0;
let openItem: usize = 0;
let openLeft: u32 = 0;

/** As `decodeEvaluationJson`. */
export function decodeEvaluationMsgpack(start: usize, length: u32, many: bool, most: u32): i32 {
  const end = start + length;
  prepareShapes();
  expectUntil(end);
  readUntil(end);
  setLimits(1, 1, FORMAT_MSGPACK);
  limit = most;
  tooManyPlace = 0;
  prefixLength = 0;
  openItem = 0;
  return conclude(decodeBody(start, end, many), start);
}

function decodeBody(start: usize, end: usize, many: bool): usize {
  if (!atValue(start)) return 0;
  if (!isMap(load<u8>(start))) return refuseHeader(start);
  const at = decodeEvaluation(start, body, 1, many);
  if (at == 0) return 0;
  if (at != end) return refuse(STATUS_TRAILING, at);
  return tooManyPlace == 0 ? at : refuseAnyway(STATUS_TOO_MANY_PAIRS, tooManyPlace, evaluationCount);
}

/** {subject?, action?, resource?, context?, evaluations?, options?} */
function decodeEvaluation(at: usize, record: usize, depth: i32, many: bool): usize {
  let left = Packed.mapCount(at);
  if (left != NO_COUNT) at += 1;
  else {
    at = readMap(at);
    if (at == 0) return 0;
    left = itemCount;
  }
  return decodeParts(at, left, record, depth, many, 0);
}

/** An evaluation of a batch. */
function decodeItem(at: usize, record: usize): usize {
  if (prefixLength == 0 || prefixLength > bodyEnd - at || !Repeats.same(at, prefixStart, prefixLength)) {
    openItem = at;
    at = decodeEvaluation(at, record, ITEM_DEPTH, false);
    // One that ended before it came so far must not be taken for the beginning of the next.
    openItem = 0;
    return at;
  }
  const entity = newEntity(at, false);
  if (entity == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(record, <u32>entity, EVALUATION_RESOURCE);
  v128.store(entity, v128.load(prefixEntity));
  const left = prefixLeft;
  at = decodeMembers(at + prefixLength, prefixLeftOfEntity, entity, false, ITEM_DEPTH + 1, 1 << FIELD_TYPE);
  return at == 0 ? 0 : decodeParts(at, left, record, ITEM_DEPTH, false, 1 << FIELD_RESOURCE);
}

/** The `left` last parts of an evaluation, from the key at `at` on; `seen` are those before. */
function decodeParts(at: usize, left: u32, record: usize, depth: i32, many: bool, seen: u32): usize {
  let others: usize = 0;
  for (; left != 0; left--) {
    const match = AuthzenField.packedBody(at);
    at = Member.enterPacked(LEVEL_BODY, match, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(match);
    others = Member.others(match, others);
    if (seen != 0 || field != FIELD_RESOURCE) openItem = 0;
    else openLeft = left - 1;
    seen |= 1 << field;
    if (field == FIELD_SUBJECT) at = decodeEntity(at, record, true, depth + 1);
    else if (field == FIELD_RESOURCE) at = decodeEntity(at, record, false, depth + 1);
    else if (field == FIELD_ACTION) at = decodeAction(at, record, depth + 1);
    else if (field == FIELD_CONTEXT) at = decodeContext(at, record, depth + 1);
    else if (field == FIELD_EVALUATIONS && many) at = decodeEvaluations(at);
    else if (field == FIELD_OPTIONS && many) at = decodeOptions(at);
    else at = skipValue(at, depth);
    if (at == 0) return 0;
  }
  return at;
}

/** nil | [evaluation...] */
function decodeEvaluations(at: usize): usize {
  const place = at;
  if (!isArray(load<u8>(at))) {
    if (load<u8>(at) == NIL) return at + 1;
    noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_EVALUATIONS, at);
    return skipValue(at, 1);
  }
  at = readArray(at);
  if (at == 0) return 0;
  for (let left = itemCount; left != 0; left--) {
    if (!atValue(at)) return 0;
    const record = addEvaluation(limit);
    if (record == NO_ROOM) return refuseAnyway(STATUS_MEMORY, at, 0);
    if (record == 0) {
      tooManyPlace = place;
      at = skipValue(at, 2);
    } else if (isMap(load<u8>(at))) {
      at = decodeItem(at, record);
    } else {
      noteProblem(record, EVALUATION_PROBLEM, INVALID_AUTHZEN_EVALUATION, at);
      at = skipValue(at, 2);
    }
    if (at == 0) return 0;
  }
  return at;
}

/** nil | {evaluations_semantic?} */
function decodeOptions(at: usize): usize {
  if (!isMap(load<u8>(at))) {
    if (load<u8>(at) == NIL) return at + 1;
    noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_OPTIONS, at);
    return skipValue(at, 1);
  }
  let seen: u32 = 0;
  let others: usize = 0;
  at = readMap(at);
  if (at == 0) return 0;
  for (let left = itemCount; left != 0; left--) {
    at = Member.enterPacked(LEVEL_OPTIONS, 0, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(0);
    others = Member.others(0, others);
    seen |= 1 << field;
    if (field != FIELD_SEMANTIC) at = skipValue(at, 2);
    else if (isString(load<u8>(at))) {
      const place = at;
      at = decodeString(at, spareString);
      if (at != 0) takeSemantic(stringStart(spareString), stringLength(spareString), place);
    } else {
      noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_SEMANTIC, at);
      at = skipValue(at, 2);
    }
    if (at == 0) return 0;
  }
  return at;
}

/** {type?, id?, properties?} */
function decodeEntity(at: usize, evaluation: usize, ofSubject: bool, depth: i32): usize {
  const entity = newEntity(at, ofSubject);
  if (entity == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(evaluation + (ofSubject ? EVALUATION_SUBJECT : EVALUATION_RESOURCE), <u32>entity);
  if (!isMap(load<u8>(at))) {
    noteProblem(
      entity,
      ENTITY_PROBLEM,
      ofSubject ? INVALID_AUTHZEN_SUBJECT_TYPE : INVALID_AUTHZEN_RESOURCE_TYPE,
      at,
    );
    return skipValue(at, depth - 1);
  }
  let left = Packed.mapCount(at);
  if (left != NO_COUNT) at += 1;
  else {
    at = readMap(at);
    if (at == 0) return 0;
    left = itemCount;
  }
  return decodeMembers(at, left, entity, ofSubject, depth, 0);
}

/** The `left` last fields of an entity, from the key at `at` on; `seen` are those before. */
function decodeMembers(at: usize, left: u32, entity: usize, ofSubject: bool, depth: i32, seen: u32): usize {
  let others: usize = 0;
  for (; left != 0; left--) {
    if (openItem != 0 && seen != 0) {
      if (seen == 1 << FIELD_TYPE && load<u32>(entity, ENTITY_PROBLEM) == 0) {
        prefixStart = openItem;
        prefixLength = at - openItem;
        prefixEntity = entity;
        prefixLeft = openLeft;
        prefixLeftOfEntity = left;
      }
      openItem = 0;
    }
    const match = AuthzenField.packedEntity(at);
    at = Member.enterPacked(LEVEL_ENTITY, match, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(match);
    others = Member.others(match, others);
    seen |= 1 << field;
    if (field == FIELD_PROPERTIES) at = decodeProperties(at, entity, ofSubject, depth + 1);
    else if (field != FIELD_ID && field != FIELD_TYPE) at = skipValue(at, depth);
    else if (isString(load<u8>(at))) at = decodeString(at, field == FIELD_ID ? entity + ENTITY_ID : entity);
    else {
      noteProblem(entity, ENTITY_PROBLEM, nameOfWrongType(field == FIELD_ID, ofSubject), at);
      at = skipValue(at, depth);
    }
    if (at == 0) return 0;
  }
  return at;
}

/** nil | map */
function decodeProperties(at: usize, entity: usize, ofSubject: bool, depth: i32): usize {
  if (!isMap(load<u8>(at))) {
    if (load<u8>(at) == NIL) return at + 1;
    const problem = ofSubject ? INVALID_AUTHZEN_SUBJECT_PROPERTIES : INVALID_AUTHZEN_RESOURCE_PROPERTIES;
    noteProblem(entity, ENTITY_PROBLEM, problem, at);
    return skipValue(at, depth - 1);
  }
  const end = decodeAttributes(at, ofSubject, depth);
  if (end == 0) return 0;
  setAttributes(entity, TAG_RAW_MSGPACK, at, end);
  readProperties(entity, ofSubject, pairs, pairCount, at);
  return end;
}

/** {name?, properties?} */
function decodeAction(at: usize, evaluation: usize, depth: i32): usize {
  const action = newAction();
  if (action == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(evaluation, <u32>action, EVALUATION_ACTION);
  if (!isMap(load<u8>(at))) {
    noteProblem(action, ACTION_PROBLEM, INVALID_AUTHZEN_ACTION_TYPE, at);
    return skipValue(at, depth - 1);
  }
  let seen: u32 = 0;
  let others: usize = 0;
  let left = Packed.mapCount(at);
  if (left != NO_COUNT) at += 1;
  else {
    at = readMap(at);
    if (at == 0) return 0;
    left = itemCount;
  }
  for (; left != 0; left--) {
    const match = AuthzenField.packedAction(at);
    at = Member.enterPacked(LEVEL_ACTION, match, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(match);
    others = Member.others(match, others);
    seen |= 1 << field;
    if (field == FIELD_NAME && isString(load<u8>(at))) at = decodeString(at, action);
    else if (field == FIELD_PROPERTIES && isMap(load<u8>(at))) {
      const start = at;
      at = skipMap(at, depth + 1);
      setRaw(TAG_RAW_MSGPACK, action + ACTION_PROPERTIES, action + ACTION_CELL, start, at);
    } else {
      if (field == FIELD_NAME) noteProblem(action, ACTION_PROBLEM, INVALID_AUTHZEN_ACTION_NAME_TYPE, at);
      else if (field == FIELD_PROPERTIES && load<u8>(at) != NIL)
        noteProblem(action, ACTION_PROBLEM, INVALID_AUTHZEN_ACTION_PROPERTIES, at);
      at = skipValue(at, depth);
    }
    if (at == 0) return 0;
  }
  return at;
}

/** nil | map */
function decodeContext(at: usize, evaluation: usize, depth: i32): usize {
  if (load<u8>(at) == NIL) return at + 1;
  const context = newContext();
  if (context == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(evaluation, <u32>context, EVALUATION_CONTEXT);
  if (!isMap(load<u8>(at))) {
    noteProblem(context, CONTEXT_PROBLEM, INVALID_AUTHZEN_CONTEXT, at);
    return skipValue(at, depth - 1);
  }
  const end = skipMap(at, depth);
  if (end == 0) return 0;
  setRaw(TAG_RAW_MSGPACK, context, context + CONTEXT_CELL, at, end);
  readContext(context, TAG_RAW_MSGPACK, at, end);
  return end;
}
