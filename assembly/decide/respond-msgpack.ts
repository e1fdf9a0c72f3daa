/**
 * The response as msgpack: the same message and field names as the JSON form. Maps are written with their exact counts,
 * so every optional field is counted before it is written.
 */
import { EFFECT_ALLOW, TAG_ERROR } from "../abi";
import {
  RESOURCE_ACTION_COUNT,
  RESOURCE_ID,
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  includeMeta,
  requestId,
  stringLength,
  stringStart,
} from "../decode/request";
import { moveTo, position, putBytes, room } from "../encode/cursor";
import { msgpackArray, msgpackMap, msgpackString } from "../encode/msgpack-headers";
import { msgpackValue } from "../encode/msgpack-value";
import { ULID_LENGTH, writeUlid } from "../encode/ulid";
import { tagOf } from "../value/value";
import { listedAt, listedCount } from "./derived-roles";
import { describeError, describeNotConvertible, errorTextLength, errorTextStart } from "./error-text";
import { fragment, fragmentLength, fragmentStart } from "./fragments";
import {
  OUTPUT_ACTION,
  OUTPUT_KEY_BLOCK,
  OUTPUT_KEY_KIND,
  OUTPUT_KEY_SCOPE,
  OUTPUT_NAME_LENGTH,
  OUTPUT_NAME_START,
  OUTPUT_NEXT,
  OUTPUT_VALUE,
  firstOutput,
} from "./outputs";
import { composeKey, keyLength, keyStart } from "./policy-keys";
import { plainEnd, plainHead, plainResource } from "./respond-msgpack-plain";
import { actionAt, resultBlock, resultEffect, resultKeyKind, resultScope, sortedAction } from "./results";
import { verdictLength, verdictStart } from "./schema-verdicts";
import { NO_SYMBOL, symbolLength, symbolStart } from "./tables";
import { allocate, fits } from "../memory/arena";

const REQUEST_ID = fragment("requestId");
const RESULTS = fragment("results");
const CALL_ID = fragment("cerbosCallId");
const RESOURCE = fragment("resource");
const ID = fragment("id");
const KIND = fragment("kind");
const POLICY_VERSION = fragment("policyVersion");
const SCOPE = fragment("scope");
const ACTIONS = fragment("actions");
const ALLOW = fragment("EFFECT_ALLOW");
const DENY = fragment("EFFECT_DENY");
const META = fragment("meta");
const MATCHED_POLICY = fragment("matchedPolicy");
const MATCHED_SCOPE = fragment("matchedScope");
const DERIVED_ROLES = fragment("effectiveDerivedRoles");
const OUTPUTS = fragment("outputs");
const SRC = fragment("src");
const VAL = fragment("val");
const ACTION = fragment("action");
const ERROR = fragment("error");
const VALIDATION_ERRORS = fragment("validationErrors");

let callMillis: f64 = 0;

export function msgpackBegin(now: f64, withHead: bool, entries: u32): void {
  callMillis = now;
  if (!withHead || plainHead(entries)) return;
  const hasId = stringLength(requestId) > 0;
  msgpackMap(hasId ? 3 : 2);
  if (hasId) {
    name(REQUEST_ID);
    text(requestId);
  }
  name(RESULTS);
  msgpackArray(entries);
}

export function msgpackEnd(): void {
  if (plainEnd(callMillis)) return;
  name(CALL_ID);
  if (!room(ULID_LENGTH + 1)) return;
  store<u8>(position, 0xa0 | <u32>ULID_LENGTH);
  moveTo(position + 1 + writeUlid(position + 1, callMillis));
}

/** One entry of `results`. */
export function msgpackResource(record: usize): void {
  if (!includeMeta && firstOutput == 0 && verdictLength == 0 && plainResource(record)) return;
  msgpackMap(2 + (includeMeta ? 1 : 0) + (firstOutput != 0 ? 1 : 0) + (verdictLength != 0 ? 1 : 0));
  name(RESOURCE);
  const version = stringLength(record + RESOURCE_VERSION) > 0;
  const scope = stringLength(record + RESOURCE_SCOPE) > 0;
  msgpackMap(2 + (version ? 1 : 0) + (scope ? 1 : 0));
  field(ID, record + RESOURCE_ID);
  field(KIND, record + RESOURCE_KIND);
  if (version) field(POLICY_VERSION, record + RESOURCE_VERSION);
  if (scope) field(SCOPE, record + RESOURCE_SCOPE);
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  name(ACTIONS);
  msgpackMap(count);
  for (let at: u32 = 0; at < count; at++) {
    const action = sortedAction(at);
    text(actionAt(action));
    name(resultEffect(action) == EFFECT_ALLOW ? ALLOW : DENY);
  }
  if (verdictLength != 0) {
    name(VALIDATION_ERRORS);
    putBytes(verdictStart, verdictLength);
  }
  if (includeMeta) meta(count);
  outputs();
}

function meta(count: u32): void {
  name(META);
  msgpackMap(listedCount > 0 ? 2 : 1);
  name(ACTIONS);
  msgpackMap(count);
  for (let at: u32 = 0; at < count; at++) {
    const action = sortedAction(at);
    const scope = resultScope(action);
    const hasScope = scope != NO_SYMBOL && symbolLength(scope) > 0;
    text(actionAt(action));
    msgpackMap(hasScope ? 2 : 1);
    composeKey(resultKeyKind(action), scope, resultBlock(action));
    name(MATCHED_POLICY);
    msgpackString(keyStart, keyLength);
    if (!hasScope) continue;
    name(MATCHED_SCOPE);
    msgpackString(symbolStart(scope), symbolLength(scope));
  }
  if (listedCount == 0) return;
  name(DERIVED_ROLES);
  msgpackArray(listedCount);
  for (let at: u32 = 0; at < listedCount; at++) {
    const symbol = listedAt(at);
    msgpackString(symbolStart(symbol), symbolLength(symbol));
  }
}

function outputs(): void {
  if (firstOutput == 0) return;
  let count: u32 = 0;
  for (let entry = firstOutput; entry != 0; entry = load<u32>(entry, OUTPUT_NEXT)) count += 1;
  name(OUTPUTS);
  msgpackArray(count);
  for (let entry = firstOutput; entry != 0; entry = load<u32>(entry, OUTPUT_NEXT)) {
    msgpackMap(3);
    name(SRC);
    source(entry);
    const value = load<u64>(entry, OUTPUT_VALUE);
    const before = position;
    let failed = tagOf(value) == TAG_ERROR;
    if (failed) describeError(value);
    else {
      name(VAL);
      if (!msgpackValue(value)) {
        moveTo(before);
        describeNotConvertible();
        failed = true;
      }
    }
    field(ACTION, load<u32>(entry, OUTPUT_ACTION));
    if (!failed) continue;
    name(ERROR);
    msgpackString(errorTextStart, errorTextLength);
  }
}

/** `<policy key>#<rule name>`. */
function source(entry: usize): void {
  composeKey(
    load<u32>(entry, OUTPUT_KEY_KIND),
    load<u32>(entry, OUTPUT_KEY_SCOPE),
    load<u32>(entry, OUTPUT_KEY_BLOCK),
  );
  const nameLength = load<u32>(entry, OUTPUT_NAME_LENGTH);
  const size = keyLength + 1 + nameLength;
  if (!fits(size)) return;
  const start = allocate(size);
  memory.copy(start, keyStart, keyLength);
  store<u8>(start + keyLength, 0x23);
  memory.copy(start + keyLength + 1, load<u32>(entry, OUTPUT_NAME_START), nameLength);
  msgpackString(start, size);
}

function name(address: usize): void {
  msgpackString(fragmentStart(address), fragmentLength(address));
}

function field(label: usize, record: usize): void {
  name(label);
  text(record);
}

function text(record: usize): void {
  msgpackString(stringStart(record), stringLength(record));
}
