/**
 * AuthZEN evaluation bodies in JSON: one validating pass over the raw bytes into the records of evaluation.ts, written as
 * json.ts is. Syntax, UTF-8, depth and repeated keys stop the decode; fields of the wrong type are a problem of the part they
 * stand in, unknown fields are skipped.
 */
import {
  FORMAT_JSON,
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
  STATUS_SYNTAX,
  STATUS_TOO_MANY_PAIRS,
  STATUS_TRAILING,
  TAG_RAW_JSON,
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
import { decodeAttributes } from "./json-attributes";
import {
  CLOSE_BRACKET,
  COMMA,
  guardEnd,
  isNull,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  refuseType,
  Scan,
} from "./json-scan";
import { skipObject, skipValue } from "./json-skip";
import { decodeString, Text } from "./json-text";
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

/**
 * What the evaluations of a batch begin with, `{"resource":{"type":"record","` mostly, up to and including the quote of the key behind the
 * type: while the bytes repeat, they are not read again (repeats.ts does the same for checks).
 */
let prefixStart: usize = 0;
let prefixLength: usize = 0;
/** The resource whose type stands in it. */
let prefixEntity: usize = 0;
/** The evaluation whose beginning may still become the prefix; 0 for none. */
let openItem: usize = 0;

/**
 * Decodes the `length` bytes at `start` into evaluation.ts; `many` says that `evaluations` and `options` have a meaning, `most`
 * how many evaluations are allowed. Answers as `decodeJson` does.
 */
export function decodeEvaluationJson(start: usize, length: u32, many: bool, most: u32): i32 {
  const end = start + length;
  prepareShapes();
  expectUntil(end);
  setLimits(1, 1, FORMAT_JSON);
  limit = most;
  tooManyPlace = 0;
  prefixLength = 0;
  openItem = 0;
  const before = guardEnd(end);
  const at = decodeBody(start, end, many);
  store<u8>(end, before);
  return conclude(at, start);
}

function decodeBody(start: usize, end: usize, many: bool): usize {
  let at = Scan.space(start);
  if (load<u8>(at) != OPEN_BRACE) return refuseType(at);
  at = decodeEvaluation(at, body, 1, many);
  if (at == 0) return 0;
  at = Scan.space(at);
  if (at != end) return refuse(STATUS_TRAILING, at);
  return tooManyPlace == 0 ? at : refuseAnyway(STATUS_TOO_MANY_PAIRS, tooManyPlace, evaluationCount);
}

/** `{` [subject] [action] [resource] [context] [evaluations] [options] `}`, the last two in a body of several. */
function decodeEvaluation(at: usize, record: usize, depth: i32, many: bool): usize {
  return decodeParts(Scan.firstKey(at), record, depth, many, 0);
}

/** An evaluation of a batch. */
function decodeItem(at: usize, record: usize): usize {
  if (prefixLength == 0 || !Repeats.same(at, prefixStart, prefixLength)) {
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
  // The prefix ends with the quote that opens a key.
  at = decodeRest(at + prefixLength - 1, entity);
  if (at == 0) return 0;
  at = Scan.nextKey(at);
  if (Scan.ended(at)) return Scan.afterObject(at);
  return decodeParts(at, record, ITEM_DEPTH, false, 1 << FIELD_RESOURCE);
}

/** The fields of a resource behind the prefix, which ends after its type: mostly just id and properties. */
function decodeRest(at: usize, entity: usize): usize {
  let seen: u32 = 1 << FIELD_TYPE;
  if (AuthzenField.isIdText(at)) {
    const start = at + 6;
    const end = Scan.plainEnd(start);
    if (load<u8>(end) == QUOTE) {
      Text.plain(entity + ENTITY_ID, start, <u32>(end - start));
      seen |= 1 << FIELD_ID;
      at = Scan.nextKey(end + 1);
      if (Scan.ended(at)) return Scan.afterObject(at);
    }
  }
  if (AuthzenField.isPropertiesObject(at)) {
    at = decodeProperties(at + 13, entity, false, ITEM_DEPTH + 2);
    if (at == 0) return 0;
    seen |= 1 << FIELD_PROPERTIES;
    at = Scan.nextKey(at);
    if (Scan.ended(at)) return Scan.afterObject(at);
  }
  return decodeMembers(at, entity, false, ITEM_DEPTH + 1, seen);
}

/** The parts of an evaluation from the key at `at` on; `seen` are those before. */
function decodeParts(at: usize, record: usize, depth: i32, many: bool, seen: u32): usize {
  let others: usize = 0;
  while (!Scan.ended(at)) {
    const match = AuthzenField.body(at + 1);
    at = Member.enter(LEVEL_BODY, match, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(match);
    others = Member.others(match, others);
    if (seen != 0 || field != FIELD_RESOURCE) openItem = 0;
    seen |= 1 << field;
    if (field == FIELD_SUBJECT) at = decodeEntity(at, record, true, depth + 1);
    else if (field == FIELD_RESOURCE) at = decodeEntity(at, record, false, depth + 1);
    else if (field == FIELD_ACTION) at = decodeAction(at, record, depth + 1);
    else if (field == FIELD_CONTEXT) at = decodeContext(at, record, depth + 1);
    else if (field == FIELD_EVALUATIONS && many) at = decodeEvaluations(at);
    else if (field == FIELD_OPTIONS && many) at = decodeOptions(at);
    else at = skipValue(at, depth);
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** null | `[` [evaluation {`,` evaluation}] `]` */
function decodeEvaluations(at: usize): usize {
  const place = at;
  if (load<u8>(at) != OPEN_BRACKET) {
    if (isNull(at)) return at + 4;
    noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_EVALUATIONS, at);
    return skipValue(at, 1);
  }
  at = Scan.space(at + 1);
  if (load<u8>(at) == CLOSE_BRACKET) return at + 1;
  while (true) {
    const record = addEvaluation(limit);
    if (record == NO_ROOM) return refuseAnyway(STATUS_MEMORY, at, 0);
    if (record == 0) {
      tooManyPlace = place;
      at = skipValue(at, 2);
    } else if (load<u8>(at) == OPEN_BRACE) {
      at = decodeItem(at, record);
    } else {
      noteProblem(record, EVALUATION_PROBLEM, INVALID_AUTHZEN_EVALUATION, at);
      at = skipValue(at, 2);
    }
    if (at == 0) return 0;
    at = Scan.space(at);
    const byte = load<u8>(at);
    if (byte == CLOSE_BRACKET) return at + 1;
    if (byte != COMMA) return refuse(STATUS_SYNTAX, at);
    at = Scan.space(at + 1);
  }
}

/** null | `{` [evaluations_semantic] `}` */
function decodeOptions(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) {
    if (isNull(at)) return at + 4;
    noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_OPTIONS, at);
    return skipValue(at, 1);
  }
  let seen: u32 = 0;
  let others: usize = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    at = Member.enter(LEVEL_OPTIONS, 0, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(0);
    others = Member.others(0, others);
    seen |= 1 << field;
    if (field != FIELD_SEMANTIC) at = skipValue(at, 2);
    else if (load<u8>(at) == QUOTE) {
      const place = at;
      at = decodeString(at, spareString);
      if (at != 0) takeSemantic(stringStart(spareString), stringLength(spareString), place);
    } else {
      noteProblem(body, EVALUATION_PROBLEM, INVALID_AUTHZEN_SEMANTIC, at);
      at = skipValue(at, 2);
    }
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** `{` [type] [id] [properties] `}` */
function decodeEntity(at: usize, evaluation: usize, ofSubject: bool, depth: i32): usize {
  const entity = newEntity(at, ofSubject);
  if (entity == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(evaluation + (ofSubject ? EVALUATION_SUBJECT : EVALUATION_RESOURCE), <u32>entity);
  if (load<u8>(at) != OPEN_BRACE) {
    noteProblem(
      entity,
      ENTITY_PROBLEM,
      ofSubject ? INVALID_AUTHZEN_SUBJECT_TYPE : INVALID_AUTHZEN_RESOURCE_TYPE,
      at,
    );
    return skipValue(at, depth - 1);
  }
  return decodeMembers(Scan.firstKey(at), entity, ofSubject, depth, 0);
}

/** The fields of an entity from the key at `at` on; `seen` are those before. */
function decodeMembers(at: usize, entity: usize, ofSubject: bool, depth: i32, seen: u32): usize {
  let others: usize = 0;
  while (!Scan.ended(at)) {
    if (openItem != 0 && seen != 0) {
      if (seen == 1 << FIELD_TYPE && load<u32>(entity, ENTITY_PROBLEM) == 0) {
        prefixStart = openItem;
        prefixLength = at + 1 - openItem;
        prefixEntity = entity;
      }
      openItem = 0;
    }
    const match = AuthzenField.entity(at + 1);
    at = Member.enter(LEVEL_ENTITY, match, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(match);
    others = Member.others(match, others);
    seen |= 1 << field;
    if (field == FIELD_PROPERTIES) at = decodeProperties(at, entity, ofSubject, depth + 1);
    else if (field != FIELD_ID && field != FIELD_TYPE) at = skipValue(at, depth);
    else if (load<u8>(at) == QUOTE) at = decodeString(at, field == FIELD_ID ? entity + ENTITY_ID : entity);
    else {
      noteProblem(entity, ENTITY_PROBLEM, nameOfWrongType(field == FIELD_ID, ofSubject), at);
      at = skipValue(at, depth);
    }
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** null | object */
function decodeProperties(at: usize, entity: usize, ofSubject: bool, depth: i32): usize {
  if (load<u8>(at) != OPEN_BRACE) {
    if (isNull(at)) return at + 4;
    const problem = ofSubject ? INVALID_AUTHZEN_SUBJECT_PROPERTIES : INVALID_AUTHZEN_RESOURCE_PROPERTIES;
    noteProblem(entity, ENTITY_PROBLEM, problem, at);
    return skipValue(at, depth - 1);
  }
  const end = decodeAttributes(at, ofSubject, depth);
  if (end == 0) return 0;
  setAttributes(entity, TAG_RAW_JSON, at, end);
  readProperties(entity, ofSubject, pairs, pairCount, at);
  return end;
}

/** `{` [name] [properties] `}` */
function decodeAction(at: usize, evaluation: usize, depth: i32): usize {
  const action = newAction();
  if (action == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(evaluation, <u32>action, EVALUATION_ACTION);
  if (load<u8>(at) != OPEN_BRACE) {
    noteProblem(action, ACTION_PROBLEM, INVALID_AUTHZEN_ACTION_TYPE, at);
    return skipValue(at, depth - 1);
  }
  let seen: u32 = 0;
  let others: usize = 0;
  at = Scan.firstKey(at);
  while (!Scan.ended(at)) {
    const match = AuthzenField.action(at + 1);
    at = Member.enter(LEVEL_ACTION, match, at, seen, others);
    if (at == 0) return 0;
    const field = Member.entered(match);
    others = Member.others(match, others);
    seen |= 1 << field;
    if (field == FIELD_NAME && load<u8>(at) == QUOTE) at = decodeString(at, action);
    else if (field == FIELD_PROPERTIES && load<u8>(at) == OPEN_BRACE) {
      const start = at;
      at = skipObject(at, depth + 1);
      setRaw(TAG_RAW_JSON, action + ACTION_PROPERTIES, action + ACTION_CELL, start, at);
    } else {
      if (field == FIELD_NAME) noteProblem(action, ACTION_PROBLEM, INVALID_AUTHZEN_ACTION_NAME_TYPE, at);
      else if (field == FIELD_PROPERTIES && !isNull(at))
        noteProblem(action, ACTION_PROBLEM, INVALID_AUTHZEN_ACTION_PROPERTIES, at);
      at = skipValue(at, depth);
    }
    if (at == 0) return 0;
    at = Scan.nextKey(at);
  }
  return Scan.afterObject(at);
}

/** null | object */
function decodeContext(at: usize, evaluation: usize, depth: i32): usize {
  if (isNull(at)) return at + 4;
  const context = newContext();
  if (context == 0) return refuseAnyway(STATUS_MEMORY, at, 0);
  store<u32>(evaluation, <u32>context, EVALUATION_CONTEXT);
  if (load<u8>(at) != OPEN_BRACE) {
    noteProblem(context, CONTEXT_PROBLEM, INVALID_AUTHZEN_CONTEXT, at);
    return skipValue(at, depth - 1);
  }
  const end = skipObject(at, depth);
  if (end == 0) return 0;
  setRaw(TAG_RAW_JSON, context, context + CONTEXT_CELL, at, end);
  readContext(context, TAG_RAW_JSON, at, end);
  return end;
}
