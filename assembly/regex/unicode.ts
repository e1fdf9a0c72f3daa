/** Unicode for regular expressions: classes by name, and what equals a code point under simple case folding. */
import { burn } from "../memory/fuel";
import { CLASS_COUNT, CLASS_NAMES, CLASS_RANGES, FOLD_COUNT, FOLD_RUNS } from "./unicode-tables";

/** Longest name that any class has, in letters and digits. */
const MAX_NAME: u32 = 32;
const RUN_SIZE: usize = 12;

function lowerCase(byte: u32): u32 {
  return byte - 0x41 < 26 ? byte | 0x20 : byte;
}

/** Whether a byte of a name counts: blanks, underlines and hyphens do not. */
function isIgnored(byte: u32): bool {
  return byte == 0x20 || byte == 0x5f || byte == 0x2d;
}

/** Whether a name is `length` letters at `letters`, whatever their case. */
function isNamed(name: usize, nameLength: u32, letters: usize, length: u32): bool {
  let matched: u32 = 0;
  for (let at: u32 = 0; at < nameLength; at++) {
    const byte = lowerCase(load<u8>(name + at));
    if (isIgnored(byte)) continue;
    if (matched == length || byte != <u32>load<u8>(letters + matched)) return false;
    matched++;
  }
  return matched == length;
}

/**
 * The class of a name: a general category, short or long, or a script of one word; case, blanks, `_` and `-` do not count, as
 * in Go. A number for the functions below, or -1.
 */
export function findUnicodeClass(name: usize, length: u32): i32 {
  if (length > MAX_NAME || !burn(CLASS_COUNT >> 3)) return -1;
  let entry = CLASS_NAMES;
  for (let index: u32 = 0; index < CLASS_COUNT; index++) {
    const letters = <u32>load<u8>(entry);
    if (isNamed(name, length, entry + 1, letters)) return <i32>(entry - CLASS_NAMES);
    entry += <usize>letters + 6;
  }
  return -1;
}

/** Number of ranges of a class. */
export function unicodeClassSize(index: i32): u32 {
  const entry = CLASS_NAMES + <usize>index;
  return load<u16>(entry + <usize>load<u8>(entry) + 1);
}

/** Writes the ranges of a class as pairs of u32, low and high, ascending. */
export function unicodeClassRanges(index: i32, into: usize): void {
  const entry = CLASS_NAMES + <usize>index;
  const facts = entry + <usize>load<u8>(entry) + 1;
  const count = <u32>load<u16>(facts);
  at =
    CLASS_RANGES +
    <usize>(<u32>load<u8>(facts, 2) | ((<u32>load<u8>(facts, 3)) << 8) | ((<u32>load<u8>(facts, 4)) << 16));
  let before: u32 = 0;
  for (let range: u32 = 0; range < count; range++) {
    const low = before + takeVariable();
    const high = low + takeVariable();
    store<u32>(into + ((<usize>range) << 3), low);
    store<u32>(into + ((<usize>range) << 3), high, 4);
    before = high;
  }
}

let at: usize = 0;

function takeVariable(): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  let byte: u32 = 0x80;
  while ((byte & 0x80) != 0) {
    byte = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  }
  return value;
}

/** Number of the first run that ends at `rune` or later. */
function runFrom(rune: u32): u32 {
  let low: u32 = 0;
  let high = FOLD_COUNT;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(FOLD_RUNS + <usize>middle * RUN_SIZE + 4) < rune) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The next larger code point equal under simple case folding, or the smallest; the code point itself when it is alone. */
export function foldNext(rune: u32): u32 {
  const run = runFrom(rune);
  if (run == FOLD_COUNT) return rune;
  const place = FOLD_RUNS + <usize>run * RUN_SIZE;
  const first = load<u32>(place);
  if (rune < first) return rune;
  const distance = load<i32>(place, 8);
  if (distance != 0) return <u32>(<i32>rune + distance);
  return ((rune - first) & 1) == 0 ? rune + 1 : rune - 1;
}

/** Whether any code point from `low` to `high` has others equal to it. */
export function hasFold(low: u32, high: u32): bool {
  const run = runFrom(low);
  return run < FOLD_COUNT && load<u32>(FOLD_RUNS + <usize>run * RUN_SIZE) <= high;
}
