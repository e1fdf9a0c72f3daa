/**
 * What is remembered while a request is decided: attribute slots, condition outcomes, shared expression results. All
 * caches are stamped with an epoch instead of being cleared, so a new request or resource costs one increment.
 *
 *   slot        (16 bytes) | u64 value | u32 epoch | u32 zero |        one per projected attribute, and RESERVED_SLOTS
 *   outcome      (4 bytes) | u32 epoch << 2 | outcome |                one per condition
 *   result      (16 bytes) | u64 value | u32 epoch | u32 zero |        one per shared expression
 *   role mask   (16 bytes) | u64 mask  | u32 epoch | u32 zero |        one per role set
 *   derived      (4 bytes) | u32 epoch << 2 | outcome |                one per derived role
 *   chain        (8 bytes) | u32 scope | u32 block |                    as many as the longest scope search (subject.ts)
 *
 * INVARIANT: an epoch is never reused while a stamp of it may be in a cache; `nextEpoch` clears all caches when the
 * 30-bit counter starts over.
 */
import {
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  OUTCOME_ERROR,
  OUTCOME_FALSE,
  OUTCOME_STOP,
  OUTCOME_TRUE,
  ON_ERROR_COMPATIBLE,
  ON_ERROR_FAIL_CLOSED,
  ON_ERROR_STRICT,
  TAG_ERROR,
  TAG_OPTIONAL,
  TAG_RAW_JSON,
  TAG_STRING,
  CONTROL_BASE,
  CONTROL_CONDITION_ERRORS,
} from "../abi";
import { materialize } from "../decode/materialize";
import { PAIR_SIZE } from "../decode/request";
import { burn } from "../memory/fuel";
import {
  FALSE,
  NULL,
  OPTIONAL_NONE,
  TRUE,
  box,
  fail,
  isStringValue,
  ofBool,
  payloadOf,
  tagOf,
} from "../value/value";
import { RESERVED_SLOTS } from "./attributes";
import { setChain } from "./subject";
import {
  attributeCount,
  attributeKeys,
  conditionCount,
  conditionFlags,
  derivedRoleCount,
  longestChain,
  roleSetCount,
  sharedCount,
} from "./tables";

const MAX_EPOCH: u32 = (1 << 30) - 1;

let slots: usize = 0;
let outcomes: usize = 0;
let results: usize = 0;
/** Where what is stamped ends; the chain behind it holds for as long as subject.ts says. */
let stampsEnd: usize = 0;
let tableBaseIndex: i32 = 0;

export let roleMasks: usize = 0;
export let derivedOutcomes: usize = 0;

let epoch: u32 = 0;
/** Stamp of everything that holds for the whole request. */
export let requestEpoch: u32 = 0;
/** Stamp of everything that holds for the current resource. */
export let resourceEpoch: u32 = 0;

/** How errors in conditions count: ON_ERROR_*. */
export let onError: i32 = 0;

export function setOnError(mode: i32): void {
  onError = mode;
}

/** Places the caches from `start` on and returns their end. */
export function placeCaches(start: usize, tableBase: i32): usize {
  tableBaseIndex = tableBase;
  slots = (start + 15) & ~15;
  results = slots + ((<usize>(attributeCount + RESERVED_SLOTS)) << 4);
  roleMasks = results + ((<usize>sharedCount) << 4);
  outcomes = roleMasks + ((<usize>roleSetCount) << 4);
  derivedOutcomes = outcomes + ((<usize>conditionCount) << 2);
  stampsEnd = derivedOutcomes + ((<usize>derivedRoleCount) << 2);
  const chain = (stampsEnd + 7) & ~7;
  setChain(chain);
  memory.fill(slots, 0, stampsEnd - slots);
  epoch = 0;
  return chain + ((<usize>longestChain) << 3);
}

/** For tests: goes on as after so many epochs. */
export function setEpoch(value: u32): void {
  epoch = value;
}

function nextEpoch(): u32 {
  if (epoch >= MAX_EPOCH) {
    memory.fill(slots, 0, stampsEnd - slots);
    epoch = 0;
  }
  epoch += 1;
  return epoch;
}

/** Starts a request: nothing remembered before holds any more. */
export function beginRequest(): void {
  // Two epochs are used per resource at most; starting over in the middle of a request would drop its attributes.
  if (epoch >= MAX_EPOCH - (1 << 22)) epoch = MAX_EPOCH;
  requestEpoch = nextEpoch();
  resourceEpoch = requestEpoch;
}

/** Starts the next resource of the request. */
export function beginResource(): void {
  resourceEpoch = nextEpoch();
}

/** Puts decoded attribute pairs into their slots. */
export function fillSlots(pairs: usize, count: u32, stamp: u32): void {
  const first = slots;
  const end = pairs + <usize>count * PAIR_SIZE;
  for (let pair = pairs; pair < end; pair += PAIR_SIZE) {
    const slot = first + ((<usize>load<u32>(pair)) << 4);
    store<u64>(slot, load<u64>(pair, 8));
    store<u32>(slot, stamp, 8);
  }
}

/** Builds the principal's lists and maps now instead of on first use. */
export function buildPrincipalSlots(pairs: usize, count: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    read(<i32>load<u32>(pairs + <usize>index * PAIR_SIZE), requestEpoch);
  }
}

/** `P.attr.<key of slot>`. */
export function principalAttribute(slot: i32): u64 {
  return read(slot, requestEpoch);
}

/** `R.attr.<key of slot>`. */
export function resourceAttribute(slot: i32): u64 {
  return read(slot, resourceEpoch);
}

/** The cell of `R.attr.<key of slot>` if that is a string, 0 for anything else. */
export function resourceString(slot: i32): usize {
  const cell = slots + ((<usize>slot) << 4);
  const value = load<u64>(cell);
  return load<u32>(cell, 8) == resourceEpoch && isStringValue(value) ? payloadOf(value) : 0;
}

export function principalHasAttribute(slot: i32): u64 {
  return ofBool(load<u32>(slots + ((<usize>slot) << 4), 8) == requestEpoch);
}

export function resourceHasAttribute(slot: i32): u64 {
  return ofBool(load<u32>(slots + ((<usize>slot) << 4), 8) == resourceEpoch);
}

function read(slot: i32, stamp: u32): u64 {
  const cell = slots + ((<usize>slot) << 4);
  if (load<u32>(cell, 8) != stamp) {
    return fail(ERROR_NO_SUCH_KEY, box(TAG_STRING, load<u32>(attributeKeys + ((<usize>slot) << 2))));
  }
  const value = load<u64>(cell);
  if (tagOf(value) < TAG_RAW_JSON) return value;
  const built = materialize(value);
  store<u64>(cell, built);
  return built;
}

/** Whether a shared expression has a result for the current resource. */
export function isRemembered(id: i32): bool {
  return load<u32>(results + ((<usize>id) << 4), 8) == resourceEpoch;
}

export function remembered(id: i32): u64 {
  return load<u64>(results + ((<usize>id) << 4));
}

export function remember(id: i32, value: u64): u64 {
  const cell = results + ((<usize>id) << 4);
  store<u64>(cell, value);
  store<u32>(cell, resourceEpoch, 8);
  return value;
}

/** The last error that a leaf condition ended in, for explanations; 0 when there was none. */
export let lastError: u64 = 0;

/** Evaluates condition `id` anew, past what is remembered, so that `lastError` is its own. */
export function reevaluate(id: i32): i32 {
  lastError = 0;
  return call_indirect<i32>(<u32>(tableBaseIndex + id));
}

/**
 * The outcome of a leaf condition from its value: only the bool true holds; errors count as the mode says. A value that is
 * no bool is plain false in Cerbos, which switches a DENY off; failing closed, it is an error.
 */
export function settle(value: u64): i32 {
  if (value == TRUE) return OUTCOME_TRUE;
  if (value == FALSE) return OUTCOME_FALSE;
  if (tagOf(value) == TAG_OPTIONAL) {
    // An optional counts as what it holds, however often wrapped.
    let inner = value;
    while (tagOf(inner) == TAG_OPTIONAL && inner != OPTIONAL_NONE && burn(1))
      inner = load<u64>(payloadOf(inner));
    if (inner == TRUE) return OUTCOME_TRUE;
    if (inner == FALSE) return OUTCOME_FALSE;
  }
  if (tagOf(value) != TAG_ERROR) {
    if (onError != ON_ERROR_FAIL_CLOSED) return OUTCOME_FALSE;
    lastError = fail(ERROR_NO_SUCH_OVERLOAD, NULL);
  } else lastError = value;
  store<u32>(CONTROL_BASE, load<u32>(CONTROL_BASE, CONTROL_CONDITION_ERRORS) + 1, CONTROL_CONDITION_ERRORS);
  if (onError == ON_ERROR_COMPATIBLE) return OUTCOME_FALSE;
  return onError == ON_ERROR_STRICT ? OUTCOME_STOP : OUTCOME_ERROR;
}

/** Whether a condition was asked for since `forgetConditions`. */
export let conditionAsked: bool = false;

export function forgetConditions(): void {
  conditionAsked = false;
}

/** The outcome of condition `id` for the current resource. */
export function condition(id: i32): i32 {
  conditionAsked = true;
  const cell = outcomes + ((<usize>id) << 2);
  const stamped = load<u32>(cell);
  if (stamped >> 2 == resourceEpoch) return <i32>(stamped & 3);
  const outcome = call_indirect<i32>(<u32>(tableBaseIndex + id));
  if (load<u8>(conditionFlags + <usize>id) != 0) store<u32>(cell, (resourceEpoch << 2) | <u32>outcome);
  return outcome;
}

/** The value of rule output `id`. */
export function output(id: i32): u64 {
  return call_indirect<u64>(<u32>(tableBaseIndex + <i32>conditionCount + id));
}
