/**
 * Whether an evaluation can be decided: what must be there (Authorization API 1.0, section 5), and what its parts carry as problems.
 * In a batch, parts that an evaluation omits are those of the body, as whole objects (section 7.1.1).
 */
import {
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  INVALID_AUTHZEN_ACTION,
  INVALID_AUTHZEN_ACTION_NAME,
  INVALID_AUTHZEN_RESOURCE,
  INVALID_AUTHZEN_RESOURCE_KIND,
  INVALID_AUTHZEN_SUBJECT,
  INVALID_AUTHZEN_SUBJECT_KIND,
  ROLES_FROM_TOKEN,
  STATUS_INVALID_REQUEST,
} from "../abi";
import {
  ACTION_PLACE,
  ACTION_PROBLEM,
  body,
  CONTEXT_PLACE,
  CONTEXT_PROBLEM,
  ENTITY_ID,
  ENTITY_PLACE,
  ENTITY_PROBLEM,
  ENTITY_ROLE_COUNT,
  ENTITY_TYPE,
  EVALUATION_ACTION,
  EVALUATION_CONTEXT,
  EVALUATION_PLACE,
  EVALUATION_PROBLEM,
  EVALUATION_RESOURCE,
  EVALUATION_SIZE,
  EVALUATION_SUBJECT,
  evaluationCount,
  evaluations,
} from "../decode/evaluation";
import { roleSource, rolesOfType } from "../decode/evaluation-problems";
import { stringLength } from "../decode/request";
import { setControl, setErrorText } from "./control";
import { problemText } from "./evaluation-texts";
import { fragmentLength, fragmentStart } from "./fragments";

/** Where the value stands that the last problem is about; 0 when it is missing. */
let place: usize = 0;

/** Which part of an evaluation is searched for, so that it needs no id, or is not there: SEARCHED_*. */
export const SEARCHED_NONE: u32 = 0;
export const SEARCHED_SUBJECT: u32 = 1;
export const SEARCHED_RESOURCE: u32 = 2;
export const SEARCHED_ACTION: u32 = 3;

/** INVALID_AUTHZEN_* of an evaluation that stands for itself, 0 when it can be decided. */
export function problemOf(evaluation: usize): u32 {
  return problemBut(evaluation, SEARCHED_NONE);
}

/** The same for one whose other parts are known to have none. */
export function resourceProblemOf(evaluation: usize): u32 {
  const own = load<u32>(evaluation, EVALUATION_PROBLEM);
  if (own != 0) return own;
  const resource: usize = load<u32>(evaluation, EVALUATION_RESOURCE);
  return resource == 0
    ? INVALID_AUTHZEN_RESOURCE
    : entityProblem(resource, INVALID_AUTHZEN_RESOURCE_KIND, false);
}

/** The same for one without what it searches for. */
export function problemBut(evaluation: usize, searched: u32): u32 {
  place = load<u32>(evaluation, EVALUATION_PLACE);
  const own = load<u32>(evaluation, EVALUATION_PROBLEM);
  if (own != 0) return own;
  const subject: usize = load<u32>(evaluation, EVALUATION_SUBJECT);
  if (subject == 0) return INVALID_AUTHZEN_SUBJECT;
  const ofSubject = entityProblem(subject, INVALID_AUTHZEN_SUBJECT_KIND, searched == SEARCHED_SUBJECT);
  if (ofSubject != 0) return ofSubject;
  if (searched != SEARCHED_ACTION) {
    const action: usize = load<u32>(evaluation, EVALUATION_ACTION);
    if (action == 0) return INVALID_AUTHZEN_ACTION;
    place = load<u32>(action, ACTION_PLACE);
    const ofAction = load<u32>(action, ACTION_PROBLEM);
    if (ofAction != 0) return ofAction;
    if (stringLength(action) == 0) return INVALID_AUTHZEN_ACTION_NAME;
  }
  const resource: usize = load<u32>(evaluation, EVALUATION_RESOURCE);
  if (resource == 0) return INVALID_AUTHZEN_RESOURCE;
  const ofResource = entityProblem(resource, INVALID_AUTHZEN_RESOURCE_KIND, searched == SEARCHED_RESOURCE);
  if (ofResource != 0) return ofResource;
  return contextProblem(load<u32>(evaluation, EVALUATION_CONTEXT));
}

/**
 * Gives the evaluations of a batch the parts that they omit. INVALID_AUTHZEN_* when one of those parts, or the body itself, is
 * not as it should be: then nothing of the batch is decided.
 */
export function fillInDefaults(): u32 {
  place = load<u32>(body, EVALUATION_PLACE);
  const own = load<u32>(body, EVALUATION_PROBLEM);
  if (own != 0) return own;
  const subject = load<u32>(body, EVALUATION_SUBJECT);
  const action = load<u32>(body, EVALUATION_ACTION);
  const resource = load<u32>(body, EVALUATION_RESOURCE);
  const context = load<u32>(body, EVALUATION_CONTEXT);
  if (subject != 0) {
    const problem = entityProblem(subject, INVALID_AUTHZEN_SUBJECT_KIND, false);
    if (problem != 0) return problem;
  }
  if (action != 0) {
    place = load<u32>(<usize>action, ACTION_PLACE);
    const problem = load<u32>(<usize>action, ACTION_PROBLEM);
    if (problem != 0) return problem;
    if (stringLength(action) == 0) return INVALID_AUTHZEN_ACTION_NAME;
  }
  if (resource != 0) {
    const problem = entityProblem(resource, INVALID_AUTHZEN_RESOURCE_KIND, false);
    if (problem != 0) return problem;
  }
  const problem = contextProblem(context);
  if (problem != 0) return problem;
  const end = evaluations + <usize>evaluationCount * EVALUATION_SIZE;
  for (let record = evaluations; record < end; record += EVALUATION_SIZE) {
    if (load<u32>(record, EVALUATION_SUBJECT) == 0) store<u32>(record, subject, EVALUATION_SUBJECT);
    if (load<u32>(record, EVALUATION_ACTION) == 0) store<u32>(record, action, EVALUATION_ACTION);
    if (load<u32>(record, EVALUATION_RESOURCE) == 0) store<u32>(record, resource, EVALUATION_RESOURCE);
    if (load<u32>(record, EVALUATION_CONTEXT) == 0) store<u32>(record, context, EVALUATION_CONTEXT);
  }
  return 0;
}

/** Tells the host why nothing is decided; always STATUS_INVALID_REQUEST. */
export function reportProblem(problem: u32, input: usize): i32 {
  const text = problemText(problem);
  setErrorText(fragmentStart(text), fragmentLength(text));
  setControl(CONTROL_ERROR_DETAIL, problem);
  setControl(CONTROL_ERROR_OFFSET, place == 0 ? 0 : <u32>(place - input));
  return STATUS_INVALID_REQUEST;
}

/** `noKind` is what a missing type is for this part; a missing id is the number after it. */
function entityProblem(entity: usize, noKind: u32, isSearched: bool): u32 {
  const own = load<u32>(entity, ENTITY_PROBLEM);
  place = load<u32>(entity, ENTITY_PLACE);
  if (own != 0) return own;
  place = 0;
  if (stringLength(entity + ENTITY_TYPE) == 0) return noKind;
  if (!isSearched && stringLength(entity + ENTITY_ID) == 0) return noKind + 1;
  return 0;
}

function contextProblem(context: usize): u32 {
  if (context == 0) return 0;
  place = load<u32>(context, CONTEXT_PLACE);
  return load<u32>(context, CONTEXT_PROBLEM);
}

/** The roles of a subject that nothing names: its type. */
export function settleRoles(subject: usize): void {
  if (roleSource != ROLES_FROM_TOKEN && load<u32>(subject, ENTITY_ROLE_COUNT) == 0) rolesOfType(subject);
}
