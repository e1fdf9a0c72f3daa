/**
 * Writes AuthZEN decisions (Authorization API 1.0, sections 5.5, 6.2 and 7.2) in either format: `decision`, and `context` where there
 * is something to say: an error, a reason, or the whole answer of a check (`cerbos.includeMeta`).
 */
import { FORMAT_JSON } from "../abi";
import { requestId, STRING_PLAIN, stringFlags, stringLength, stringStart } from "../decode/request";
import { cursorStart, moveTo, position, putByte, putBytes, resetOutput, room } from "../encode/cursor";
import { jsonString } from "../encode/json-string";
import { msgpackBool, msgpackArray, msgpackMap, msgpackString } from "../encode/msgpack-headers";
import { fragment, fragmentLength, fragmentStart } from "./fragments";
import { jsonResource } from "./respond-json";
import { msgpackResource } from "./respond-msgpack";

const MANY_OPEN = fragment('{"evaluations":[');
/** The same in msgpack: a map of one entry, a text of eight bytes, a boolean. */
const PACKED_ALLOW = fragment("\u0081\u00a8decision\u00c3");
const PACKED_DENY = fragment("\u0081\u00a8decision\u00c2");
const MANY_CLOSE = fragment("]}");
const ALLOW = fragment('{"decision":true}');
const DENY = fragment('{"decision":false}');
const NEXT_ALLOW = fragment(',{"decision":true}');
const NEXT_DENY = fragment(',{"decision":false}');
const ALLOW_CONTEXT = fragment('{"decision":true,"context":{');
const DENY_CONTEXT = fragment('{"decision":false,"context":{');
const CONTEXT_CLOSE = fragment("}}");
const REASON_IS = fragment('"reason":');
const ERROR_IS = fragment('{"decision":false,"context":{"error":{"status":400,"message":"');
const ERROR_CLOSE = fragment('"}}}');
const ANSWER_IS = fragment('"cerbos.response":{');
const REQUEST_ID_IS = fragment('"requestId":');
const RESULTS_IS = fragment('"results":[');

const EVALUATIONS = fragment("evaluations");
const DECISION = fragment("decision");
const CONTEXT = fragment("context");
const REASON = fragment("reason");
const ERROR = fragment("error");
const STATUS = fragment("status");
const MESSAGE = fragment("message");
const ANSWER = fragment("cerbos.response");
const REQUEST_ID = fragment("requestId");
const RESULTS = fragment("results");

const COMMA: u32 = 0x2c;
/** array 32 in msgpack: a batch may end early, so the count is written last. */
const ARRAY_32: u32 = 0xdd;
/** 400 in msgpack, as uint 16. */
const STATUS_400: u32 = 0x9001cd;

let isJson: bool = true;
let countPlace: usize = 0;
let written: u32 = 0;

/** Starts a response of one decision, or of several. */
export function beginEvaluations(outputFormat: i32, many: bool): void {
  isJson = outputFormat == FORMAT_JSON;
  resetOutput();
  written = 0;
  countPlace = 0;
  if (!many) return;
  if (isJson) put(MANY_OPEN);
  else {
    msgpackMap(1);
    name(EVALUATIONS);
    countPlace = position;
    if (room(5)) moveTo(position + 5);
  }
}

export function endEvaluations(many: bool): void {
  if (!many) return;
  if (isJson) put(MANY_CLOSE);
  else if (countPlace >= cursorStart && countPlace + 5 <= position) {
    store<u8>(countPlace, ARRAY_32);
    store<u32>(countPlace, bswap<u32>(written), 1);
  }
}

/** A decision with nothing more to say. */
export function writeDecision(allowed: bool): void {
  if (!isJson) put(allowed ? PACKED_ALLOW : PACKED_DENY);
  else if (written != 0) put(allowed ? NEXT_ALLOW : NEXT_DENY);
  else put(allowed ? ALLOW : DENY);
  written += 1;
}

/** An evaluation that cannot be decided; `text` is a fragment. */
export function writeProblem(text: usize): void {
  separate();
  if (isJson) {
    put(ERROR_IS);
    put(text);
    put(ERROR_CLOSE);
    return;
  }
  msgpackMap(2);
  name(DECISION);
  msgpackBool(false);
  name(CONTEXT);
  msgpackMap(1);
  name(ERROR);
  msgpackMap(2);
  name(STATUS);
  if (room(4)) {
    store<u32>(position, STATUS_400);
    moveTo(position + 3);
  }
  name(MESSAGE);
  name(text);
}

/**
 * A decision with a reason (text of `reasonLength` bytes, 0 for none) and, unless `record` is 0, the entry that a check would
 * answer for the resource.
 */
export function writeExplained(allowed: bool, reason: usize, reasonLength: u32, record: usize): void {
  separate();
  if (isJson) explainJson(allowed, reason, reasonLength, record);
  else explainMsgpack(allowed, reason, reasonLength, record);
}

function explainJson(allowed: bool, reason: usize, reasonLength: u32, record: usize): void {
  put(allowed ? ALLOW_CONTEXT : DENY_CONTEXT);
  if (reasonLength != 0) {
    put(REASON_IS);
    jsonString(reason, reasonLength, false);
    if (record != 0) putByte(COMMA);
  }
  if (record != 0) {
    put(ANSWER_IS);
    if (stringLength(requestId) != 0) {
      put(REQUEST_ID_IS);
      jsonString(
        stringStart(requestId),
        stringLength(requestId),
        (stringFlags(requestId) & STRING_PLAIN) != 0,
      );
      putByte(COMMA);
    }
    put(RESULTS_IS);
    jsonResource(record, 0);
    put(MANY_CLOSE);
  }
  put(CONTEXT_CLOSE);
}

function explainMsgpack(allowed: bool, reason: usize, reasonLength: u32, record: usize): void {
  msgpackMap(2);
  name(DECISION);
  msgpackBool(allowed);
  name(CONTEXT);
  msgpackMap((reasonLength != 0 ? 1 : 0) + (record != 0 ? 1 : 0));
  if (reasonLength != 0) {
    name(REASON);
    msgpackString(reason, reasonLength);
  }
  if (record == 0) return;
  name(ANSWER);
  const hasId = stringLength(requestId) != 0;
  msgpackMap(hasId ? 2 : 1);
  if (hasId) {
    name(REQUEST_ID);
    msgpackString(stringStart(requestId), stringLength(requestId));
  }
  name(RESULTS);
  msgpackArray(1);
  msgpackResource(record);
}

function separate(): void {
  if (isJson && written != 0) putByte(COMMA);
  written += 1;
}

function put(address: usize): void {
  putBytes(fragmentStart(address), fragmentLength(address));
}

function name(address: usize): void {
  msgpackString(fragmentStart(address), fragmentLength(address));
}
