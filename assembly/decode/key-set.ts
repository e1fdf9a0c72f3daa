/**
 * Sets of strings for finding repetitions (object keys, roles, actions) in time linear in the bytes compared,
 * whatever the input: up to RUN_CAPACITY members are compared one by one, more go to a hash table whose hash is
 * keyed (SipHash-1-3, key from the host), so that a request cannot be built to collide.
 *
 * Run (arena, or a static block):
 *
 *   0 count u32 | 4 table u32 (0 until the run is full) | 8 zero | 16 entry ...
 *
 *   entry (64 bytes)   0 block (16 bytes) | 16 start u32 | 20 length u32 | 24 slot i32 | 28 mask u32 | 32 fixstr (32 bytes)
 *
 *   block = the member, a quote, then zeros, cut at 16 bytes; so for members under 16 bytes equal blocks are
 *   equal members. slot, mask and fixstr belong to projection.ts.
 *
 * Table (arena): open addressing, at most half full:
 *
 *   0 mask u32 | 4 used u32 | 8 entry ...     entry (16 bytes)  0 hash u64, never 0 | 8 start u32 | 12 length u32
 */
import { equalBytes } from "../memory/bytes";
import { reserve } from "./reserve";

export const RUN_CAPACITY: u32 = 16;
export const RUN_HEADER: usize = 16;
export const RUN_ENTRY: usize = 64;
export const RUN_ENTRY_SHIFT: usize = 6;
export const RUN_SIZE: usize = 1040;
/** Members under this length are their block. */
export const BLOCK_SIZE: u32 = 16;

export const MEMBER_NEW: i32 = 0;
export const MEMBER_REPEATED: i32 = 1;
export const MEMBER_NO_ROOM: i32 = 2;

const TABLE_HEADER: usize = 8;
const TABLE_ENTRY: usize = 16;
const FIRST_TABLE: u32 = 64;

/** The hash key: any constant is correct, a secret one is also safe; see `seedKeyHash`. */
let key0: u64 = 0x6a09_e667_f3bc_c908;
let key1: u64 = 0xbb67_ae85_84ca_a73b;

/** Sets the secret key of the tables. The host calls it once with random words, before the first request. */
export function seedKeyHash(a: u32, b: u32, c: u32, d: u32): void {
  key0 = ((<u64>a) << 32) | <u64>b;
  key1 = ((<u64>c) << 32) | <u64>d;
}

/** An empty run, or 0 when it does not fit the arena. */
export function newRun(): usize {
  const run = reserve(RUN_SIZE);
  if (run != 0) clearRun(run);
  return run;
}

export function clearRun(run: usize): void {
  store<u64>(run, 0);
}

/** The entries of a run, expanded where they are used (vectors cannot cross an exported function). */
export class Run {
  /**
   * The block of the string at `start`. Reads 16 bytes from there, whatever its length (INVARIANT: readable
   * memory follows every string of a request).
   */
  @inline static block(start: usize, length: u32): v128 {
    const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const size = i8x16.splat(<i8>(length < BLOCK_SIZE ? length : BLOCK_SIZE));
    const text = v128.and(v128.load(start), i8x16.lt_u(lanes, size));
    return v128.or(text, v128.and(i8x16.splat(0x22), i8x16.eq(lanes, size)));
  }

  /**
   * Adds a string after the `count` entries of a run: the address of its entry, or 0 when one of them is the same.
   */
  @inline static add(run: usize, count: u32, start: usize, length: u32): usize {
    const block = Run.block(start, length);
    const end = run + RUN_HEADER + <usize>count * RUN_ENTRY;
    for (let entry = run + RUN_HEADER; entry < end; entry += RUN_ENTRY) {
      if (load<u32>(entry, 20) == length && i8x16.all_true(i8x16.eq(v128.load(entry), block))) {
        if (length < BLOCK_SIZE || equalBytes(load<u32>(entry, 16), start, length)) return 0;
      }
    }
    v128.store(end, block);
    store<u32>(end, <u32>start, 16);
    store<u32>(end, length, 20);
    store<u32>(run, count + 1);
    return end;
  }
}

/** Adds a string to a run, or to its table once the run is full; answers MEMBER_*. */
export function addMember(run: usize, start: usize, length: u32): i32 {
  const count = load<u32>(run);
  if (count >= RUN_CAPACITY) return addToTable(run, start, length);
  return Run.add(run, count, start, length) == 0 ? MEMBER_REPEATED : MEMBER_NEW;
}

function addToTable(run: usize, start: usize, length: u32): i32 {
  let table: usize = load<u32>(run, 4);
  if (table == 0) {
    table = newTable(FIRST_TABLE);
    if (table == 0) return MEMBER_NO_ROOM;
    store<u32>(run, <u32>table, 4);
    for (let index: usize = 0; index < <usize>RUN_CAPACITY; index++) {
      const entry = run + RUN_HEADER + index * RUN_ENTRY;
      const member: usize = load<u32>(entry, 16);
      insert(table, keyedHash(member, load<u32>(entry, 20)), member, load<u32>(entry, 20));
    }
  } else if (load<u32>(table, 4) * 2 > load<u32>(table)) {
    table = grow(table);
    if (table == 0) return MEMBER_NO_ROOM;
    store<u32>(run, <u32>table, 4);
  }
  return insert(table, keyedHash(start, length), start, length) ? MEMBER_NEW : MEMBER_REPEATED;
}

function newTable(capacity: u32): usize {
  const size = TABLE_HEADER + <usize>capacity * TABLE_ENTRY;
  const table = reserve(size);
  if (table == 0) return 0;
  memory.fill(table, 0, size);
  store<u32>(table, capacity - 1);
  return table;
}

function grow(table: usize): usize {
  const mask = load<u32>(table);
  const grown = newTable((mask + 1) * 2);
  if (grown == 0) return 0;
  for (let index: u32 = 0; index <= mask; index++) {
    const entry = table + TABLE_HEADER + <usize>index * TABLE_ENTRY;
    const hash = load<u64>(entry);
    if (hash != 0) insert(grown, hash, load<u32>(entry, 8), load<u32>(entry, 12));
  }
  return grown;
}

/** False when the table has the string already. */
function insert(table: usize, hash: u64, start: usize, length: u32): bool {
  const mask = load<u32>(table);
  let index = <u32>hash & mask;
  while (true) {
    const entry = table + TABLE_HEADER + <usize>index * TABLE_ENTRY;
    const other = load<u64>(entry);
    if (other == 0) {
      store<u64>(entry, hash);
      store<u32>(entry, <u32>start, 8);
      store<u32>(entry, length, 12);
      store<u32>(table, load<u32>(table, 4) + 1, 4);
      return true;
    }
    if (other == hash && load<u32>(entry, 12) == length && equalBytes(load<u32>(entry, 8), start, length)) {
      return false;
    }
    index = (index + 1) & mask;
  }
}

// SipHash-1-3 (Aumasson, Bernstein): one compression round per 8 bytes, three to finish.
let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

function keyedHash(start: usize, length: u32): u64 {
  v0 = key0 ^ 0x736f6d6570736575;
  v1 = key1 ^ 0x646f72616e646f6d;
  v2 = key0 ^ 0x6c7967656e657261;
  v3 = key1 ^ 0x7465646279746573;
  const whole: usize = length & ~7;
  for (let at: usize = 0; at < whole; at += 8) compress(load<u64>(start + at));
  let tail: u64 = (<u64>length) << 56;
  for (let at: usize = whole; at < <usize>length; at++)
    tail |= (<u64>load<u8>(start + at)) << ((<u64>at & 7) << 3);
  compress(tail);
  v2 ^= 0xff;
  round();
  round();
  round();
  const hash = v0 ^ v1 ^ v2 ^ v3;
  return hash == 0 ? 1 : hash;
}

function compress(word: u64): void {
  v3 ^= word;
  round();
  v0 ^= word;
}

function round(): void {
  v0 += v1;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v0 = rotl<u64>(v0, 32);
  v2 += v3;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v2 = rotl<u64>(v2, 32);
}
