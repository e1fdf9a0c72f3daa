/**
 * Membership in a list under CEL equality, without the quadratic cost: a hash table in the arena over the list's
 * items. Short lists are scanned. Hashes are not keyed, so a request can make items collide; every comparison
 * burns fuel, and that bounds it.
 *
 * Table: open addressing, capacity a power of two, at most half full
 *
 *   | u32 mask | u32 capacity for items | u64 list | entry ... |
 *   entry   | u32 hash | u32 index of the item + 1 (0 = empty) |
 *
 * INVARIANT: values that are equal in CEL have the same hash (numbers of all kinds hash as doubles, SPIFFE IDs as their text).
 * SPIFFE trust domains, equal to many texts, are looked up by scanning; inside nested lists they are equal to trust domains only.
 */
import {
  TAG_BYTES,
  TAG_CIDR,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_INT,
  TAG_IP,
  TAG_LIST,
  TAG_MAP,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_UINT,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { hashBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import {
  countOf,
  doubleOf,
  intOf,
  itemAt,
  lengthOf,
  payloadOf,
  startOf,
  tagOf,
  timestampNanos,
  timestampSeconds,
  TRUE,
  uintOf,
} from "../value/value";
import { equals } from "./equality";

/** Up to this many items a scan is cheaper than building a table. */
export const SCAN_LIMIT: u32 = 8;
/** Items of a nested list that take part in its hash, and the depth to which they do. */
const HASHED_ITEMS: u32 = 4;
const HASHED_DEPTH: i32 = 3;
/** More items than this never fit an arena. */
const MAX_ITEMS: u32 = 1 << 26;

const HEADER_SIZE: usize = 16;
/** Answer of `scanTable`: no entry is that low. */
const NO_SLOT: usize = 1;

export const MISSING: i32 = 0;
export const PRESENT: i32 = 1;
/** The fuel ran out during a look-up. */
export const LOOKUP_STOPPED: i32 = -1;

// Two odd multipliers that spread every bit of a word over all of it (the finaliser of MurmurHash3).
const FIRST_MULTIPLIER: u64 = (0xff51afd7 << 32) | 0xed558ccd;
const SECOND_MULTIPLIER: u64 = (0xc4ceb9fe << 32) | 0x1a85ec53;

function mix(hash: u64): u32 {
  let bits = hash;
  bits = (bits ^ (bits >> 33)) * FIRST_MULTIPLIER;
  bits = (bits ^ (bits >> 33)) * SECOND_MULTIPLIER;
  return <u32>(bits ^ (bits >> 33));
}

function hashDouble(value: f64): u32 {
  return value == 0 ? 1 : mix(reinterpret<u64>(value));
}

function hashValue(value: u64, depth: i32): u32 {
  const tag = tagOf(value);
  if (isText(tag)) return hashBytes(startOf(value), lengthOf(value));
  if (tag == TAG_DOUBLE) return hashDouble(doubleOf(value));
  if (tag == TAG_INT) return hashDouble(<f64>intOf(value));
  if (tag == TAG_UINT) return hashDouble(<f64>uintOf(value));
  if (tag == TAG_DURATION) return mix(uintOf(value));
  if (tag == TAG_TIMESTAMP) return mix(<u64>timestampSeconds(value) ^ ((<u64>timestampNanos(value)) << 32));
  if (tag == TAG_IP || tag == TAG_CIDR)
    return mix(load<u64>(payloadOf(value)) * 31 + load<u64>(payloadOf(value), 8));
  if (tag == TAG_MAP) return mix(<u64>countOf(value) + TAG_MAP);
  if (tag != TAG_LIST) return <u32>tag;
  const count = countOf(value);
  let hash = mix(<u64>count + TAG_LIST);
  if (depth == 0) return hash;
  const hashed = count < HASHED_ITEMS ? count : HASHED_ITEMS;
  for (let index: u32 = 0; index < hashed; index++)
    hash = hash * 31 + hashValue(itemAt(value, index), depth - 1);
  return hash;
}

/** Fuel for hashing one value. */
function hashCost(value: u64): u32 {
  const tag = tagOf(value);
  return isText(tag) ? 1 + (lengthOf(value) >> 4) : 4;
}

/** Whether a value's cell points to text that says all about it. */
function isText(tag: i32): bool {
  if (tag == TAG_STRING || tag == TAG_BYTES) return true;
  return tag == TAG_SPIFFE_ID || tag == TAG_SPIFFE_TRUST_DOMAIN;
}

/** An empty set for at most `count` items of `list`, or 0 when the arena cannot hold it. */
export function newSet(list: u64, count: u32): usize {
  if (count > MAX_ITEMS) return 0;
  let capacity: u32 = 16;
  while (capacity < count << 1) capacity <<= 1;
  const size = HEADER_SIZE + ((<usize>capacity) << 3);
  if (!burn(1 + (capacity >> 4)) || !fits(size)) return 0;
  const table = allocate(size);
  memory.fill(table, 0, size);
  store<u32>(table, capacity - 1);
  store<u32>(table, count, 4);
  store<u64>(table, list, 8);
  return table;
}

/** A set of all items of `list`, or 0 when the arena or the fuel is used up. */
export function setOf(list: u64): usize {
  const count = countOf(list);
  const table = newSet(list, count);
  if (table == 0) return 0;
  for (let index: u32 = 0; index < count; index++) {
    if (addItem(table, list, index) == LOOKUP_STOPPED) return 0;
  }
  return table;
}

/** Adds item `index` of the set's list unless an equal one is there: then PRESENT, else MISSING. */
export function addItem(table: usize, list: u64, index: u32): i32 {
  const item = itemAt(list, index);
  const entry = findEntry(table, item);
  if (entry == 0) return LOOKUP_STOPPED;
  if (load<u32>(entry, 4) != 0) return PRESENT;
  store<u32>(entry, hashValue(item, HASHED_DEPTH));
  store<u32>(entry, index + 1, 4);
  return MISSING;
}

/** Whether the set holds a value equal to `value`: PRESENT, MISSING or LOOKUP_STOPPED. */
export function findItem(table: usize, value: u64): i32 {
  const entry = findEntry(table, value);
  if (entry == 0) return LOOKUP_STOPPED;
  return load<u32>(entry, 4) != 0 ? PRESENT : MISSING;
}

/** The entry of an equal item, else the empty entry where `value` belongs; 0 when the fuel ran out. */
function findEntry(table: usize, value: u64): usize {
  if (!burn(hashCost(value))) return 0;
  const mask = load<u32>(table);
  const list = load<u64>(table, 8);
  if (tagOf(value) == TAG_SPIFFE_TRUST_DOMAIN) {
    const found = scanTable(table, mask, value);
    if (found != NO_SLOT) return found;
  }
  const hash = hashValue(value, HASHED_DEPTH);
  let index = hash & mask;
  while (true) {
    const entry = table + HEADER_SIZE + ((<usize>index) << 3);
    const item = load<u32>(entry, 4);
    if (item == 0) return entry;
    if (!burn(1)) return 0;
    if (load<u32>(entry) == hash && equals(value, itemAt(list, item - 1)) == TRUE) return entry;
    index = (index + 1) & mask;
  }
}

/** The entry of an equal item, wherever it is; NO_SLOT when there is none, 0 when the fuel ran out. */
function scanTable(table: usize, mask: u32, value: u64): usize {
  if (!burn(mask)) return 0;
  const list = load<u64>(table, 8);
  for (let index: u32 = 0; index <= mask; index++) {
    const entry = table + HEADER_SIZE + ((<usize>index) << 3);
    const item = load<u32>(entry, 4);
    if (item != 0 && equals(value, itemAt(list, item - 1)) == TRUE) return entry;
  }
  return NO_SLOT;
}

/** Whether `list` has an item equal to `value`, by scanning: PRESENT, MISSING or LOOKUP_STOPPED. */
export function scanItems(list: u64, value: u64): i32 {
  const count = countOf(list);
  if (!burn(count)) return LOOKUP_STOPPED;
  for (let index: u32 = 0; index < count; index++) {
    if (equals(value, itemAt(list, index)) == TRUE) return PRESENT;
  }
  return MISSING;
}
