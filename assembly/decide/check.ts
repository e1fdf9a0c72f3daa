/**
 * One check from request bytes to response bytes: decode, validate, resolve, decide, write. Every step has one error
 * exit, a status of abi.ts; nothing here traps on input.
 */
import {
  CONTROL_ALLOWED,
  CONTROL_BASE,
  CONTROL_CLAIMS_LENGTH,
  CONTROL_DECISIONS,
  CONTROL_ERROR_DETAIL,
  CONTROL_FIRST_RESOURCE,
  CONTROL_FUEL_USED,
  CONTROL_RESOURCES,
  CONTROL_TOTAL_RESOURCES,
  CONTROL_VERDICTS_LENGTH,
  EFFECT_ALLOW,
  EFFECT_DENY,
  FLAG_CONTINUES,
  FLAG_DENY_ALL,
  FLAG_SCHEMAS,
  FLAG_TRACE,
  FLAG_UNFINISHED,
  FORMAT_JSON,
  FUEL_BASE,
  FUEL_PER_DECISION,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
  STATUS_SCHEMAS,
  STATUS_TOO_MANY_PAIRS,
  TRACE_ACTION,
} from "../abi";
import { decodeJson } from "../decode/json";
import { beginKnownPrefixes } from "../decode/known-prefixes";
import { decodeMsgpack } from "../decode/msgpack";
import {
  RESOURCE_ACTIONS,
  RESOURCE_ACTION_COUNT,
  RESOURCE_KNOWN,
  RESOURCE_OFFSET,
  RESOURCE_PAIRS,
  RESOURCE_PAIR_COUNT,
  RESOURCE_REPEATS,
  RESOURCE_SIZE,
  STRING_SIZE,
  countDecisions,
  decisionCount,
  hasAuxData,
  includeMeta,
  mostActions,
  principalPairCount,
  principalPairs,
  resourceCount,
  resources,
} from "../decode/request";
import { reserve } from "../decode/reserve";
import { validateRequest } from "../decode/validate";
import { ABSENT } from "../value/value";
import { exhausted, mark, resetArena, rewind } from "../memory/arena";
import { fuelLeft, outOfFuel, refuel } from "../memory/fuel";
import { addControl, clearControl } from "./control";
import {
  KEY_NONE,
  KEY_RESOURCE,
  beginDecisions,
  decideListed,
  decidingScope,
  effect,
  isShort,
  keyBlock,
  keyKind,
} from "./decide";
import { beginDerivedRoles, derivedRolesSize, placeDerivedRoles } from "./derived-roles";
import { actionRead, forgetActionRead, setAction, setContext, setStored } from "./evaluation-inputs";
import { matchesAny } from "./glob";
import { setAuxData, setNow } from "./inputs";
import { isKnown, listedOf, makeKnown, recallKnown } from "./known-resources";
import { beginOutputs } from "./outputs";
import { beginResponse, endResponse, responseFull, writeResource } from "./respond";
import { beginResults, placeResults, resultsSize, setResult } from "./results";
import { beginVerdicts, needsSchemas, nextVerdict, verdictRejects } from "./schema-verdicts";
import { beginListed, clearListed, endListed, listedSize } from "./shortlist";
import {
  beginRequest,
  beginResource,
  buildPrincipalSlots,
  fillSlots,
  requestEpoch,
  resourceEpoch,
} from "./state";
import {
  beginResources,
  chainBlock,
  chainLength,
  chainScope,
  kindLength,
  kindStart,
  kindSymbol,
  principalFirstScope,
  principalVersionSymbol,
  resolveActions,
  resolveNumbered,
  repeatResource,
  resolveResource,
  resourceVersionSymbol,
} from "./subject";
import { NO_SYMBOL, hasRolePolicies, nextScope, principalPolicyAt, rolePolicyKinds } from "./tables";
import { beginTrace, trace, tracing } from "./trace";

let maxActions: u32 = 50;
let maxResources: u32 = 50;
/** Most pairs of a resource and an action; 0 for no limit of its own. */
let maxPairs: u32 = 0;

export function setLimits(actions: u32, resourceLimit: u32): void {
  maxActions = actions;
  maxResources = resourceLimit;
}

export function setPairLimit(pairs: u32): void {
  maxPairs = pairs;
}

/** Most evaluations of an AuthZEN batch: as many as a check may ask for. */
export function mostEvaluations(): u32 {
  if (maxPairs != 0) return maxPairs;
  const pairs = <u64>maxActions * <u64>maxResources;
  return pairs < <u64>u32.MAX_VALUE ? <u32>pairs : u32.MAX_VALUE;
}

/**
 * Decides the request of `length` bytes at `input`, behind which what the host adds begins (CONTROL_CLAIMS_LENGTH).
 * Returns a status; STATUS_OK means the response is complete.
 */
export function checkRequest(
  input: usize,
  length: u32,
  inputFormat: i32,
  outputFormat: i32,
  flags: i32,
  now: f64,
): i32 {
  const claimsLength = load<u32>(CONTROL_BASE, CONTROL_CLAIMS_LENGTH);
  const verdictsLength = load<u32>(CONTROL_BASE, CONTROL_VERDICTS_LENGTH);
  resetArena();
  beginKnownPrefixes();
  clearControl();
  const read = readRequest(input, length, inputFormat);
  if (read != STATUS_OK) return read;
  return decideRequest(input + length, claimsLength, verdictsLength, outputFormat, flags, now);
}

/** The first half of a check: reads a request into decode/request.ts, and says what is wrong with it. */
export function readRequest(input: usize, length: u32, inputFormat: i32): i32 {
  refuel(FUEL_BASE);
  const decoded =
    inputFormat == FORMAT_JSON
      ? decodeJson(input, length, maxActions, maxResources)
      : decodeMsgpack(input, length, maxActions, maxResources);
  if (decoded != STATUS_OK) return decoded;
  countDecisions();
  if (maxPairs != 0 && decisionCount > maxPairs) {
    store<u32>(CONTROL_BASE, decisionCount, CONTROL_ERROR_DETAIL);
    return STATUS_TOO_MANY_PAIRS;
  }
  noteFirstResource(input);
  return validateRequest();
}

/**
 * The second half: decides what decode/request.ts holds. What the host adds begins at `added`.
 */
export function decideRequest(
  added: usize,
  claimsLength: u32,
  verdictsLength: u32,
  outputFormat: i32,
  flags: i32,
  now: f64,
): i32 {
  if (hasAuxData && claimsLength == 0) return STATUS_AUX_DATA;
  const claims = setAuxData(added, claimsLength);
  if (claims != STATUS_OK) return claims;
  beginTrace((flags & FLAG_TRACE) != 0);
  beginRequest();
  setNow(now);
  setContext(ABSENT);
  setStored(ABSENT, ABSENT);
  if (resolveNumbered()) principalExists = anyPrincipalPolicy();
  fillSlots(principalPairs, principalPairCount, requestEpoch);
  const fuel = <i64>FUEL_BASE + <i64>FUEL_PER_DECISION * <i64>decisionCount;
  refuel(fuel);
  const unfinished = (flags & FLAG_UNFINISHED) != 0;
  const entries = unfinished ? load<u32>(CONTROL_BASE, CONTROL_TOTAL_RESOURCES) : resourceCount;
  beginResponse(outputFormat, now, (flags & FLAG_CONTINUES) != 0, entries);
  const room = reserve(derivedRolesSize() + resultsSize(mostActions) + listedSize(mostActions));
  if (room == 0) return STATUS_MEMORY;
  ownListed = placeResults(placeDerivedRoles(room), mostActions);
  resourceExists = false;
  actionsBefore = 0;
  actionCountBefore = 0;
  beginResources();
  if ((flags & FLAG_SCHEMAS) != 0 && (flags & FLAG_DENY_ALL) == 0) {
    if (verdictsLength == 0 && needsSchemas()) return STATUS_SCHEMAS;
    beginResources();
  }
  beginVerdicts(verdictsLength == 0 ? 0 : added + claimsLength, verdictsLength);
  // What one resource allocates is freed before the next, so a large batch needs no more memory than its largest entry.
  // The principal's lists and maps are shared by all resources, so with several they are built before that mark.
  if (resourceCount > 1) buildPrincipalSlots(principalPairs, principalPairCount);
  const base = mark();
  for (let index: u32 = 0; index < resourceCount; index++) {
    rewind(base);
    const record = resources + <usize>index * RESOURCE_SIZE;
    checkResource(record, index, (flags & FLAG_DENY_ALL) != 0);
    if (outOfFuel()) return STATUS_FUEL;
    if (exhausted) return STATUS_MEMORY;
    writeResource(record, index);
    if (responseFull()) return STATUS_OUTPUT_FULL;
  }
  if (!unfinished) endResponse();
  store<u32>(CONTROL_BASE, <u32>(fuel - fuelLeft()), CONTROL_FUEL_USED);
  if (exhausted) return STATUS_MEMORY;
  return responseFull() ? STATUS_OUTPUT_FULL : STATUS_OK;
}

/** What holds for the principal that was resolved last, and for the current resource. */
let principalExists: bool = false;
let resourceExists: bool = false;
/** Where shortlists are listed (shortlist.ts): those of a resource of which nothing is known, and those of the current resource. */
let ownListed: usize = 0;
let listed: usize = 0;
/** Action records of the resource before. */
let actionsBefore: usize = 0;
let actionCountBefore: u32 = 0;

/** Decides every action of one resource. */
function checkResource(record: usize, index: u32, denyAll: bool): void {
  const actions: usize = load<u32>(record, RESOURCE_ACTIONS);
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  const repeats = load<u32>(record, RESOURCE_REPEATS) != 0;
  beginResource();
  forgetActionRead();
  if (repeats) repeatResource(record);
  else {
    const known: usize = load<u32>(record, RESOURCE_KNOWN);
    if (isKnown(known)) {
      resourceExists = recallKnown(known, record);
      listed = listedOf(known);
    } else {
      if (resolveResource(record)) resourceExists = anyResourcePolicy();
      beginResults(actions, count, resolveActions(actions, count, actionsBefore, actionCountBefore));
      listed = known != 0 && makeKnown(known, count, resourceExists) ? listedOf(known) : ownListed;
      clearListed(listed);
    }
    beginDecisions(principalExists, resourceExists, includeMeta);
    actionsBefore = actions;
    actionCountBefore = count;
  }
  fillSlots(load<u32>(record, RESOURCE_PAIRS), load<u32>(record, RESOURCE_PAIR_COUNT), resourceEpoch);
  beginOutputs();
  beginDerivedRoles();
  nextVerdict();
  const decidable = (principalExists || resourceExists) && !denyAll && !verdictRejects;
  beginListed(listed, count, decidable && isShort);
  addControl(CONTROL_RESOURCES, 1);
  addControl(CONTROL_DECISIONS, count);
  let allowed: u32 = 0;
  for (let at: u32 = 0; at < count; at++) {
    if (tracing) trace(TRACE_ACTION, index, at, 0);
    if (!decidable) {
      setResult(at, EFFECT_DENY, verdictRejects ? KEY_RESOURCE : KEY_NONE, NO_SYMBOL, 0);
      continue;
    }
    const action = actions + <usize>at * STRING_SIZE;
    // What was remembered with an action in view holds for that action only.
    if (actionRead) {
      beginResource();
      fillSlots(load<u32>(record, RESOURCE_PAIRS), load<u32>(record, RESOURCE_PAIR_COUNT), resourceEpoch);
      forgetActionRead();
    }
    setAction(action, ABSENT);
    decideListed(action, at);
    setResult(at, effect, keyKind, decidingScope, keyBlock);
    if (effect == EFFECT_ALLOW) allowed += 1;
  }
  endListed();
  addControl(CONTROL_ALLOWED, allowed);
}

/** Whether any principal policy, of whatever principal, has the principal's version and a scope of its search. */
export function anyPrincipalPolicy(): bool {
  for (let scope = principalFirstScope; scope != NO_SYMBOL; scope = nextScope(scope, true)) {
    if (principalPolicyAt(principalVersionSymbol, scope)) return true;
  }
  return false;
}

/** Whether a resource policy, or a rule of a role policy, speaks of the kind at a scope of the search. */
export function anyResourcePolicy(): bool {
  for (let index: u32 = 0; index < chainLength; index++) {
    if (chainBlock(index) != 0) return true;
    if (!hasRolePolicies) continue;
    const kinds = rolePolicyKinds(resourceVersionSymbol, chainScope(index));
    if (kinds != 0 && matchesAny(kinds, kindSymbol, kindStart, kindLength)) return true;
  }
  return false;
}

/** Tells the host where the first entry is, so that it knows that a part was cut where it thought. */
function noteFirstResource(input: usize): void {
  const offset = resourceCount == 0 ? 0 : load<u32>(resources, RESOURCE_OFFSET) - <u32>input;
  store<u32>(CONTROL_BASE, offset, CONTROL_FIRST_RESOURCE);
}
