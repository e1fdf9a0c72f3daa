/** The response as protobuf JSON: written in one pass from constant fragments, request strings and policy strings. */
import { EFFECT_ALLOW, TAG_ERROR } from "../abi";
import {
  RESOURCE_ACTION_COUNT,
  RESOURCE_ID,
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  STRING_PLAIN,
  includeMeta,
  requestId,
  stringFlags,
  stringLength,
  stringStart,
} from "../decode/request";
import { moveTo, position, putByte, putBytes, room } from "../encode/cursor";
import { jsonString } from "../encode/json-string";
import { jsonValue } from "../encode/json-value";
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
import { plainResource } from "./respond-json-plain";
import { composeKey, keyLength, keyStart } from "./policy-keys";
import { actionAt, resultBlock, resultEffect, resultKeyKind, resultScope, sortedAction } from "./results";
import { verdictLength, verdictStart } from "./schema-verdicts";
import { NO_SYMBOL, symbolLength, symbolStart } from "./tables";

const OPEN = fragment('{"requestId":');
const RESULTS_FIRST = fragment('{"results":[');
const RESULTS = fragment(',"results":[');
const ENTRY = fragment('{"resource":{"id":');
const KIND = fragment(',"kind":');
const VERSION = fragment(',"policyVersion":');
const SCOPE = fragment(',"scope":');
const ACTIONS = fragment('},"actions":{');
const ALLOW = fragment(':"EFFECT_ALLOW"');
const DENY = fragment(':"EFFECT_DENY"');
const VALIDATION_ERRORS = fragment('},"validationErrors":');
const META = fragment('},"meta":{"actions":{');
const META_AFTER_ERRORS = fragment(',"meta":{"actions":{');
const MATCHED_POLICY = fragment(':{"matchedPolicy":');
const MATCHED_SCOPE = fragment(',"matchedScope":');
const DERIVED_ROLES = fragment('},"effectiveDerivedRoles":[');
const OUTPUTS = fragment(',"outputs":[');
const SRC = fragment('{"src":');
const VAL = fragment(',"val":');
const ACTION = fragment(',"action":');
const ERROR = fragment(',"error":');
const CALL_ID = fragment('],"cerbosCallId":"');
const END = fragment('"}');

const COMMA: u32 = 0x2c;
const QUOTE: u32 = 0x22;
const BRACE: u32 = 0x7d;
const BRACKET: u32 = 0x5d;

let callMillis: f64 = 0;

export function jsonBegin(now: f64, withHead: bool): void {
  callMillis = now;
  if (!withHead) return;
  if (stringLength(requestId) > 0) {
    put(OPEN);
    text(requestId);
    put(RESULTS);
  } else put(RESULTS_FIRST);
}

export function jsonEnd(): void {
  put(CALL_ID);
  if (room(ULID_LENGTH)) moveTo(position + writeUlid(position, callMillis));
  put(END);
}

/** One entry of `results`. */
export function jsonResource(record: usize, index: u32): void {
  if (!includeMeta && firstOutput == 0 && verdictLength == 0 && plainResource(record, index)) return;
  if (index > 0) putByte(COMMA);
  put(ENTRY);
  text(record + RESOURCE_ID);
  put(KIND);
  text(record + RESOURCE_KIND);
  optional(VERSION, record + RESOURCE_VERSION);
  optional(SCOPE, record + RESOURCE_SCOPE);
  put(ACTIONS);
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  for (let at: u32 = 0; at < count; at++) {
    const action = sortedAction(at);
    if (at > 0) putByte(COMMA);
    text(actionAt(action));
    put(resultEffect(action) == EFFECT_ALLOW ? ALLOW : DENY);
  }
  if (verdictLength != 0) {
    put(VALIDATION_ERRORS);
    putBytes(verdictStart, verdictLength);
  }
  if (includeMeta) meta(count);
  else if (verdictLength == 0) putByte(BRACE);
  outputs();
  putByte(BRACE);
}

function meta(count: u32): void {
  put(verdictLength == 0 ? META : META_AFTER_ERRORS);
  let composedKind: u32 = 0xffffffff;
  for (let at: u32 = 0; at < count; at++) {
    const action = sortedAction(at);
    if (at > 0) putByte(COMMA);
    text(actionAt(action));
    put(MATCHED_POLICY);
    const kind = resultKeyKind(action);
    const scope = resultScope(action);
    // Most actions of a resource share one key; only keys of role policies and strict errors vary with the scope.
    if (kind != composedKind || kind > 2) composeKey(kind, scope, resultBlock(action));
    composedKind = kind;
    jsonString(keyStart, keyLength, false);
    if (scope != NO_SYMBOL && symbolLength(scope) > 0) {
      put(MATCHED_SCOPE);
      jsonString(symbolStart(scope), symbolLength(scope), true);
    }
    putByte(BRACE);
  }
  if (listedCount > 0) {
    put(DERIVED_ROLES);
    for (let at: u32 = 0; at < listedCount; at++) {
      const symbol = listedAt(at);
      if (at > 0) putByte(COMMA);
      jsonString(symbolStart(symbol), symbolLength(symbol), true);
    }
    putByte(BRACKET);
    putByte(BRACE);
  } else {
    putByte(BRACE);
    putByte(BRACE);
  }
}

function outputs(): void {
  if (firstOutput == 0) return;
  put(OUTPUTS);
  for (let entry = firstOutput; entry != 0; entry = load<u32>(entry, OUTPUT_NEXT)) {
    if (entry != firstOutput) putByte(COMMA);
    put(SRC);
    source(entry);
    const value = load<u64>(entry, OUTPUT_VALUE);
    const before = position;
    let failed = tagOf(value) == TAG_ERROR;
    if (failed) describeError(value);
    else {
      put(VAL);
      if (!jsonValue(value)) {
        moveTo(before);
        describeNotConvertible();
        failed = true;
      }
    }
    put(ACTION);
    text(load<u32>(entry, OUTPUT_ACTION));
    if (failed) {
      put(ERROR);
      jsonString(errorTextStart, errorTextLength, false);
    }
    putByte(BRACE);
  }
  putByte(BRACKET);
}

/** `<policy key>#<rule name>`. */
function source(entry: usize): void {
  composeKey(
    load<u32>(entry, OUTPUT_KEY_KIND),
    load<u32>(entry, OUTPUT_KEY_SCOPE),
    load<u32>(entry, OUTPUT_KEY_BLOCK),
  );
  jsonString(keyStart, keyLength, false);
  // Reopen the string just closed to append the rule's name, which needs no escaping (COMPAT.md section 2).
  moveTo(position - 1);
  putByte(0x23);
  putBytes(load<u32>(entry, OUTPUT_NAME_START), load<u32>(entry, OUTPUT_NAME_LENGTH));
  putByte(QUOTE);
}

function put(address: usize): void {
  putBytes(fragmentStart(address), fragmentLength(address));
}

function text(record: usize): void {
  jsonString(stringStart(record), stringLength(record), (stringFlags(record) & STRING_PLAIN) != 0);
}

function optional(name: usize, record: usize): void {
  if (stringLength(record) == 0) return;
  put(name);
  text(record);
}
