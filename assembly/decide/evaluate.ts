/**
 * AuthZEN evaluations from body to response (Authorization API 1.0, sections 6 and 7): each is one action on one resource by one
 * subject, decided by the code that decides checks. What neighbours of a batch share (subject, resource, context) is set up once.
 */
import {
  CONTROL_ALLOWED,
  CONTROL_CLAIMS_LENGTH,
  CONTROL_DECISIONS,
  CONTROL_ENTITIES_LENGTH,
  CONTROL_ERROR_DETAIL,
  CONTROL_FUEL_USED,
  CONTROL_RESOURCES,
  CONTROL_VERDICTS_LENGTH,
  EFFECT_ALLOW,
  EFFECT_DENY,
  FLAG_DENY_ALL,
  FLAG_ENTITIES,
  FLAG_EVALUATIONS,
  FLAG_SCHEMAS,
  FORMAT_JSON,
  FUEL_BASE,
  FUEL_PER_DECISION,
  INVALID_AUTHZEN_NO_ROLES,
  REASONS_ALL,
  REASONS_NONE,
  ROLES_FROM_TOKEN,
  STATUS_AUX_DATA,
  STATUS_ENTITIES,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
  STATUS_SCHEMAS,
} from "../abi";
import {
  ACTION_PROPERTIES,
  body,
  CONTEXT_FLAGS,
  CONTEXT_HAS_META,
  CONTEXT_HAS_TOKENS,
  CONTEXT_REQUEST_ID,
  ENTITY_ID,
  ENTITY_PAIR_COUNT,
  ENTITY_PAIRS,
  ENTITY_PROPERTIES,
  ENTITY_ROLE_COUNT,
  ENTITY_ROLES,
  ENTITY_SCOPE,
  ENTITY_STORED,
  ENTITY_STORED_COUNT,
  ENTITY_STORED_PAIRS,
  ENTITY_VERSION,
  EVALUATION_ACTION,
  EVALUATION_CONTEXT,
  EVALUATION_RESOURCE,
  EVALUATION_SIZE,
  EVALUATION_SUBJECT,
  clearEvaluations,
  entityAt,
  entityCount,
  isSubjectAt,
  evaluationCount,
  evaluations,
  semantic,
  SEMANTIC_DENY_ON_FIRST_DENY,
  SEMANTIC_PERMIT_ON_FIRST_PERMIT,
} from "../decode/evaluation";
import { decodeEvaluationJson } from "../decode/evaluation-json";
import { decodeEvaluationMsgpack } from "../decode/evaluation-msgpack";
import { roleSource } from "../decode/evaluation-problems";
import {
  clearRequest,
  principalId,
  principalScope,
  principalVersion,
  requestId,
  RESOURCE_ACTION_COUNT,
  RESOURCE_ACTIONS,
  setIncludeMeta,
  setPrincipalAttr,
  setRoles,
} from "../decode/request";
import { reserve } from "../decode/reserve";
import { exhausted, mark, resetArena, rewind } from "../memory/arena";
import { fuelLeft, outOfFuel, refuel } from "../memory/fuel";
import { ABSENT } from "../value/value";
import { anyPrincipalPolicy, anyResourcePolicy, mostEvaluations } from "./check";
import { clearControl, controlWord, setControl } from "./control";
import {
  beginDecisions,
  decideListed,
  decidingScope,
  effect,
  isShort,
  keyBlock,
  keyKind,
  KEY_NONE,
  KEY_RESOURCE,
} from "./decide";
import { beginDerivedRoles, derivedRolesSize, placeDerivedRoles } from "./derived-roles";
import {
  fillInDefaults,
  problemOf,
  reportProblem,
  resourceProblemOf,
  settleRoles,
} from "./evaluation-checks";
import { actionRead, forgetActionRead, setAction, setContext, setStored } from "./evaluation-inputs";
import { composeReason, reasonLength, reasonStart } from "./evaluation-reasons";
import { rolesOfToken, tokenRoleCount, tokenRoles } from "./evaluation-roles";
import { problemText } from "./evaluation-texts";
import { setAuxData, setNow, showAuxData } from "./inputs";
import { beginOutputs } from "./outputs";
import { responseFull } from "./respond";
import {
  beginEvaluations,
  endEvaluations,
  writeDecision,
  writeExplained,
  writeProblem,
} from "./respond-evaluation";
import { beginResults, placeResults, resultsSize, setResult } from "./results";
import { beginVerdicts, needsSchemasOf, nextVerdict, verdictRejects } from "./schema-verdicts";
import { beginListed, clearListed, endListed, listedSize } from "./shortlist";
import {
  beginRequest,
  beginResource,
  buildPrincipalSlots,
  fillSlots,
  requestEpoch,
  resourceEpoch,
} from "./state";
import { askForEntities, takeEntities } from "./stored-entities";
import { beginResources, resolveActions, resolvePrincipal, resolveResource } from "./subject";
import { NO_SYMBOL } from "./tables";
import { beginTrace } from "./trace";

let reasons: u32 = REASONS_NONE;

/** Sets which decisions say why: REASONS_*. */
export function setReasons(mode: u32): void {
  reasons = mode;
}

/**
 * Decides the AuthZEN body of `length` bytes at `input`, behind which what the host adds begins. Returns a status; STATUS_OK means
 * the response is complete. One evaluation unless `flags` say FLAG_EVALUATIONS and the body has some.
 */
export function evaluateRequest(
  input: usize,
  length: u32,
  inputFormat: i32,
  outputFormat: i32,
  flags: i32,
  now: f64,
): i32 {
  const isMany = (flags & FLAG_EVALUATIONS) != 0;
  const decoded = decodeEvaluation(input, length, inputFormat, isMany);
  if (decoded != STATUS_OK) return decoded;
  const many = isMany && evaluationCount != 0;
  const problem = many ? fillInDefaults() : problemOf(body);
  if (problem != 0) return reportProblem(problem, input);
  const first = many ? evaluations : body;
  const count: u32 = many ? evaluationCount : 1;
  const denyAll = (flags & FLAG_DENY_ALL) != 0;
  const prepared = prepare(input + length, first, count, flags, now);
  if (prepared != STATUS_OK) return prepared;
  const fuel = <i64>FUEL_BASE + <i64>FUEL_PER_DECISION * <i64>count;
  refuel(fuel);
  beginEvaluations(outputFormat, many);
  let decided: u32 = 0;
  let permitted: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const allowed = evaluate(first + <usize>index * EVALUATION_SIZE, denyAll, count > 1);
    decided += 1;
    if (allowed) permitted += 1;
    if (outOfFuel()) return STATUS_FUEL;
    if (exhausted) return STATUS_MEMORY;
    if (responseFull()) return STATUS_OUTPUT_FULL;
    // Section 7.1.2.1: the rest is neither evaluated nor answered.
    if (semantic == (allowed ? SEMANTIC_PERMIT_ON_FIRST_PERMIT : SEMANTIC_DENY_ON_FIRST_DENY)) break;
  }
  endEvaluations(many);
  setControl(CONTROL_RESOURCES, decided);
  setControl(CONTROL_DECISIONS, decided);
  setControl(CONTROL_ALLOWED, permitted);
  setControl(CONTROL_FUEL_USED, <u32>(fuel - fuelLeft()));
  return responseFull() ? STATUS_OUTPUT_FULL : STATUS_OK;
}

/** Begins a request and decodes its body. */
export function decodeEvaluation(input: usize, length: u32, inputFormat: i32, isMany: bool): i32 {
  claimsLength = controlWord(CONTROL_CLAIMS_LENGTH);
  verdictsLength = controlWord(CONTROL_VERDICTS_LENGTH);
  entitiesLength = controlWord(CONTROL_ENTITIES_LENGTH);
  resetArena();
  clearRequest();
  clearControl();
  clearEvaluations();
  refuel(FUEL_BASE);
  return inputFormat == FORMAT_JSON
    ? decodeEvaluationJson(input, length, isMany, mostEvaluations())
    : decodeEvaluationMsgpack(input, length, isMany, mostEvaluations());
}

let claimsLength: u32 = 0;
let verdictsLength: u32 = 0;
let entitiesLength: u32 = 0;

/** Makes everything ready that the evaluations share: what the host added (from `added` on), tables, rooms. */
export function prepare(added: usize, first: usize, count: u32, flags: i32, now: f64): i32 {
  const denyAll = (flags & FLAG_DENY_ALL) != 0;
  const tokens = denyAll ? 0 : contextsWithTokens(first, count);
  if (tokens > 1 || (tokens == 1 && claimsLength == 0)) {
    setControl(CONTROL_ERROR_DETAIL, tokens > 1 ? 1 : 0);
    return STATUS_AUX_DATA;
  }
  const claims = setAuxData(added, claimsLength);
  if (claims != STATUS_OK) return claims;
  rolesOfToken();
  if ((flags & FLAG_ENTITIES) != 0 && entityCount != 0 && !denyAll) {
    if (entitiesLength == 0) return askForEntities() ? STATUS_ENTITIES : STATUS_MEMORY;
    takeEntities(added + claimsLength + verdictsLength, entitiesLength);
  }
  for (let index: u32 = 0; index < entityCount; index++) if (isSubjectAt(index)) settleRoles(entityAt(index));
  beginTrace(false);
  beginRequest();
  setNow(now);
  setIncludeMeta(false);
  const room = reserve(derivedRolesSize() + resultsSize(1) + listedSize(1));
  if (room == 0) return STATUS_MEMORY;
  listed = placeResults(placeDerivedRoles(room), 1);
  beginResources();
  if ((flags & FLAG_SCHEMAS) != 0 && !denyAll) {
    if (verdictsLength == 0 && needsSchemasOf(first, count)) return STATUS_SCHEMAS;
    beginResources();
  }
  beginVerdicts(verdictsLength == 0 ? 0 : added + claimsLength, verdictsLength);
  shared = mark();
  base = shared;
  subject = 0;
  resource = 0;
  context = 0;
  actionBefore = 0;
  isBegun = false;
  principalExists = false;
  resourceExists = false;
  return STATUS_OK;
}

/** Contexts of evaluations that carry tokens, up to two. */
function contextsWithTokens(first: usize, count: u32): u32 {
  let found: u32 = 0;
  let before: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const one = load<u32>(first + <usize>index * EVALUATION_SIZE, EVALUATION_CONTEXT);
    if (one == before || !hasTokens(one)) continue;
    found += 1;
    if (found > 1) break;
    before = one;
  }
  return found;
}

export function hasTokens(one: usize): bool {
  return one != 0 && (load<u32>(one, CONTEXT_FLAGS) & CONTEXT_HAS_TOKENS) != 0;
}

/** The evaluation before: while its parts stay, what they were set up to holds. */
let subject: usize = 0;
let resource: usize = 0;
let context: usize = 0;
let actionBefore: usize = 0;
/** Whether decisions are begun for the same subject, action and context, and for a resource that policies do not tell from this one. */
let isBegun: bool = false;
/** Where the shortlist of the action is listed. */
let listed: usize = 0;
export let principalExists: bool = false;
export let resourceExists: bool = false;
/** Ends of what the whole request has in the arena, and of what the subject has. */
let shared: usize = 0;
let base: usize = 0;

/** Decides and writes one evaluation. `several` tells that others follow, for which the subject's lists and maps are kept. */
function evaluate(evaluation: usize, denyAll: bool, several: bool): bool {
  nextVerdict();
  const action: usize = load<u32>(evaluation, EVALUATION_ACTION);
  // Looked at again for a single one: what is stored for its parts may be no good.
  let problem = hasPartsOfBefore(evaluation) ? resourceProblemOf(evaluation) : problemOf(evaluation);
  if (problem == 0 && roleSource == ROLES_FROM_TOKEN && !denyAll) {
    if (tokenRoleCount == 0 || !hasTokens(load<u32>(evaluation, EVALUATION_CONTEXT)))
      problem = INVALID_AUTHZEN_NO_ROLES;
  }
  if (problem != 0) {
    writeProblem(problemText(problem));
    return false;
  }
  setUp(evaluation, action, several);
  const decidable = isDecidable() && !denyAll && !verdictRejects;
  const hasMeta = context != 0 && (load<u32>(context, CONTEXT_FLAGS) & CONTEXT_HAS_META) != 0;
  if (!isBegun) {
    setIncludeMeta(hasMeta);
    beginDecisions(principalExists, resourceExists, hasMeta);
    clearListed(listed);
    isBegun = true;
  }
  if (decidable) {
    beginListed(listed, 1, isShort);
    decideListed(action, 0);
    endListed();
  }
  const allowed = decidable && effect == EFFECT_ALLOW;
  const explains = reasons == REASONS_ALL || (reasons != REASONS_NONE && !allowed);
  if (!explains && !hasMeta) {
    writeDecision(allowed);
    return allowed;
  }
  const key = decidable ? keyKind : verdictRejects ? KEY_RESOURCE : KEY_NONE;
  const scope = decidable ? decidingScope : NO_SYMBOL;
  const block = decidable ? keyBlock : 0;
  if (explains) composeReason(allowed, denyAll, verdictRejects, key, scope, block);
  if (hasMeta) {
    beginResults(action, 1, false);
    setResult(0, allowed ? EFFECT_ALLOW : EFFECT_DENY, key, scope, block);
    store<u32>(resource, <u32>action, RESOURCE_ACTIONS);
    store<u32>(resource, 1, RESOURCE_ACTION_COUNT);
  }
  writeExplained(allowed, explains ? reasonStart : 0, explains ? reasonLength : 0, hasMeta ? resource : 0);
  return allowed;
}

/** Whether all parts of an evaluation but its resource are those of the one before, which had no problem. */
function hasPartsOfBefore(evaluation: usize): bool {
  return (
    subject != 0 &&
    load<u32>(evaluation, EVALUATION_SUBJECT) == <u32>subject &&
    load<u32>(evaluation, EVALUATION_ACTION) == <u32>actionBefore &&
    load<u32>(evaluation, EVALUATION_CONTEXT) == <u32>context
  );
}

/** Whether there is any policy for the current subject and resource. */
export function isDecidable(): bool {
  return principalExists || resourceExists;
}

/** Makes the parts of an evaluation the current ones. */
function setUp(evaluation: usize, action: usize, several: bool): void {
  const nextSubject: usize = load<u32>(evaluation, EVALUATION_SUBJECT);
  const nextResource: usize = load<u32>(evaluation, EVALUATION_RESOURCE);
  const nextContext: usize = load<u32>(evaluation, EVALUATION_CONTEXT);
  const stays = nextSubject == subject && nextResource == resource && nextContext == context && !actionRead;
  if (!stays) {
    rewind(nextSubject == subject ? base : shared);
    if (nextSubject != subject) {
      beginSubject(nextSubject, several);
      isBegun = false;
    }
    if (nextContext != context || subject == 0) {
      beginContext(nextContext);
      isBegun = false;
    }
    if (beginEntity(nextResource)) isBegun = false;
    subject = nextSubject;
    resource = nextResource;
    context = nextContext;
  }
  beginOutputs();
  beginDerivedRoles();
  if (action != actionBefore) {
    resolveActions(action, 1, actionBefore, actionBefore == 0 ? 0 : 1);
    actionBefore = action;
    isBegun = false;
  }
  setAction(action, load<u64>(action, ACTION_PROPERTIES));
  forgetActionRead();
}

/** Puts a subject in the place of a check's principal. */
export function beginSubject(entity: usize, several: bool): void {
  copyText(principalId, entity + ENTITY_ID);
  copyText(principalVersion, entity + ENTITY_VERSION);
  copyText(principalScope, entity + ENTITY_SCOPE);
  if (roleSource == ROLES_FROM_TOKEN) setRoles(tokenRoles, tokenRoleCount);
  else setRoles(load<u32>(entity, ENTITY_ROLES), load<u32>(entity, ENTITY_ROLE_COUNT));
  const pairs: usize = load<u32>(entity, ENTITY_PAIRS);
  const count = load<u32>(entity, ENTITY_PAIR_COUNT);
  const stored: usize = load<u32>(entity, ENTITY_STORED_PAIRS);
  const storedCount = load<u32>(entity, ENTITY_STORED_COUNT);
  setPrincipalAttr(pairs, count, load<u64>(entity, ENTITY_PROPERTIES));
  beginRequest();
  resolvePrincipal();
  if (storedCount != 0) fillSlots(stored, storedCount, requestEpoch);
  fillSlots(pairs, count, requestEpoch);
  if (several) {
    buildPrincipalSlots(stored, storedCount);
    buildPrincipalSlots(pairs, count);
  }
  principalExists = anyPrincipalPolicy();
  subjectStored = load<u64>(entity, ENTITY_STORED);
  base = mark();
}

/** Stored properties of the current subject. */
let subjectStored: u64 = ABSENT;

export function beginContext(one: usize): void {
  setContext(one == 0 ? ABSENT : load<u64>(one));
  showAuxData(hasTokens(one));
  if (one != 0) copyText(requestId, one + CONTEXT_REQUEST_ID);
  else store<u64>(requestId, 0);
}

/** Puts a resource in the place of a check's. Whether its kind, version or scope is another one than before. */
export function beginEntity(entity: usize): bool {
  beginResource();
  const isOther = resolveResource(entity);
  if (isOther) resourceExists = anyResourcePolicy();
  const storedCount = load<u32>(entity, ENTITY_STORED_COUNT);
  if (storedCount != 0) fillSlots(load<u32>(entity, ENTITY_STORED_PAIRS), storedCount, resourceEpoch);
  fillSlots(load<u32>(entity, ENTITY_PAIRS), load<u32>(entity, ENTITY_PAIR_COUNT), resourceEpoch);
  setStored(subjectStored, load<u64>(entity, ENTITY_STORED));
  return isOther;
}

function copyText(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
}
