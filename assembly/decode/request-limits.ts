/**
 * The configured limits of a request, and its resource records as both decoders begin and fill them. Entries and
 * actions beyond a limit are validated and counted, but not kept: the count goes into the error message.
 */
import { STATUS_TOO_MANY_ACTIONS, STATUS_TOO_MANY_RESOURCES } from "../abi";
import { mark, rewind } from "../memory/arena";
import { ABSENT, box } from "../value/value";
import { refuseAnyway } from "./failure";
import { openPairs, pairCount, pairs } from "./projection";
import {
  asksForPrefix,
  keepPrefix,
  KNOWN_FIELDS,
  KNOWN_LEFT_OF_ENTRY,
  KNOWN_LEFT_OF_RESOURCE,
  KNOWN_OF_ENTRY,
  KNOWN_OF_RESOURCE,
  KNOWN_TEXT,
  knownPrefix,
  noteBehind,
  prefixBehind,
} from "./known-prefixes";
import { openRecords } from "./records";
import { forgetPrefix, forgetRepeats, notePrefix, prefixSlot, Repeats } from "./repeats";
import {
  RESOURCE_ACTION_COUNT,
  RESOURCE_ACTIONS,
  RESOURCE_ATTR,
  RESOURCE_KNOWN,
  RESOURCE_OFFSET,
  RESOURCE_PAIR_COUNT,
  RESOURCE_PAIRS,
  setResources,
} from "./request";

/**
 * Where a resource record keeps the cell of its whole `attr` (in its reserved bytes). The value points to the cell of
 * the record's first copy, which stays in the arena when records move.
 */
const ATTR_CELL: usize = 96;

/** Most actions kept per entry, most entries kept. */
export let actionLimit: u32 = 0;
export let resourceLimit: u32 = 0;
/** The record of entries beyond the limit. */
export const spareResource = memory.data(112, 16);

let spareMark: usize = 0;
let entryCount: u32 = 0;
/** The first number of actions beyond the limit (0 = none), and where it stands. */
let tooManyActions: u32 = 0;
let tooManyPlace: usize = 0;

/** Whether the requests that are read from now on lie in memory together, so that one may use what another has begun. */
let areTogether: bool = false;

export function readTogether(value: bool): void {
  areTogether = value;
}

/** The format of the request before. */
let formatBefore: i32 = -1;

/** Begins a request in a format (FORMAT_*). What one format reads, the other one may refuse: they share nothing. */
export function setLimits(maxActions: u32, maxResources: u32, format: i32): void {
  const isLikeBefore = format == formatBefore;
  formatBefore = format;
  if (areTogether && isLikeBefore) {
    // The prefix of an entry may be longer than what is left of another body, and is then refused in other words.
    forgetPrefix();
  } else {
    openRecords();
    openPairs();
    forgetRepeats();
  }
  actionLimit = maxActions;
  resourceLimit = maxResources;
  entryCount = 0;
  tooManyActions = 0;
}

/**
 * Encloses the decoding of an entry beyond the limit: whatever it takes is given back, so that any number of them can
 * be counted. Blocks that it began are forgotten with their memory.
 */
export function beginSpare(): void {
  openRecords();
  openPairs();
  forgetRepeats();
  spareMark = mark();
}

export function endSpare(): void {
  rewind(spareMark);
  openRecords();
  openPairs();
  forgetRepeats();
}

/**
 * Whether the entry for `record` is to be looked for among known prefixes. Those beyond the limit of a request neither find nor leave
 * anything.
 */
export function asksFor(record: usize): bool {
  return asksForPrefix() && record != spareResource;
}

/** Makes what is known of the entry at `at` the current prefix, if it begins as the one behind the prefix before did the last time. */
export function followPrefix(at: usize): bool {
  const slot = prefixBehind(prefixSlot, at, actionLimit);
  if (slot == 0) return false;
  beginKnown(slot);
  return true;
}

/** The same, whatever was behind; see `knownPrefix`. */
export function recallPrefix(at: usize, kindEnd: usize, behind: u32): bool {
  const slot = knownPrefix(at, kindEnd, behind, actionLimit);
  if (slot == 0) return false;
  noteBehind(prefixSlot, slot);
  beginKnown(slot);
  return true;
}

function beginKnown(slot: usize): void {
  const text = slot + KNOWN_TEXT;
  notePrefix(
    text,
    text + <usize>load<u32>(slot),
    load<u32>(slot, KNOWN_OF_ENTRY),
    load<u32>(slot, KNOWN_OF_RESOURCE),
    load<u32>(slot, KNOWN_LEFT_OF_ENTRY),
    load<u32>(slot, KNOWN_LEFT_OF_RESOURCE),
    slot + KNOWN_FIELDS,
    slot,
  );
}

/** Ends the prefix of an entry; see `notePrefix`. It is kept if it can be. */
export function endPrefix(
  start: usize,
  end: usize,
  ofEntry: u32,
  ofResource: u32,
  leftOfEntry: u32,
  leftOfResource: u32,
  record: usize,
): void {
  const slot = keepPrefix(start, end, ofEntry, ofResource, leftOfEntry, leftOfResource, record);
  const kept = slot == 0 ? record : slot + KNOWN_FIELDS;
  notePrefix(start, end, ofEntry, ofResource, leftOfEntry, leftOfResource, kept, slot);
  store<u32>(record, <u32>slot, RESOURCE_KNOWN);
}

/** A resource record with nothing given, for the entry at `at`. */
export function clearResource(record: usize, at: usize): void {
  const zero = i64x2.splat(0);
  v128.store(record, zero);
  v128.store(record, zero, 16);
  v128.store(record, zero, 32);
  v128.store(record, zero, 48);
  v128.store(record, zero, 64);
  clearRest(record, at);
}

/** The same for the entry at `at`, with what the prefix (repeats.ts) gives. */
export function takeResource(record: usize, at: usize): void {
  Repeats.take(record);
  clearRest(record, at);
  store<u32>(record, <u32>prefixSlot, RESOURCE_KNOWN);
}

/** What no prefix gives. */
function clearRest(record: usize, at: usize): void {
  store<u64>(record, ABSENT, RESOURCE_ATTR);
  store<u64>(record, <u64>at, RESOURCE_OFFSET);
  store<u64>(record, 0, ATTR_CELL);
  store<u64>(record, 0, RESOURCE_KNOWN);
}

/** Notes the actions of a resource; `place` is where they stand. */
export function setActions(record: usize, records: usize, count: u32, place: usize): void {
  store<u32>(record, <u32>records, RESOURCE_ACTIONS);
  store<u32>(record, count, RESOURCE_ACTION_COUNT);
  if (count > actionLimit && tooManyActions == 0) {
    tooManyActions = count;
    tooManyPlace = place;
  }
}

/** Notes the attributes of a resource: the pairs just decoded, and the bytes of the whole, a raw value of `tag`. */
export function setAttributes(record: usize, tag: i32, start: usize, end: usize): void {
  store<u32>(record, <u32>pairs, RESOURCE_PAIRS);
  store<u32>(record, pairCount, RESOURCE_PAIR_COUNT);
  const cell = record + ATTR_CELL;
  store<u32>(cell, <u32>start);
  store<u32>(cell, <u32>(end - start), 4);
  store<u64>(record, box(tag, cell), RESOURCE_ATTR);
}

/** Notes the entries; records exist for those within the limit. */
export function setEntries(records: usize, count: u32): void {
  entryCount = count;
  setResources(records, count < resourceLimit ? count : resourceLimit);
}

/** `at`, or 0 when a limit is broken by the request that began at `start`. */
export function withinLimits(at: usize, start: usize): usize {
  if (entryCount > resourceLimit) return refuseAnyway(STATUS_TOO_MANY_RESOURCES, start, entryCount);
  if (tooManyActions != 0) return refuseAnyway(STATUS_TOO_MANY_ACTIONS, tooManyPlace, tooManyActions);
  return at;
}
