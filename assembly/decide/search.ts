/**
 * AuthZEN search (Authorization API 1.0, section 8): which of the candidates that the host brought would be permitted. A candidate takes
 * the place of what is searched for (subject, resource or action) in the evaluation that the body is, and is decided as that is.
 *
 *   candidate | u32 id length | u32 properties length | id | properties (a msgpack map) |     no padding
 *
 * The answer is the offset of every permitted candidate, as u32 words. An outcome that no condition had a part in holds for all
 * candidates of the same version and scope: their properties are not even decoded.
 */
import {
  CONTROL_ALLOWED,
  CONTROL_CANDIDATES_LENGTH,
  CONTROL_CLAIMS_LENGTH,
  CONTROL_DECISIONS,
  CONTROL_ENTITIES_LENGTH,
  CONTROL_SEARCHED,
  CONTROL_SEARCH_LIMIT,
  EFFECT_ALLOW,
  FLAG_SCHEMAS,
  FLAG_SEARCH_ACTION,
  FLAG_SEARCH_SUBJECT,
  FUEL_BASE,
  FUEL_PER_DECISION,
  INVALID_AUTHZEN_NO_ROLES,
  ROLES_FROM_TOKEN,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../abi";
import {
  ACTION_PROPERTIES,
  body,
  clearEntity,
  ENTITY_ID,
  ENTITY_PROBLEM,
  EVALUATION_ACTION,
  EVALUATION_CONTEXT,
  EVALUATION_RESOURCE,
  EVALUATION_SUBJECT,
} from "../decode/evaluation";
import { roleSource } from "../decode/evaluation-problems";
import { mayHoldReserved } from "../decode/members";
import { setString, STRING_SET } from "../decode/request";
import { openPairs } from "../decode/projection";
import { exhausted, mark, rewind } from "../memory/arena";
import { outOfFuel, refuel } from "../memory/fuel";
import { moveTo, position, resetOutput, room } from "../encode/cursor";
import { ABSENT } from "../value/value";
import { addControl, controlWord, setControl } from "./control";
import { beginDecisions, decideAction, effect } from "./decide";
import { beginDerivedRoles } from "./derived-roles";
import {
  beginContext,
  beginEntity,
  beginSubject,
  decodeEvaluation,
  hasTokens,
  isDecidable,
  prepare,
  principalExists,
  resourceExists,
} from "./evaluate";
import {
  problemBut,
  reportProblem,
  SEARCHED_ACTION,
  SEARCHED_RESOURCE,
  SEARCHED_SUBJECT,
  settleRoles,
} from "./evaluation-checks";
import { actionRead, forgetActionRead, setAction } from "./evaluation-inputs";
import { tokenRoleCount } from "./evaluation-roles";
import { beginOutputs } from "./outputs";
import { conditionAsked, forgetConditions } from "./state";
import { addStored } from "./stored-entities";
import { resolveActions, resourceRecord } from "./subject";

const HEADER: usize = 8;
/** Least bytes of a candidate, which bounds how many there are. */
const LEAST: u32 = 9;

/** A resource is compared with the one before, so a candidate takes the record that is not the current resource. */
const records = memory.data(288, 16);
const RECORD: usize = 144;
const actions = memory.data(32, 16);

/**
 * Searches the candidates that lie behind the body of `length` bytes at `input` and what else came with it. Returns a status; on STATUS_OK
 * the offsets of those permitted, at most CONTROL_SEARCH_LIMIT, are the output, and CONTROL_SEARCHED how far it looked.
 */
export function searchCandidates(input: usize, length: u32, inputFormat: i32, flags: i32, now: f64): i32 {
  const size = controlWord(CONTROL_CANDIDATES_LENGTH);
  const before = controlWord(CONTROL_CLAIMS_LENGTH) + controlWord(CONTROL_ENTITIES_LENGTH);
  setControl(CONTROL_SEARCHED, 0);
  const decoded = decodeEvaluation(input, length, inputFormat, false);
  if (decoded != STATUS_OK) return decoded;
  const searched =
    (flags & FLAG_SEARCH_ACTION) != 0
      ? SEARCHED_ACTION
      : (flags & FLAG_SEARCH_SUBJECT) != 0
        ? SEARCHED_SUBJECT
        : SEARCHED_RESOURCE;
  const problem = problemBut(body, searched);
  if (problem != 0) return reportProblem(problem, input);
  const prepared = prepare(input + length, body, 1, flags & ~FLAG_SCHEMAS, now);
  if (prepared != STATUS_OK) return prepared;
  // Before anything is answered: what stands there is another request's.
  resetOutput();
  // What is stored for the subject or the resource may be no good: then nothing is permitted.
  if (problemBut(body, searched) != 0) return finish(size, 0);
  const context: usize = load<u32>(body, EVALUATION_CONTEXT);
  if (roleSource == ROLES_FROM_TOKEN && (tokenRoleCount == 0 || !hasTokens(context)))
    return reportProblem(INVALID_AUTHZEN_NO_ROLES, input);
  refuel(<i64>FUEL_BASE + <i64>FUEL_PER_DECISION * <i64>(size / LEAST));
  beginContext(context);
  const start = input + length + before;
  if (searched == SEARCHED_ACTION) return searchActions(start, start + size);
  return searchEntities(start, start + size, searched == SEARCHED_SUBJECT);
}

function searchEntities(start: usize, end: usize, ofSubjects: bool): i32 {
  const pattern: usize = load<u32>(body + (ofSubjects ? EVALUATION_SUBJECT : EVALUATION_RESOURCE));
  const action: usize = load<u32>(body, EVALUATION_ACTION);
  setAction(action, load<u64>(action, ACTION_PROPERTIES));
  resolveActions(action, 1, 0, 0);
  if (!ofSubjects) beginSubject(load<u32>(body, EVALUATION_SUBJECT), true);
  const base = mark();
  const limit = controlWord(CONTROL_SEARCH_LIMIT);
  let found: u32 = 0;
  // The outcome that holds for all candidates without a version and a scope of their own.
  let isSettled = false;
  let settled: bool = false;
  let at = start;
  while (at + HEADER <= end && found < limit) {
    const place = at;
    const idLength: usize = load<u32>(at);
    const size: usize = load<u32>(at, 4);
    const id = at + HEADER;
    if (idLength > end - id || size > end - id - idLength) break;
    const properties = id + idLength;
    at = properties + size;
    addControl(CONTROL_DECISIONS, 1);
    const isPlain = size == 0 || !mayHoldReserved(properties, at);
    let allowed: bool = settled;
    if (!isSettled || !isPlain) {
      rewind(base);
      openPairs();
      const record = resourceRecord == records ? records + RECORD : records;
      clearEntity(record, 0);
      v128.store(record, v128.load(pattern));
      setString(record + ENTITY_ID, id, <u32>idLength, STRING_SET);
      if (size != 0) addStored(record, ofSubjects, properties, at);
      forgetConditions();
      allowed = permits(record, ofSubjects, action);
      if (outOfFuel()) return STATUS_FUEL;
      if (exhausted) return STATUS_MEMORY;
      // Who a subject is, its roles included, is part of what it may do without any condition.
      if (isPlain && !ofSubjects && !conditionAsked) {
        isSettled = true;
        settled = allowed;
      }
    }
    if (!allowed) continue;
    if (!note(<u32>(place - start))) return STATUS_OUTPUT_FULL;
    found += 1;
  }
  return finish(at - start, found);
}

function permits(record: usize, ofSubjects: bool, action: usize): bool {
  if (load<u32>(record, ENTITY_PROBLEM) != 0) return false;
  if (ofSubjects) {
    settleRoles(record);
    beginSubject(record, false);
    beginEntity(load<u32>(body, EVALUATION_RESOURCE));
  } else beginEntity(record);
  return decide(action);
}

function decide(action: usize): bool {
  if (!isDecidable()) return false;
  beginOutputs();
  beginDerivedRoles();
  beginDecisions(principalExists, resourceExists, false);
  decideAction(action);
  return effect == EFFECT_ALLOW;
}

function searchActions(start: usize, end: usize): i32 {
  beginSubject(load<u32>(body, EVALUATION_SUBJECT), true);
  beginEntity(load<u32>(body, EVALUATION_RESOURCE));
  const limit = controlWord(CONTROL_SEARCH_LIMIT);
  let found: u32 = 0;
  let action = actions;
  let before: usize = 0;
  let at = start;
  while (at + HEADER <= end && found < limit) {
    const place = at;
    const length: usize = load<u32>(at);
    const name = at + HEADER;
    if (length > end - name) break;
    at = name + length;
    addControl(CONTROL_DECISIONS, 1);
    action = action == actions ? actions + 16 : actions;
    setString(action, name, <u32>length, STRING_SET);
    resolveActions(action, 1, before, before == 0 ? 0 : 1);
    before = action;
    if (actionRead) beginEntity(load<u32>(body, EVALUATION_RESOURCE));
    forgetActionRead();
    setAction(action, ABSENT);
    const allowed = decide(action);
    if (outOfFuel()) return STATUS_FUEL;
    if (exhausted) return STATUS_MEMORY;
    if (!allowed) continue;
    if (!note(<u32>(place - start))) return STATUS_OUTPUT_FULL;
    found += 1;
  }
  return finish(at - start, found);
}

function note(offset: u32): bool {
  if (!room(4)) return false;
  store<u32>(position, offset);
  moveTo(position + 4);
  return true;
}

function finish(searched: usize, found: u32): i32 {
  setControl(CONTROL_SEARCHED, <u32>searched);
  addControl(CONTROL_ALLOWED, found);
  return STATUS_OK;
}
