/**
 * Prefixes of entries (repeats.ts) that are kept from request to request, with their texts. Batches ask about the same actions, kinds,
 * versions and scopes again and again: the bytes of an entry that say so are then neither read nor validated nor looked up in the
 * tables again. What they come to there is kept with them by decide/known-resources.ts, what they mean in these records:
 *
 *   slot (KNOWN_SIZE) | u32 length | u32 turn of its last use | u32 left of entry | u32 left of resource |
 *                     | u32 fields of entry | u32 fields of resource | u32 passed validate.ts | u32 slot behind it |
 *                     | the first 80 bytes of the resource record | text (MOST_TEXT) | action records (MOST_KNOWN_ACTIONS) |
 *                     | what it comes to |
 *
 * A slot is found by a hash of the bytes up to the end of the kind, which a glance at an entry finds when it is written as most clients
 * write it: actions, resource, kind. It is one of WAYS of its set, each with a tag (0 = free) of the hash; only equal bytes in the same format are taken for it.
 *
 * Clients ask about things in the same order again and again, so a slot also says which one was found behind it the last time. That one is
 * compared first, without a hash.
 *
 * INVARIANT: a slot says of its bytes what reading them says, and nothing else of an earlier request is kept. Records of a request
 * point into slots, so a slot that the requests in memory have used is not given to other bytes before they are forgotten.
 */
import { endOfBody } from "./failure";
import { actionsShift, Repeats } from "./repeats";
import {
  RESOURCE_ACTION_COUNT,
  RESOURCE_ACTIONS,
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  STRING_SIZE,
  STRING_SYMBOL,
} from "./request";

/** Powers of two. */
const SETS: u32 = 256;
const WAYS: u32 = 4;
const SLOTS: u32 = SETS * WAYS;
/** Bytes of a set's tags, which come before all slots. */
const TAGS_SIZE: usize = 16;

export const KNOWN_SIZE: usize = 512;
const TURN: usize = 4;
export const KNOWN_LEFT_OF_ENTRY: usize = 8;
export const KNOWN_LEFT_OF_RESOURCE: usize = 12;
export const KNOWN_OF_ENTRY: usize = 16;
export const KNOWN_OF_RESOURCE: usize = 20;
const PASSED: usize = 24;
const BEHIND: usize = 28;
export const KNOWN_FIELDS: usize = 32;
export const KNOWN_TEXT: usize = 112;
/** Room for a prefix and KEY_BYTES behind it. */
export const MOST_TEXT: usize = 160;
/** First bytes of the key of `id` or `attr` that the prefix ends at: an entry that says something else there says more than the slot. */
const KEY_BYTES: usize = 3;
const KEY_MASK: u32 = 0xff_ffff;
const ACTIONS: usize = KNOWN_TEXT + MOST_TEXT;
export const MOST_KNOWN_ACTIONS: u32 = 6;
/** Where known-resources.ts keeps what a prefix comes to; it begins with a word that is zero while nothing is known. */
export const KNOWN_RESULT: usize = ACTIONS + MOST_KNOWN_ACTIONS * STRING_SIZE;

/** Of so many prefixes that find their set full, one takes a place in it. */
const FULL_TURNS: u32 = 8;

/**
 * What looking for a prefix earns when it is known and costs when it is not, and the most that there is to spend. With nothing left only one
 * entry of ASKED_TURNS is looked for, so that requests whose prefixes do not come again hardly pay for it.
 */
const EARNED: i32 = 4;
const MOST_CREDIT: i32 = 4096;
const ASKED_TURNS: u32 = 8;

/** Texts that are hashed, at least: as long as the shortest entry up to the end of its kind. */
const LEAST_HASHED: usize = 24;

let tags: usize = 0;
let slots: usize = 0;
/** Counts groups of requests that lie in memory together. */
let turn: u32 = 0;
let fullTurns: u32 = 0;
let credit: i32 = MOST_CREDIT;
let askedTurns: u32 = 0;
/** Where the entry that was looked for last belongs, if it may be kept: its tag (0 = it may not), and its set. */
let missedTag: u32 = 0;
let missedSet: u32 = 0;
/** The limit of its actions. */
let missedLimit: u32 = 0;

/** Reserves the region from `start` on, empty; returns the first byte behind it. */
export function placeKnownPrefixes(start: usize): usize {
  tags = (start + 63) & ~63;
  slots = tags + <usize>SETS * TAGS_SIZE;
  forgetKnownPrefixes();
  return slots + <usize>SLOTS * KNOWN_SIZE;
}

/** Forgets all. Asked when what a prefix comes to changes. */
export function forgetKnownPrefixes(): void {
  memory.fill(tags, 0, <usize>SETS * TAGS_SIZE);
  missedTag = 0;
  credit = MOST_CREDIT;
}

/** Begins a request, or several that lie in memory together: no record points into a slot. */
export function beginKnownPrefixes(): void {
  turn += 1;
  missedTag = 0;
}

/** Whether the next entry is to be looked for. If not, its prefix is not kept either. */
export function asksForPrefix(): bool {
  missedTag = 0;
  if (credit > 0) return true;
  askedTurns += 1;
  return askedTurns % ASKED_TURNS == 0;
}

/**
 * The slot of the entry at `at`, whose kind ends at `kindEnd` (0 = it is not written as usual) and is followed by `behind`, the first
 * bytes of the next field; 0 when it is not known. `most` is the limit of actions.
 */
export function knownPrefix(at: usize, kindEnd: usize, behind: u32, most: u32): usize {
  if (kindEnd < at + LEAST_HASHED || kindEnd > at + MOST_TEXT) return 0;
  const hash = hashOf(at, kindEnd, behind);
  const tag = <u32>hash | 1;
  const set = <u32>(hash >> 56) & (SETS - 1);
  const tagsOfSet = v128.load(tags + <usize>set * TAGS_SIZE);
  const places = i32x4.eq(tagsOfSet, i32x4.splat(<i32>tag));
  for (let found = <u32>i32x4.bitmask(places); found != 0; found &= found - 1) {
    const slot = slotAt(set * WAYS + ctz(found));
    if (!standsAt(slot, at, most)) continue;
    use(slot);
    return slot;
  }
  if (credit > 0) credit -= 1;
  if (i32x4.all_true(tagsOfSet)) {
    fullTurns += 1;
    if (fullTurns % FULL_TURNS != 0) return 0;
  }
  missedTag = tag;
  missedSet = set;
  missedLimit = most;
  return 0;
}

/**
 * The slot that was found behind `before`, a slot of this request, the last time, if the entry at `at` begins with its bytes; 0 otherwise, or
 * for no slot.
 */
export function prefixBehind(before: usize, at: usize, most: u32): usize {
  if (before == 0) return 0;
  const slot: usize = load<u32>(before, BEHIND);
  if (slot == 0 || !standsAt(slot, at, most)) return 0;
  use(slot);
  return slot;
}

/** Notes that `slot` was found behind `before`, both of this request; nothing for no slot. */
export function noteBehind(before: usize, slot: usize): void {
  if (before != 0) store<u32>(before, <u32>slot, BEHIND);
}

/** Whether the entry at `at` begins with the bytes of `slot` and goes on with the same key, and these have at most `most` actions. */
function standsAt(slot: usize, at: usize, most: u32): bool {
  const length: usize = load<u32>(slot);
  const text = slot + KNOWN_TEXT;
  return (
    length <= endOfBody() - at &&
    ((load<u32>(at + length) ^ load<u32>(text + length)) & KEY_MASK) == 0 &&
    Repeats.same(at, text, length) &&
    load<u32>(slot, KNOWN_FIELDS + RESOURCE_ACTION_COUNT) <= most
  );
}

function use(slot: usize): void {
  store<u32>(slot, turn, TURN);
  if (credit < MOST_CREDIT) credit += EARNED;
}

/**
 * Keeps the prefix in `start`..`end` of the entry that was looked for last, if there is a place for it and it says all that decisions
 * depend on; `record` is its resource record so far, whose texts are those of the slot from then on. The slot, or 0.
 */
export function keepPrefix(
  start: usize,
  end: usize,
  ofEntry: u32,
  ofResource: u32,
  leftOfEntry: u32,
  leftOfResource: u32,
  record: usize,
): usize {
  if (missedTag == 0 || end - start > MOST_TEXT - KEY_BYTES) return 0;
  const tag = missedTag;
  missedTag = 0;
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  const actions: usize = load<u32>(record, RESOURCE_ACTIONS);
  if (count == 0 || count > MOST_KNOWN_ACTIONS || count > missedLimit) return 0;
  if (!areWithin(actions, count, start - actionsShift, end - actionsShift)) return 0;
  if (!isWithin(record + RESOURCE_KIND, start, end)) return 0;
  if (!isGivenWithin(record + RESOURCE_VERSION, start, end)) return 0;
  if (!isGivenWithin(record + RESOURCE_SCOPE, start, end)) return 0;
  const slot = freeSlot(tag);
  if (slot == 0) return 0;
  const text = slot + KNOWN_TEXT;
  store<u32>(slot, <u32>(end - start));
  store<u32>(slot, turn, TURN);
  store<u32>(slot, leftOfEntry, KNOWN_LEFT_OF_ENTRY);
  store<u32>(slot, leftOfResource, KNOWN_LEFT_OF_RESOURCE);
  store<u32>(slot, ofEntry, KNOWN_OF_ENTRY);
  store<u32>(slot, ofResource, KNOWN_OF_RESOURCE);
  store<u32>(slot, 0, PASSED);
  store<u32>(slot, 0, BEHIND);
  store<u32>(slot, 0, KNOWN_RESULT);
  memory.copy(text, start, end - start + KEY_BYTES);
  for (let index: u32 = 0; index < count; index++) {
    const action = slot + ACTIONS + <usize>index * STRING_SIZE;
    move(action, actions + <usize>index * STRING_SIZE, start - actionsShift, text);
    store<u32>(action, 0, STRING_SYMBOL);
  }
  store<u32>(record, <u32>(slot + ACTIONS), RESOURCE_ACTIONS);
  move(record + RESOURCE_KIND, record + RESOURCE_KIND, start, text);
  move(record + RESOURCE_VERSION, record + RESOURCE_VERSION, start, text);
  move(record + RESOURCE_SCOPE, record + RESOURCE_SCOPE, start, text);
  memory.copy(slot + KNOWN_FIELDS, record, 80);
  return slot;
}

/** Whether the names of a slot keep the rules of validate.ts, as far as has been found out. */
export function hasPassed(slot: usize): bool {
  return load<u32>(slot, PASSED) != 0;
}

export function notePassed(slot: usize): void {
  store<u32>(slot, 1, PASSED);
}

function slotAt(index: u32): usize {
  return slots + <usize>index * KNOWN_SIZE;
}

/** A hash of the at least LEAST_HASHED bytes in `start`..`end`, and of `behind`. */
function hashOf(start: usize, end: usize, behind: u32): u64 {
  const factor: u64 = 0x9e37_79b9_7f4a_7c15;
  let hash: u64 = (<u64>(end - start) ^ ((<u64>behind) << 32)) * factor;
  const last = end - 8;
  for (let at = start; at < last; at += 8) hash = rotl(hash ^ load<u64>(at), 29) * factor;
  hash = (hash ^ load<u64>(last)) * factor;
  return (hash ^ (hash >> 32)) * factor;
}

/** A slot of the set that was looked in last, with its tag; 0 when all are in use. */
function freeSlot(tag: u32): usize {
  const places = tags + <usize>missedSet * TAGS_SIZE;
  const isFull = i32x4.all_true(v128.load(places));
  // The free one, or another one each time.
  const first = fullTurns / FULL_TURNS;
  for (let offset: u32 = 0; offset < WAYS; offset++) {
    const way = (first + offset) & (WAYS - 1);
    const slot = slotAt(missedSet * WAYS + way);
    const place = places + ((<usize>way) << 2);
    const isFree = load<u32>(place) == 0;
    if (!isFree && (!isFull || load<u32>(slot, TURN) == turn)) continue;
    store<u32>(place, tag);
    return slot;
  }
  return 0;
}

/** Whether a text is given and lies in `start`..`end`. */
function isWithin(record: usize, start: usize, end: usize): bool {
  const text: usize = load<u32>(record);
  const length: usize = load<u32>(record, 4);
  return length != 0 && text >= start && text <= end && length <= end - text;
}

/** The same for a text that need not be given. */
function isGivenWithin(record: usize, start: usize, end: usize): bool {
  return load<u64>(record) == 0 || isWithin(record, start, end);
}

function areWithin(records: usize, count: u32, start: usize, end: usize): bool {
  for (let index: u32 = 0; index < count; index++) {
    if (!isWithin(records + <usize>index * STRING_SIZE, start, end)) return false;
  }
  return true;
}

/** Writes the string record `from`, whose text lies behind `start`, to `to`, with its text as far behind `text`. */
function move(to: usize, from: usize, start: usize, text: usize): void {
  const head = load<u64>(from);
  const flags = load<u64>(from, 8);
  store<u64>(to, head == 0 ? 0 : head - <u64>start + <u64>text);
  store<u64>(to, flags, 8);
}
