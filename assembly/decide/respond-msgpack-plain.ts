/**
 * The usual head, entry and end of a msgpack response, written with the cursor in a register: strings under 32 bytes, at most 15 actions, no
 * metadata, no outputs. respond-msgpack.ts writes every other entry; both write the same bytes.
 */
import { EFFECT_ALLOW } from "../abi";
import {
  RESOURCE_ACTION_COUNT,
  RESOURCE_ID,
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  STRING_SIZE,
  requestId,
  stringLength,
  stringStart,
} from "../decode/request";
import { fits, moveTo, position } from "../encode/cursor";
import { writeUlid } from "../encode/ulid";
import { fragment, fragmentLength, fragmentStart } from "./fragments";
import { RESULT_SIZE, actionRecords, longestAction, order, results } from "./results";

// Each begins with the header byte of the string before it, or of the map, so that one copy writes both. The bytes that
// depend on counts (ENTRY, at index 10) are written over.
const REQUEST_ID = fragment("\x83\xa9requestId");
const RESULTS = fragment("\xa7results");
const CALL_ID = fragment("\xaccerbosCallId\xba");
const ENTRY = fragment("\x82\xa8resource\x82\xa2id");
const KIND = fragment("\xa4kind");
const VERSION = fragment("\xadpolicyVersion");
const SCOPE = fragment("\xa5scope");
const ACTIONS = fragment("\xa7actions");
const ALLOW = fragment("\xacEFFECT_ALLOW");
const DENY = fragment("\xabEFFECT_DENY");

const RESOURCE_MAP: usize = 10;
const FIXMAP: u32 = 0x80;
const FIXARRAY: u32 = 0x90;
const FIXSTR: u32 = 0xa0;
/** The most that the short headers can say. */
const MOST_ACTIONS: u32 = 15;
const MOST_ENTRIES: u32 = 15;
const MOST_BYTES: u32 = 31;

/** More than the fragments of an entry, and of an action in it, come to; each is at most 32 bytes. */
const ENTRY_FRAGMENTS: usize = 160;
const ACTION_FRAGMENTS: usize = 64;
/** More than the fragments of the head, and what the end comes to. */
const HEAD_FRAGMENTS: usize = 96;
const END_FRAGMENTS: usize = 64;

/** Expanded at each place, so that nothing lives in memory between two copies. */
class Copy {
  /** A fragment of at most 32 bytes. */
  @inline static fragment(to: usize, address: usize): usize {
    const start = fragmentStart(address);
    v128.store(to, v128.load(start));
    v128.store(to, v128.load(start, 16), 16);
    return to + <usize>fragmentLength(address);
  }

  /** A string of the request of at most 31 bytes. */
  @inline static text(to: usize, record: usize): usize {
    const start = stringStart(record);
    const length = stringLength(record);
    store<u8>(to, FIXSTR | length);
    v128.store(to, v128.load(start), 1);
    v128.store(to, v128.load(start, 16), 17);
    return to + 1 + <usize>length;
  }
}

/** Writes what stands before `entries` entries. False, with nothing written, for a request id or a number that is not usual. */
export function plainHead(entries: u32): bool {
  const length = stringLength(requestId);
  if (length > MOST_BYTES || entries > MOST_ENTRIES || !fits(HEAD_FRAGMENTS + <usize>MOST_BYTES))
    return false;
  let to = position;
  if (length == 0) {
    store<u8>(to, FIXMAP | 2);
    to += 1;
  } else to = Copy.text(Copy.fragment(to, REQUEST_ID), requestId);
  to = Copy.fragment(to, RESULTS);
  store<u8>(to, FIXARRAY | entries);
  moveTo(to + 1);
  return true;
}

/** Writes the call id and its name behind the entries. False, with nothing written, when there is no room for it. */
export function plainEnd(millis: f64): bool {
  if (!fits(END_FRAGMENTS)) return false;
  const to = Copy.fragment(position, CALL_ID);
  moveTo(to + writeUlid(to, millis));
  return true;
}

/** Writes the entry of a resource whose results are complete. False, with nothing written, for one that is not usual. */
export function plainResource(record: usize): bool {
  const id = record + RESOURCE_ID;
  const kind = record + RESOURCE_KIND;
  const version = record + RESOURCE_VERSION;
  const scope = record + RESOURCE_SCOPE;
  const versionLength = stringLength(version);
  const scopeLength = stringLength(scope);
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  if (
    count > MOST_ACTIONS ||
    longestAction > MOST_BYTES ||
    stringLength(id) > MOST_BYTES ||
    stringLength(kind) > MOST_BYTES ||
    versionLength > MOST_BYTES ||
    scopeLength > MOST_BYTES
  )
    return false;
  if (!fits(ENTRY_FRAGMENTS + 4 * <usize>MOST_BYTES + <usize>count * ACTION_FRAGMENTS)) return false;
  let to = Copy.fragment(position, ENTRY);
  store<u8>(position, FIXMAP | (2 + (versionLength != 0 ? 1 : 0) + (scopeLength != 0 ? 1 : 0)), RESOURCE_MAP);
  to = Copy.text(to, id);
  to = Copy.text(Copy.fragment(to, KIND), kind);
  if (versionLength != 0) to = Copy.text(Copy.fragment(to, VERSION), version);
  if (scopeLength != 0) to = Copy.text(Copy.fragment(to, SCOPE), scope);
  to = Copy.fragment(to, ACTIONS);
  store<u8>(to, FIXMAP | count);
  to += 1;
  const last = order + ((<usize>count) << 2);
  const records = actionRecords;
  const first = results;
  for (let place = order; place < last; place += 4) {
    const action: usize = load<u32>(place);
    to = Copy.text(to, records + action * STRING_SIZE);
    to = Copy.fragment(to, load<i32>(first + action * RESULT_SIZE) == EFFECT_ALLOW ? ALLOW : DENY);
  }
  moveTo(to);
  return true;
}
