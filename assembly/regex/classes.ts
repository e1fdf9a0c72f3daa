/**
 * Character classes while they are parsed: a growing list of ranges in the arena, then cleaned (ascending, disjoint), folded
 * or negated. One class at a time is built. The ranges of a class are pairs of u32, low and high, both inclusive.
 */
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { foldNext, hasFold } from "./unicode";

export const MAX_RUNE: u32 = 0x10ffff;
/** Code points looked at together for folding. */
const FOLD_BLOCK: u32 = 64;
const FIRST_CAPACITY: u32 = 16;
/** Most ranges of the classes of one pattern, 256 KiB; no program has room for more. */
const MAX_RANGES: u32 = 1 << 15;

let ranges: usize = 0;
let count: u32 = 0;
let capacity: u32 = 0;
/** Ranges before this one belong to another part of the class: they are not grown. */
let floor: u32 = 0;
/** The arena or the fuel is used up, which they know, or the pattern has too many ranges. */
let stopped: bool = false;
/** Ranges of the pattern's classes before this one. */
let total: u32 = 0;

/** Begins a pattern. */
export function beginClasses(): void {
  total = 0;
  count = 0;
}

export function beginClass(): void {
  total += count;
  count = 0;
  capacity = 0;
  floor = 0;
  stopped = false;
}

/** Begins a part of the class that is folded or negated by itself; answers the number of its first range. */
export function beginPart(): u32 {
  floor = count;
  return count;
}

/** Whether the class could be built so far. */
export function classIsFine(): bool {
  return !stopped;
}

export function classRanges(): usize {
  return ranges;
}

export function classCount(): u32 {
  return count;
}

export function addRange(low: u32, high: u32): void {
  if (stopped) return;
  if (count > floor) {
    // Ranges mostly come in order: the last one grows.
    const last = ranges + ((<usize>count - 1) << 3);
    const lastHigh = load<u32>(last, 4);
    if (low >= load<u32>(last) && low <= lastHigh + 1) {
      if (high > lastHigh) store<u32>(last, high, 4);
      return;
    }
  }
  if (count == capacity && !grow()) return;
  const at = ranges + ((<usize>count) << 3);
  store<u32>(at, low);
  store<u32>(at, high, 4);
  count++;
}

function grow(): bool {
  const larger = capacity == 0 ? FIRST_CAPACITY : capacity << 1;
  if (total + count >= MAX_RANGES || !burn(larger >> 2) || !fits((<usize>larger) << 3)) {
    stopped = true;
    return false;
  }
  const moved = allocate((<usize>larger) << 3);
  memory.copy(moved, ranges, (<usize>count) << 3);
  ranges = moved;
  capacity = larger;
  return true;
}

/** Adds a range and everything equal to one of its code points under simple case folding. */
export function addFoldedRange(low: u32, high: u32): void {
  addRange(low, high);
  for (let block = low; block <= high && !stopped; block += FOLD_BLOCK) {
    const end = high - block < FOLD_BLOCK ? high : block + FOLD_BLOCK - 1;
    if (!burn(1)) {
      stopped = true;
      return;
    }
    if (!hasFold(block, end)) continue;
    if (!burn(FOLD_BLOCK)) {
      stopped = true;
      return;
    }
    for (let rune = block; rune <= end; rune++) {
      for (let other = foldNext(rune); other != rune; other = foldNext(other)) addRange(other, other);
    }
  }
}

/** Sorts and joins the ranges from number `from` on. */
export function cleanClass(from: u32): void {
  if (stopped || count - from < 2) return;
  sortRanges(from);
  let kept = from;
  for (let index = from + 1; index < count; index++) {
    const at = ranges + ((<usize>index) << 3);
    const last = ranges + ((<usize>kept) << 3);
    const low = load<u32>(at);
    const high = load<u32>(at, 4);
    if (low <= load<u32>(last, 4) + 1) {
      if (high > load<u32>(last, 4)) store<u32>(last, high, 4);
      continue;
    }
    kept++;
    store<u32>(last, low, 8);
    store<u32>(last, high, 12);
  }
  count = kept + 1;
}

/** Shell sort: in place, no recursion, and never worse than about n^1.5. */
function sortRanges(from: u32): void {
  const size = count - from;
  let gap: u32 = 1;
  while (gap < size / 3) gap = gap * 3 + 1;
  const base = ranges + ((<usize>from) << 3);
  for (; gap > 0; gap /= 3) {
    if (!burn(size)) {
      stopped = true;
      return;
    }
    for (let index = gap; index < size; index++) {
      const moving = load<u64>(base + ((<usize>index) << 3));
      const low = <u32>moving;
      let at = index;
      while (at >= gap && load<u32>(base + ((<usize>(at - gap)) << 3)) > low) {
        store<u64>(base + ((<usize>at) << 3), load<u64>(base + ((<usize>(at - gap)) << 3)));
        at -= gap;
      }
      store<u64>(base + ((<usize>at) << 3), moving);
    }
  }
}

/** Replaces the clean ranges from number `from` on by all other code points. */
export function negateClass(from: u32): void {
  if (stopped) return;
  // One range more than before at most.
  if (count == capacity && !grow()) return;
  let next: u32 = 0;
  let kept = from;
  for (let index = from; index < count; index++) {
    const at = ranges + ((<usize>index) << 3);
    const low = load<u32>(at);
    const high = load<u32>(at, 4);
    if (low > next) {
      const to = ranges + ((<usize>kept) << 3);
      store<u32>(to, next);
      store<u32>(to, low - 1, 4);
      kept++;
    }
    next = high + 1;
  }
  if (next <= MAX_RUNE) {
    const to = ranges + ((<usize>kept) << 3);
    store<u32>(to, next);
    store<u32>(to, MAX_RUNE, 4);
    kept++;
  }
  count = kept;
}

/** Adds what equals a code point of the ranges from number `from` on under case folding, and cleans. */
export function foldClass(from: u32): void {
  const end = count;
  for (let index = from; index < end && !stopped; index++) {
    const at = ranges + ((<usize>index) << 3);
    const low = load<u32>(at);
    const high = load<u32>(at, 4);
    addFoldedRange(low, high);
  }
  cleanClass(from);
}
