/**
 * Paths resolved into names, for Cerbos's path functions: UNIX, UNC (`\\host\share`) and drive (`C:\dir`) paths on every
 * host, with both kinds of slash as separators. A resolved path has `/` between its names and in front if it is rooted; a
 * drive is the first name of a rooted path. `.` and doubled separators are gone, and `..` but at the front of a path that is
 * not rooted; without names it is `/` or `.`.
 */
import { ERROR_BAD_ARGUMENT, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { fail, lengthOf, ofString, startOf, tagOf } from "../value/value";
import { noFuel, noMemory } from "./failure";

export const SLASH: u32 = 0x2f;
export const BACKSLASH: u32 = 0x5c;
export const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;

/** No path is longer, in bytes: it would not fit an arena. */
const MAX_ROOM: u64 = 0x4000_0000;

export function isSeparator(byte: u32): bool {
  return byte == SLASH || byte == BACKSLASH;
}

/** Whether a path begins with an ASCII letter and a colon. */
export function hasDrive(start: usize, length: u32): bool {
  if (length < 2 || load<u8>(start + 1) != COLON) return false;
  const letter = <u32>load<u8>(start) | 0x20;
  return letter >= 0x61 && letter <= 0x7a;
}

/** Address of the next backslash, or `end`. */
export function nextBackslash(from: usize, end: usize): usize {
  let at = from;
  while (at < end && load<u8>(at) != BACKSLASH) at++;
  return at;
}

/** Whether something but no backslash follows a drive: a path in the drive's directory, or one written with `/`. */
export function isRefused(start: usize, length: u32): bool {
  if (!hasDrive(start, length) || length == 2) return false;
  const end = start + length;
  return nextBackslash(start + 2, end) == end;
}

export function isRooted(start: usize, length: u32): bool {
  return length > 0 && (isSeparator(load<u8>(start)) || hasDrive(start, length));
}

/** The path that is being built, and its end so far. */
let built: usize = 0;
let to: usize = 0;
/** What `..` takes nothing back from: the root, or a `..` in front of it. */
let floor: usize = 0;
let rooted: bool = false;

/** Begins a path of at most `room` bytes, separators included; false without memory. */
export function beginPath(room: u64, withRoot: bool): bool {
  // One byte for `inStyleOf` in front, one for `.`.
  if (room > MAX_ROOM || !fits(<usize>room + 16)) return false;
  built = allocate(<usize>room + 3) + 1;
  to = built;
  rooted = withRoot;
  if (rooted) store<u8>(to++, SLASH);
  floor = to;
  return true;
}

/** Adds the names of a path; what it has of `..` beyond its own root does nothing. */
export function addNames(start: usize, length: u32): void {
  const isolated = rooted || isRooted(start, length);
  const before = floor;
  if (isRooted(start, length)) floor = to;
  const end = start + length;
  let at = start;
  while (at < end) {
    if (isSeparator(load<u8>(at))) {
      at++;
      continue;
    }
    let next = at + 1;
    while (next < end && !isSeparator(load<u8>(next))) next++;
    addName(at, next - at, isolated);
    at = next;
  }
  if (isRooted(start, length)) floor = before;
}

function addName(at: usize, size: usize, isolated: bool): void {
  const dotted = load<u8>(at) == DOT;
  if (size == 1 && dotted) return;
  const up = size == 2 && dotted && load<u8>(at + 1) == DOT;
  if (up && to > floor) {
    to--;
    while (to > floor && load<u8>(to) != SLASH) to--;
    return;
  }
  if (up && isolated) return;
  if (to > built && load<u8>(to - 1) != SLASH) store<u8>(to++, SLASH);
  memory.copy(to, at, size);
  to += size;
  if (up) floor = to;
}

/** The path that was built. */
export function builtPath(): u64 {
  if (to == built) store<u8>(to++, DOT);
  return ofString(built, <u32>(to - built));
}

/** A text's path, resolved; an error of a refused one. */
export function resolvedPath(path: u64): u64 {
  const start = startOf(path);
  const length = lengthOf(path);
  if (!burn(1 + (length >> 3))) return noFuel();
  if (isRefused(start, length)) return fail(ERROR_BAD_ARGUMENT, path);
  if (!beginPath(<u64>length + 2, isRooted(start, length))) return noMemory();
  addNames(start, length);
  return builtPath();
}

/** Whether a path is written with backslashes, as those with a drive are. */
export function isBackslashed(path: u64): bool {
  const start = startOf(path);
  const end = start + lengthOf(path);
  return hasDrive(start, lengthOf(path)) || nextBackslash(start, end) != end;
}

/** Turns the slashes of a text of our own into backslashes, in place. */
export function turnSlashes(text: u64): void {
  const end = startOf(text) + lengthOf(text);
  for (let at = startOf(text); at < end; at++) {
    if (load<u8>(at) == SLASH) store<u8>(at, BACKSLASH);
  }
}

/** Writes a resolved path, in place, as `model` is written: `/C:/a` is `C:\a` again, `/h/s` is `\\h\s`. */
export function inStyleOf(model: u64, resolved: u64): u64 {
  if (tagOf(resolved) != TAG_STRING || !isBackslashed(model)) return resolved;
  const start = startOf(resolved);
  const length = lengthOf(resolved);
  turnSlashes(resolved);
  const modelStart = startOf(model);
  const modelLength = lengthOf(model);
  if (hasDrive(modelStart, modelLength)) {
    const leading = length > 0 && load<u8>(start) == BACKSLASH;
    return leading ? ofString(start + 1, length - 1) : resolved;
  }
  const isUnc =
    modelLength >= 2 && load<u8>(modelStart) == BACKSLASH && load<u8>(modelStart + 1) == BACKSLASH;
  if (!isUnc) return resolved;
  store<u8>(start - 1, BACKSLASH);
  return ofString(start - 1, length + 1);
}
