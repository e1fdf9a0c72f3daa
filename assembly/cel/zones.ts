/**
 * Time zones by name: the database of the bundle, which the host writes once, before the first request. So decisions
 * depend on no machine; scripts/build-time-zones.ts makes it. Numeric zones: time-zone.ts.
 *
 *   0 u32 count | 4 unused | 8 count entries, ascending by name | names | tables
 *   entry: u32 name | u32 name length | u32 table | u32 transitions; places count from the first byte
 *   table: i64 words, ascending: seconds since 1970 << 20 | seconds east of UTC (20 bits, signed)
 *
 * The last transitions describe the years 2101 to 2128, which hold every kind of year; later years repeat them.
 */
import { ZONES_CAPACITY } from "../abi";
import { dayNumber, dayOfWeek, floorDivide, SECONDS_PER_DAY, splitDay, splitYear } from "./calendar";

const ENTRIES: usize = 8;
const ENTRY_SIZE: usize = 16;
const OFFSET_BITS: i64 = 20;
/** First year whose rules are those of an earlier one. */
const FIRST_REPEATED_YEAR: i64 = 2129;

let database: usize = 0;
let count: u32 = 0;

export const FOUND: i32 = 0;
/** No zone has that name. */
export const NOT_A_ZONE: i32 = 1;
/** No zone may have that name: in a directory of zones it would lead out of it. */
export const BAD_NAME: i32 = 2;

/** Seconds east of UTC, set by `findOffset` when it answers FOUND. */
export let namedOffset: i64 = 0;

/** Reserves the database's place from `start` on; returns the first byte behind it. */
export function placeZones(start: usize): usize {
  database = (start + 15) & ~15;
  count = 0;
  return database + <usize>ZONES_CAPACITY;
}

/** Where the host writes the database. */
export function zonesStart(): i32 {
  return <i32>database;
}

/** Takes the `length` bytes at `zonesStart` as the database; false when they are none, and then there are no zones. */
export function useZones(length: i32): bool {
  count = 0;
  if (database == 0 || length < <i32>ENTRIES || length > ZONES_CAPACITY) return false;
  const size = <u64>length;
  const entries = load<u32>(database);
  if (<u64>entries * <u64>ENTRY_SIZE + <u64>ENTRIES > size) return false;
  for (let index: u32 = 0; index < entries; index++) {
    const entry = entryAt(index);
    const nameEnd = <u64>load<u32>(entry) + <u64>load<u32>(entry, 4);
    const transitions = load<u32>(entry, 12);
    const tableEnd = <u64>load<u32>(entry, 8) + ((<u64>transitions) << 3);
    if (nameEnd > size || tableEnd > size || transitions == 0) return false;
  }
  count = entries;
  return true;
}

/** The offset of the named zone at an instant. */
export function findOffset(name: usize, length: u32, seconds: i64): i32 {
  if (isBadName(name, length)) return BAD_NAME;
  if (isLocal(name, length)) {
    // The zone of the machine, on which no decision depends.
    namedOffset = 0;
    return FOUND;
  }
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entryAt(middle);
    const order = compareNames(name, length, database + <usize>load<u32>(entry), load<u32>(entry, 4));
    if (order == 0) {
      const table = database + <usize>load<u32>(entry, 8);
      namedOffset = offsetAt(table, load<u32>(entry, 12), describedInstant(seconds));
      return FOUND;
    }
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return NOT_A_ZONE;
}

function entryAt(index: u32): usize {
  return database + ENTRIES + <usize>index * ENTRY_SIZE;
}

function compareNames(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const order = memory.compare(a, b, <usize>(aLength < bLength ? aLength : bLength));
  if (order != 0) return order;
  return aLength == bLength ? 0 : aLength < bLength ? -1 : 1;
}

/** Go's rule: no slash or backslash in front, and nowhere two points together. */
function isBadName(name: usize, length: u32): bool {
  if (length == 0) return false;
  const first = load<u8>(name);
  if (first == 0x2f || first == 0x5c) return true;
  for (let at: u32 = 1; at < length; at++) {
    if (load<u8>(name + at) == 0x2e && load<u8>(name + at - 1) == 0x2e) return true;
  }
  return false;
}

/** `Local` */
function isLocal(name: usize, length: u32): bool {
  return length == 5 && load<u32>(name) == 0x61636f4c && load<u8>(name + 4) == 0x6c;
}

/** Offset of the last transition at or before `seconds`; the first also covers all before it. */
function offsetAt(table: usize, transitions: u32, seconds: i64): i64 {
  let low: u32 = 0;
  let high = transitions;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<i64>(table + ((<usize>middle) << 3)) >> OFFSET_BITS <= seconds) low = middle;
    else high = middle;
  }
  return (load<i64>(table + ((<usize>low) << 3)) << (64 - OFFSET_BITS)) >> (64 - OFFSET_BITS);
}

/** The instant itself, or the same moment of a year that the tables describe and that has the same calendar. */
function describedInstant(seconds: i64): i64 {
  splitDay(floorDivide(seconds, SECONDS_PER_DAY));
  const year = splitYear;
  if (year < FIRST_REPEATED_YEAR) return seconds;
  const first = dayNumber(year, 1, 1);
  const length = dayNumber(year + 1, 1, 1) - first;
  for (let same: i64 = FIRST_REPEATED_YEAR - 28; same < FIRST_REPEATED_YEAR; same++) {
    const start = dayNumber(same, 1, 1);
    if (dayNumber(same + 1, 1, 1) - start == length && dayOfWeek(start) == dayOfWeek(first)) {
      return seconds - (first - start) * SECONDS_PER_DAY;
    }
  }
  return seconds;
}
