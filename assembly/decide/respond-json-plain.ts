/**
 * The usual entry of a JSON response, written with the cursor in a register: strings that JSON copies as they are, no
 * metadata, no outputs. respond-json.ts writes every other entry; both write the same bytes.
 */
import { EFFECT_ALLOW } from "../abi";
import {
  RESOURCE_ACTION_COUNT,
  RESOURCE_ID,
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  STRING_PLAIN,
  STRING_SIZE,
  stringFlags,
  stringLength,
  stringStart,
} from "../decode/request";
import { fits, moveTo, position } from "../encode/cursor";
import { fragment, fragmentLength, fragmentStart } from "./fragments";
import { RESULT_SIZE, actionBytes, actionRecords, areActionsPlain, order, results } from "./results";

const FIRST = fragment('{"resource":{"id":"');
const NEXT = fragment(',{"resource":{"id":"');
const KIND = fragment('","kind":"');
const VERSION = fragment('","policyVersion":"');
const SCOPE = fragment('","scope":"');
const ACTIONS = fragment('"},"actions":{"');
const ALLOW = fragment('":"EFFECT_ALLOW","');
const DENY = fragment('":"EFFECT_DENY","');
const LAST_ALLOW = fragment('":"EFFECT_ALLOW"}}');
const LAST_DENY = fragment('":"EFFECT_DENY"}}');

/** More than the fragments of an entry, and of an action in it, come to; each is at most 32 bytes. */
const ENTRY_FRAGMENTS: usize = 128;
const ACTION_FRAGMENTS: usize = 32;

/** Expanded at each place, so that nothing lives in memory between two copies. */
class Copy {
  /** A fragment of at most 32 bytes. */
  @inline static fragment(to: usize, address: usize): usize {
    const start = fragmentStart(address);
    v128.store(to, v128.load(start));
    v128.store(to, v128.load(start, 16), 16);
    return to + <usize>fragmentLength(address);
  }

  /** A string of the request. */
  @inline static text(to: usize, record: usize): usize {
    const start = stringStart(record);
    const length: usize = stringLength(record);
    for (let at: usize = 0; at < length; at += 16) v128.store(to + at, v128.load(start + at));
    return to + length;
  }

  /** Whether a string needs no escapes. */
  @inline static plain(record: usize): bool {
    return stringLength(record) == 0 || (stringFlags(record) & STRING_PLAIN) != 0;
  }
}

/** Writes the entry of a resource whose results are complete. False, with nothing written, for one that is not usual. */
export function plainResource(record: usize, index: u32): bool {
  const id = record + RESOURCE_ID;
  const kind = record + RESOURCE_KIND;
  const version = record + RESOURCE_VERSION;
  const scope = record + RESOURCE_SCOPE;
  if (!areActionsPlain) return false;
  if (!Copy.plain(id) || !Copy.plain(kind) || !Copy.plain(version) || !Copy.plain(scope)) return false;
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  let size: usize = ENTRY_FRAGMENTS + stringLength(id) + stringLength(kind);
  size += stringLength(version) + stringLength(scope) + actionBytes + <usize>count * ACTION_FRAGMENTS;
  if (!fits(size)) return false;
  let to = Copy.text(Copy.fragment(position, index == 0 ? FIRST : NEXT), id);
  to = Copy.text(Copy.fragment(to, KIND), kind);
  if (stringLength(version) != 0) to = Copy.text(Copy.fragment(to, VERSION), version);
  if (stringLength(scope) != 0) to = Copy.text(Copy.fragment(to, SCOPE), scope);
  to = Copy.fragment(to, ACTIONS);
  const last = order + ((<usize>count) << 2) - 4;
  const records = actionRecords;
  const first = results;
  for (let place = order; place <= last; place += 4) {
    const action: usize = load<u32>(place);
    const allowed = load<i32>(first + action * RESULT_SIZE) == EFFECT_ALLOW;
    to = Copy.text(to, records + action * STRING_SIZE);
    to = Copy.fragment(to, place == last ? (allowed ? LAST_ALLOW : LAST_DENY) : allowed ? ALLOW : DENY);
  }
  moveTo(to);
  return true;
}
