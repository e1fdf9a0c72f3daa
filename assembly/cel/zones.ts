/**
 * Time zones by name: transition tables that the host adds (runtime/time-zones), kept across requests in a ring of
 * their own. A name that is not there yet is noted; `check` then answers STATUS_ZONE and the host calls again. What the
 * tables hold depends on the zone alone, so nothing of one request shows in the next.
 *
 *   slot: 0 u32 name length (0: empty) | 4 u32 count or UNKNOWN | 8 name | 96 records, ascending
 *   record: i64 first second since 1970 | i32 seconds east of UTC | 4 unused
 *
 * The last records describe the years 2101 to 2128, which hold every kind of year; later years repeat them.
 */
import { dayNumber, dayOfWeek, floorDivide, SECONDS_PER_DAY, splitDay, splitYear } from "./calendar";

/** Longest zone name; the longest of the database has 32 characters. */
export const MAX_ZONE_NAME: u32 = 64;
const SLOTS: u32 = 64;
const MAX_RECORDS: u32 = 510;
const RECORD_SIZE: usize = 16;
const RECORDS: usize = 96;
const NAME: usize = 8;
const SLOT_SIZE: usize = RECORDS + <usize>MAX_RECORDS * RECORD_SIZE;
/** Count of a name that the host does not know. */
const UNKNOWN: u32 = 0xffffffff;
/** First year whose rules are those of an earlier one. */
const FIRST_REPEATED_YEAR: i64 = 2129;

let slots: usize = 0;
let nextSlot: u32 = 0;

/** The name that was looked for in vain, for the host. */
export const wantedName: usize = memory.data(64);
/** Its length; 0 when nothing is wanted. */
export let wantedLength: u32 = 0;

export const FOUND: i32 = 0;
export const NOT_A_ZONE: i32 = 1;

/** Seconds east of UTC, set by `findOffset` when it answers FOUND. */
export let namedOffset: i64 = 0;

/** Lays the ring out from `start` on; returns the first byte behind it. */
export function placeZones(start: usize): usize {
  slots = (start + 15) & ~15;
  nextSlot = 0;
  for (let index: u32 = 0; index < SLOTS; index++) store<u32>(slots + <usize>index * SLOT_SIZE, 0);
  return slots + <usize>SLOTS * SLOT_SIZE;
}

/** Forgets what was wanted: a request begins. */
export function beginZones(): void {
  wantedLength = 0;
}

/** Takes the name at `from` and, from 64 bytes on, `count` records; a negative count is an unknown name. */
export function putZone(from: usize, nameLength: u32, count: i32): void {
  if (slots == 0 || nameLength == 0 || nameLength > MAX_ZONE_NAME || count > <i32>MAX_RECORDS) return;
  const known = slotOf(from, nameLength);
  const slot = known != 0 ? known : slots + <usize>nextSlot * SLOT_SIZE;
  if (known == 0) nextSlot = (nextSlot + 1) % SLOTS;
  store<u32>(slot, nameLength);
  store<u32>(slot, count <= 0 ? UNKNOWN : <u32>count, 4);
  memory.copy(slot + NAME, from, <usize>nameLength);
  if (count > 0) memory.copy(slot + RECORDS, from + <usize>MAX_ZONE_NAME, <usize>count * RECORD_SIZE);
}

/** The offset of the named zone at an instant; a name not there is noted for the host and NOT_A_ZONE for now. */
export function findOffset(name: usize, length: u32, seconds: i64): i32 {
  if (length > MAX_ZONE_NAME) return NOT_A_ZONE;
  const slot = slotOf(name, length);
  if (slot == 0) {
    if (wantedLength == 0) {
      memory.copy(wantedName, name, <usize>length);
      wantedLength = length;
    }
    return NOT_A_ZONE;
  }
  const count = load<u32>(slot, 4);
  if (count == UNKNOWN) return NOT_A_ZONE;
  namedOffset = offsetAt(slot + RECORDS, count, describedInstant(seconds));
  return FOUND;
}

function slotOf(name: usize, length: u32): usize {
  if (slots == 0) return 0;
  for (let index: u32 = 0; index < SLOTS; index++) {
    const slot = slots + <usize>index * SLOT_SIZE;
    if (load<u32>(slot) == length && memory.compare(slot + NAME, name, <usize>length) == 0) return slot;
  }
  return 0;
}

/** Offset of the last record that begins at or before `seconds`; the first record also covers all before it. */
function offsetAt(records: usize, count: u32, seconds: i64): i64 {
  let low: u32 = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<i64>(records + <usize>middle * RECORD_SIZE) <= seconds) low = middle;
    else high = middle;
  }
  return <i64>load<i32>(records + <usize>low * RECORD_SIZE, 8);
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
