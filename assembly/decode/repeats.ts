/**
 * Parts of a request that say again, byte for byte, what the entry before said, or the request before that was read together
 * with it. Neighbouring entries of a batch mostly begin alike (actions, kind, version) and differ in id and attributes. Equal
 * bytes decode to equal records, so these are taken over instead of being read again; what follows them is read the ordinary
 * way. Records of equal parts then point to the same bytes, by which later steps see at once that nothing has changed.
 *
 *   entry n    {"actions":["view"],"resource":{"kind":"album","id":"a1","attr":{...}}}
 *              |<------------- prefix ------------------->|          up to the key of `id` or `attr`
 *   entry n+1  {"actions":["view"],"resource":{"kind":"album","id":"a2", ...
 *
 * INVARIANT: what is remembered belongs to the current request or to one that lies in memory with it, in the same format, and to
 * records that are kept. The fields of a prefix are those of its bytes and no others: they are copied when it ends, before the
 * entry goes on, to its slot or here.
 */
import { keepPrincipal, recallPrincipal } from "./request";

/** The first 80 bytes of the resource record at the end of a prefix without a slot: kind, version, scope, actions. */
const fields = memory.data(80, 16);

/** The prefix: its first byte, its length (0 = none), and the fields seen in it (bits by field number) on both levels. */
let prefixStart: usize = 0;
/** Where its record is kept: in its slot, or in `fields`. */
let prefixFields: usize = 0;
export let prefixLength: usize = 0;
export let prefixOfEntry: u32 = 0;
export let prefixOfResource: u32 = 0;
/** Entries or fields left to read behind it, for formats that announce them. */
export let prefixLeftOfEntry: u32 = 0;
export let prefixLeftOfResource: u32 = 0;
/** Its slot in known-prefixes.ts (0 = none). */
export let prefixSlot: usize = 0;

/** The actions last read: their bytes, and what they came to. */
let actionsStart: usize = 0;
export let actionsLength: usize = 0;
export let actionRecords: usize = 0;
export let actionCount: u32 = 0;
/** How far behind the texts that their records point to they stood when they were read last. */
export let actionsShift: usize = 0;

/** The principal last read: its bytes, and what they came to. */
let principalStart: usize = 0;
export let principalLength: usize = 0;
/** As `keepPrincipal` puts it away. */
const principal = memory.data(80, 16);

/** Begins a request, or what is not kept: nothing is remembered. */
export function forgetRepeats(): void {
  forgetPrefix();
  actionsLength = 0;
  principalLength = 0;
}

/** An entry without the prefix begins: it may have one of its own, or none. */
export function forgetPrefix(): void {
  prefixLength = 0;
  prefixSlot = 0;
}

/**
 * Remembers that in the entry from `start` on, with this record, the fields that differ between entries begin at `end`. `slot` is where
 * that is known from, or kept, which has the record as it is; without one the record is copied.
 */
export function notePrefix(
  start: usize,
  end: usize,
  ofEntry: u32,
  ofResource: u32,
  leftOfEntry: u32,
  leftOfResource: u32,
  record: usize,
  slot: usize,
): void {
  prefixSlot = slot;
  prefixStart = start;
  prefixLength = end - start;
  prefixFields = record;
  if (slot == 0) {
    copyFields(fields, record);
    prefixFields = fields;
  }
  prefixOfEntry = ofEntry;
  prefixOfResource = ofResource;
  prefixLeftOfEntry = leftOfEntry;
  prefixLeftOfResource = leftOfResource;
}

/** Remembers the list of actions in `start`..`end`. */
export function noteActions(start: usize, end: usize, records: usize, count: u32): void {
  actionsStart = start;
  actionsLength = end - start;
  actionsShift = 0;
  actionRecords = records;
  actionCount = count;
}

/** Says that the remembered actions stand at `start`, too. */
export function repeatActions(start: usize): void {
  actionsShift = start - actionsStart;
}

/** Remembers the principal in `start`..`end`, which is the current one. */
export function notePrincipal(start: usize, end: usize): void {
  principalStart = start;
  principalLength = end - start;
  keepPrincipal(principal);
}

/** Makes the remembered principal the current one. */
export function takePrincipal(): void {
  recallPrincipal(principal);
}

/**
 * Comparisons with what is remembered, expanded where they are used. They read at most 31 bytes behind the first byte that
 * differs, and 15 behind the part; that the body is long enough is for the caller to know.
 */
export class Repeats {
  /** Whether the prefix stands at `at` again. */
  @inline static prefix(at: usize): bool {
    return prefixLength != 0 && Repeats.same(at, prefixStart, prefixLength);
  }

  /** Whether the actions stand at `at` again. */
  @inline static actions(at: usize): bool {
    return actionsLength != 0 && Repeats.same(at, actionsStart, actionsLength);
  }

  /** Whether the principal stands at `at` again. */
  @inline static principal(at: usize): bool {
    return principalLength != 0 && Repeats.same(at, principalStart, principalLength);
  }

  @inline static same(left: usize, right: usize, length: usize): bool {
    if (length < 16) {
      const mask: u32 = (1 << (<u32>length)) - 1;
      return (<u32>i8x16.bitmask(i8x16.eq(v128.load(left), v128.load(right))) & mask) == mask;
    }
    const last: usize = length - 16;
    let offset: usize = 0;
    while (offset + 16 < last) {
      if (!Repeats.blocks(left + offset, right + offset)) return false;
      offset += 32;
    }
    if (offset < last && !Repeats.block(left + offset, right + offset)) return false;
    return Repeats.block(left + last, right + last);
  }

  /** Whether 16 bytes are the same. (`all_true` takes three times as many instructions.) */
  @inline static block(left: usize, right: usize): bool {
    return i8x16.bitmask(i8x16.eq(v128.load(left), v128.load(right))) == 0xffff;
  }

  /** Whether 32 bytes are the same. */
  @inline static blocks(left: usize, right: usize): bool {
    const first = i8x16.eq(v128.load(left), v128.load(right));
    const second = i8x16.eq(v128.load(left, 16), v128.load(right, 16));
    return i8x16.bitmask(v128.and(first, second)) == 0xffff;
  }

  /** The first 80 bytes of the record of an entry with the prefix. */
  @inline static take(record: usize): void {
    copyFields(record, prefixFields);
  }
}

function copyFields(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
  v128.store(to, v128.load(from, 64), 64);
}
