/**
 * The guest core's exports: the life cycle the runtime drives (see runtime/guest) and the functions that generated policy
 * modules import.
 */
import {
  ABI_VERSION,
  CONTROL_BASE,
  CONTROL_CANDIDATES_LENGTH,
  CONTROL_CLAIMS_LENGTH,
  CONTROL_ENTITIES_LENGTH,
  CONTROL_ERROR_TEXT_LENGTH,
  CONTROL_ERROR_TEXT_START,
  CONTROL_FRAMES,
  CONTROL_FRAMES_END,
  CONTROL_INPUT_CAPACITY,
  CONTROL_INPUT_START,
  CONTROL_OUTPUT_LENGTH,
  CONTROL_OUTPUT_START,
  CONTROL_VERDICTS_LENGTH,
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  FLAG_SEARCH_ACTION,
  FLAG_SEARCH_RESOURCE,
  FLAG_SEARCH_SUBJECT,
  IMAGE_BASE,
  STATUS_BAD_IMAGE,
  STATUS_MEMORY,
  STATUS_NOT_READY,
  STATUS_OK,
} from "./abi";
import { checkBodies as decideBodies, responsesLength } from "./decide/bodies";
import { checkRequest, setLimits, setPairLimit } from "./decide/check";
import { clearAdded } from "./decide/control";
import { evaluateRequest, setReasons } from "./decide/evaluate";
import { answersLength, checkFrames as decideFrames } from "./decide/frames";
import { placeZones } from "./cel/zones";
import { placePatterns } from "./regex/cache";
import { describeError, errorTextLength, errorTextStart } from "./decide/error-text";
import { readsNow, setGlobalsValue } from "./decide/inputs";
import { responseStart } from "./decide/respond";
import { lastError, placeCaches, reevaluate, setOnError } from "./decide/state";
import { searchCandidates } from "./decide/search";
import { placeRoleLists } from "./decide/role-lists";
import { placeShortlists } from "./decide/shortlist";
import { setDefaultNames, setLenient } from "./decide/subject";
import { conditionCount, loadTables } from "./decide/tables";
import { seedKeyHash } from "./decode/key-set";
import { forgetKnownPrefixes, placeKnownPrefixes } from "./decode/known-prefixes";
import { setRoleSource } from "./decode/evaluation-problems";
import { decodeWholeNumbers } from "./decode/json-build";
import { cursorStart, position, setOutput } from "./encode/cursor";
import { seedUlid } from "./encode/ulid";
import { allocate, fits, keep, setArena } from "./memory/arena";
import { isError } from "./value/value";

export * from "./cel/exports";
export { useZones, zonesStart } from "./cel/zones";
export * from "./decide/generated-code";

/** Bytes behind the input that decoders may load (never use) in blocks. */
const INPUT_SLACK: usize = 64;

const TABLE_BASE: i32 = 1;

let inputStart: usize = 0;
let inputCapacity: usize = 0;
let ready = false;

export function abiVersion(): i32 {
  return ABI_VERSION;
}

/** First address that core's static data does not use. */
export function heapBase(): i32 {
  return <i32>__heap_base;
}

/** First free index of the table: core itself puts no function there (the build checks it). */
export function tableBase(): i32 {
  return TABLE_BASE;
}

/**
 * Prepares the instance once the image is in place and the policy functions are in the table from `tableBase` on:
 * conditions first, then outputs. Lays out caches, input, arena and output up to `memoryEnd`.
 */
export function start(imageLength: i32, inputBytes: i32, outputBytes: i32, memoryEnd: i32): i32 {
  ready = false;
  if (<usize>__heap_base > <usize>IMAGE_BASE || !loadTables(imageLength)) return STATUS_BAD_IMAGE;
  const caches = placeCaches(IMAGE_BASE + <usize>imageLength, TABLE_BASE);
  const shortlists = placeShortlists(placePatterns(placeZones(caches)));
  inputStart = (placeKnownPrefixes(placeRoleLists(shortlists)) + 15) & ~15;
  inputCapacity = <usize>inputBytes;
  const arenaStart = inputStart + inputCapacity + INPUT_SLACK;
  const outputStart = <usize>memoryEnd - <usize>outputBytes;
  if (arenaStart >= outputStart) return STATUS_MEMORY;
  setArena(arenaStart, outputStart);
  setOutput(outputStart, <usize>memoryEnd);
  store<u32>(CONTROL_BASE, <u32>inputStart, CONTROL_INPUT_START);
  store<u32>(CONTROL_BASE, <u32>inputCapacity, CONTROL_INPUT_CAPACITY);
  ready = true;
  return STATUS_OK;
}

/** Sets how errors count, lenient scope search and the request limits. */
export function setMode(onError: i32, lenient: i32, maxActions: i32, maxResources: i32): void {
  setOnError(onError);
  setLenient(lenient != 0);
  forgetKnownPrefixes();
  setLimits(maxActions, maxResources);
}

/** Sets the most pairs of a resource and an action in a request; 0 for no limit beside those of `setMode`. */
export function setMaxPairs(pairs: i32): void {
  setPairLimit(pairs);
}

/** Sets the default version and scope; their bytes lie one after the other at the input start. */
export function setDefaults(versionLength: i32, scopeLength: i32): void {
  const size = <usize>(versionLength + scopeLength);
  if (!fits(size)) return;
  const copy = allocate(size);
  memory.copy(copy, inputStart, size);
  setDefaultNames(copy, versionLength, copy + <usize>versionLength, scopeLength);
  forgetKnownPrefixes();
  keep();
}

/** Sets `globals` from the JSON text of `length` bytes at the input start; numbers without point and exponent become ints. */
export function setGlobals(length: i32): i32 {
  const size = <usize>length;
  if (!fits(size)) return STATUS_MEMORY;
  const copy = allocate(size);
  memory.copy(copy, inputStart, size);
  const value = decodeWholeNumbers(copy, length);
  if (isError(value)) return STATUS_MEMORY;
  setGlobalsValue(value);
  keep();
  return STATUS_OK;
}

/** Seeds the random part of call ids and the keyed hash that finds repeated names in requests. */
export function seed(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32): void {
  seedUlid(a, b);
  // Call ids are public and give their seed away, so the hash has words of its own.
  seedKeyHash(c, d, e, f);
}

/**
 * Sets where the roles of AuthZEN subjects come from (ROLES_FROM_*), with the name of the property or claim at the input start, and
 * which decisions say why (REASONS_*).
 */
export function setAuthzen(roleSource: i32, nameLength: i32, reasons: i32): void {
  const size = <usize>nameLength;
  if (!fits(size + 16)) return;
  const copy = allocate(size + 16);
  memory.copy(copy, inputStart, size);
  setRoleSource(roleSource, copy, nameLength);
  setReasons(reasons);
  keep();
}

/** Decides the `length` bytes at the input start; see checkRequest, and evaluateRequest for FLAG_EVALUATION(S). */
export function check(length: i32, inputFormat: i32, outputFormat: i32, flags: i32, nowMillis: f64): i32 {
  if (!ready || !fitsInput(<u32>length)) {
    clearAdded();
    return STATUS_NOT_READY;
  }
  if ((flags & (FLAG_SEARCH_SUBJECT | FLAG_SEARCH_RESOURCE | FLAG_SEARCH_ACTION)) != 0) {
    const found = searchCandidates(inputStart, length, inputFormat, flags, nowMillis);
    store<u32>(CONTROL_BASE, <u32>cursorStart, CONTROL_OUTPUT_START);
    store<u32>(CONTROL_BASE, found == STATUS_OK ? <u32>(position - cursorStart) : 0, CONTROL_OUTPUT_LENGTH);
    return found;
  }
  const status =
    (flags & (FLAG_EVALUATION | FLAG_EVALUATIONS)) == 0
      ? checkRequest(inputStart, length, inputFormat, outputFormat, flags, nowMillis)
      : evaluateRequest(inputStart, length, inputFormat, outputFormat, flags, nowMillis);
  const first = responseStart();
  store<u32>(CONTROL_BASE, <u32>first, CONTROL_OUTPUT_START);
  store<u32>(CONTROL_BASE, status == STATUS_OK ? <u32>(position - first) : 0, CONTROL_OUTPUT_LENGTH);
  return status;
}

/** Decides the frames of a stream's message, `length` bytes at the input start; see decide/frames.ts. */
export function checkFrames(length: i32, most: i32, longest: i32, flags: i32, nowMillis: f64): i32 {
  clearAdded();
  store<u32>(CONTROL_BASE, 0, CONTROL_FRAMES);
  store<u32>(CONTROL_BASE, 0, CONTROL_FRAMES_END);
  store<u32>(CONTROL_BASE, 0, CONTROL_OUTPUT_LENGTH);
  if (!ready || !fitsInput(<u32>length)) return STATUS_NOT_READY;
  const status = decideFrames(inputStart, length, most, longest, flags, nowMillis);
  store<u32>(CONTROL_BASE, <u32>cursorStart, CONTROL_OUTPUT_START);
  store<u32>(CONTROL_BASE, answersLength, CONTROL_OUTPUT_LENGTH);
  return status;
}

/**
 * Decides the bodies of a table, which lies at the input start and is followed by them, `length` bytes in all; see decide/bodies.ts. False
 * when there is nothing to be decided.
 */
export function checkBodies(length: i32, count: i32, flags: i32, nowMillis: f64): bool {
  clearAdded();
  if (!ready || !fitsInput(<u32>length)) return false;
  decideBodies(inputStart, count, flags, nowMillis);
  store<u32>(CONTROL_BASE, <u32>cursorStart, CONTROL_OUTPUT_START);
  store<u32>(CONTROL_BASE, responsesLength, CONTROL_OUTPUT_LENGTH);
  return true;
}

/** Whether a body of `length` bytes and what the host says it added lie in the input region. */
function fitsInput(length: u32): bool {
  const claims = load<u32>(CONTROL_BASE, CONTROL_CLAIMS_LENGTH);
  const verdicts = load<u32>(CONTROL_BASE, CONTROL_VERDICTS_LENGTH);
  const entities = load<u32>(CONTROL_BASE, CONTROL_ENTITIES_LENGTH);
  const candidates = load<u32>(CONTROL_BASE, CONTROL_CANDIDATES_LENGTH);
  const all = <u64>length + <u64>claims + <u64>verdicts + <u64>entities + <u64>candidates;
  return all <= <u64>inputCapacity;
}

/** Whether the last check read the instant it was given: 1 or 0. */
export function usedNow(): i32 {
  return readsNow() ? 1 : 0;
}

/**
 * The outcome of a condition for the last resource of the last check, for explanations, with the text of the error it
 * ended in; -1 for an unknown id.
 */
export function evaluateCondition(id: i32): i32 {
  store<u32>(CONTROL_BASE, 0, CONTROL_ERROR_TEXT_LENGTH);
  if (!ready || <u32>id >= conditionCount) return -1;
  const outcome = reevaluate(id);
  if (lastError != 0) {
    describeError(lastError);
    store<u32>(CONTROL_BASE, <u32>errorTextStart, CONTROL_ERROR_TEXT_START);
    store<u32>(CONTROL_BASE, errorTextLength, CONTROL_ERROR_TEXT_LENGTH);
  }
  return outcome;
}
