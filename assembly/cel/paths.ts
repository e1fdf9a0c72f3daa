/**
 * Cerbos's path functions: `basePath`, `dirPath`, `extPath`, `volumeName` take a path apart, `joinPath` puts one together,
 * `relPath` and `pathHasPrefix` compare two. How paths are read and written is in path-names.ts, matching in path-match.ts.
 */
import { ERROR_BAD_ARGUMENT, TAG_LIST, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  countOf,
  fail,
  FALSE,
  isError,
  itemAt,
  lengthOf,
  ofBool,
  ofString,
  startOf,
  tagOf,
  TRUE,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";
import {
  addNames,
  BACKSLASH,
  beginPath,
  builtPath,
  DOT,
  hasDrive,
  inStyleOf,
  isBackslashed,
  isRefused,
  isRooted,
  isSeparator,
  nextBackslash,
  resolvedPath,
  SLASH,
  turnSlashes,
} from "./path-names";

/** A new string of one or two bytes, the second 0 for one. */
function shortText(first: u32, second: u32): u64 {
  const out = allocate(8);
  store<u8>(out, first);
  store<u8>(out + 1, second);
  return ofString(out, second == 0 ? 1 : 2);
}

/**
 * The last component that is left once `.`, `..` and doubled separators are resolved; "/" of a root, else "." or "..".
 * Components are read from the end, so that one pass is enough: each `..` cancels the next name in front of it.
 */
function lastComponent(start: usize, length: u32): u64 {
  let cancelled: u32 = 0;
  let end = start + length;
  while (end > start) {
    if (isSeparator(load<u8>(end - 1))) {
      end--;
      continue;
    }
    let from = end - 1;
    while (from > start && !isSeparator(load<u8>(from - 1))) from--;
    const size = <u32>(end - from);
    const dots = load<u8>(from) == DOT && (size == 1 || (size == 2 && load<u8>(from + 1) == DOT));
    if (dots) cancelled += size - 1;
    else if (cancelled > 0) cancelled--;
    else return ofString(from, size);
    end = from;
  }
  return isRooted(start, length) ? shortText(SLASH, 0) : shortText(DOT, cancelled > 0 ? DOT : 0);
}

/** The last component of a path. */
export function basePath(path: u64): u64 {
  if (tagOf(path) != TAG_STRING) return noOverload1(path);
  const length = lengthOf(path);
  if (!burn(1 + (length >> 4))) return noFuel();
  if (isRefused(startOf(path), length)) return fail(ERROR_BAD_ARGUMENT, path);
  return lastComponent(startOf(path), length);
}

/** The last component from its last dot on, the dot included; "" without a dot. */
export function extPath(path: u64): u64 {
  const base = basePath(path);
  if (tagOf(base) != TAG_STRING) return base;
  const start = startOf(base);
  const end = start + lengthOf(base);
  for (let at = end; at > start; at--) {
    if (load<u8>(at - 1) == DOT) return ofString(at - 1, <u32>(end - at) + 1);
  }
  return ofString(start, 0);
}

/** `C:` of a drive path, `\\host\share` of a UNC path, else "". Only backslashes separate here. */
export function volumeName(path: u64): u64 {
  if (tagOf(path) != TAG_STRING) return noOverload1(path);
  const start = startOf(path);
  const length = lengthOf(path);
  if (!burn(1 + (length >> 4))) return noFuel();
  if (hasDrive(start, length)) return ofString(start, 2);
  if (length < 5 || load<u8>(start) != BACKSLASH || load<u8>(start + 1) != BACKSLASH)
    return ofString(start, 0);
  const end = start + length;
  const host = nextBackslash(start + 2, end);
  if (host == start + 2 || host == end) return ofString(start, 0);
  const share = nextBackslash(host + 1, end);
  return ofString(start, share == host + 1 ? 0 : <u32>(share - start));
}

/** The root of a drive, of a path that is nothing but the drive and at most a backslash. */
function driveRoot(start: usize): u64 {
  const out = allocate(8);
  store<u16>(out, load<u16>(start));
  store<u8>(out + 2, BACKSLASH);
  return ofString(out, 3);
}

/** Whether a path is `\\host\share`; either name may be missing. */
function isVolume(start: usize, length: u32): bool {
  if (length < 3 || load<u8>(start) != BACKSLASH || load<u8>(start + 1) != BACKSLASH) return false;
  const end = start + length;
  const host = nextBackslash(start + 2, end);
  return host != end && nextBackslash(host + 1, end) == end;
}

/**
 * A path without its last component. What Cerbos makes of a root depends on how the path is written: `/` is its own
 * directory, that of `\` is empty; one name without a root (`a\`) is an error.
 */
export function dirPath(path: u64): u64 {
  if (tagOf(path) != TAG_STRING) return noOverload1(path);
  const resolved = resolvedPath(path);
  if (tagOf(resolved) != TAG_STRING) return resolved;
  const pathStart = startOf(path);
  const length = lengthOf(path);
  const backslashed = isBackslashed(path);
  if (hasDrive(pathStart, length) && (length == 2 || (length == 3 && load<u8>(pathStart + 2) == BACKSLASH)))
    return driveRoot(pathStart);
  if (isVolume(pathStart, length)) return inStyleOf(path, resolved);
  const start = startOf(resolved);
  let at = start + lengthOf(resolved);
  while (at > start && load<u8>(at - 1) != SLASH) at--;
  if (at == start) return backslashed ? fail(ERROR_BAD_ARGUMENT, path) : shortText(DOT, 0);
  const isRoot = at - 1 == start;
  return inStyleOf(path, ofString(start, isRoot && !backslashed ? 1 : <u32>(at - 1 - start)));
}

/** Joins paths into one, written as the first is; a list of one gives that one as it stands, an empty list "". */
export function joinPath(paths: u64): u64 {
  const list = settle(paths);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  let room: u64 = 2;
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (tagOf(item) != TAG_STRING) return noOverload1(item);
    const length = lengthOf(item);
    if (!burn(1 + (length >> 3))) return noFuel();
    room += <u64>length + 1;
  }
  if (count == 0) return ofString(allocate(8), 0);
  const first = itemAt(list, 0);
  if (count == 1) return first;
  if (!beginPath(room, isRooted(startOf(first), lengthOf(first)))) return noMemory();
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    if (isRefused(startOf(item), lengthOf(item))) return fail(ERROR_BAD_ARGUMENT, item);
    addNames(startOf(item), lengthOf(item));
  }
  return inStyleOf(first, builtPath());
}

/** The way that `findWay` found: names to go up, and what then follows. */
let up: usize = 0;
let rest: usize = 0;
let restEnd: usize = 0;

/** Number of names in a part of a resolved path. */
function namesIn(start: usize, end: usize): usize {
  if (start == end) return 0;
  let names: usize = 1;
  for (let at = start; at < end; at++) names += load<u8>(at) == SLASH ? 1 : 0;
  return names;
}

function skipSlash(at: usize, end: usize): usize {
  return at < end && load<u8>(at) == SLASH ? at + 1 : at;
}

function isDot(start: usize, end: usize): bool {
  return end - start == 1 && load<u8>(start) == DOT;
}

/** Looks for the way from one resolved path to another; false where there is none. */
function findWay(from: u64, target: u64): bool {
  let at = startOf(from);
  let to = startOf(target);
  const end = at + (isDot(at, at + lengthOf(from)) ? 0 : lengthOf(from));
  restEnd = to + (isDot(to, to + lengthOf(target)) ? 0 : lengthOf(target));
  if ((at < end && load<u8>(at) == SLASH) != (to < restEnd && load<u8>(to) == SLASH)) return false;
  at = skipSlash(at, end);
  to = skipSlash(to, restEnd);
  const start = at;
  while (at < end && to < restEnd && load<u8>(at) == load<u8>(to)) {
    at++;
    to++;
  }
  const isWhole =
    (at == end || load<u8>(at) == SLASH) && (to == restEnd || load<u8>(to) == SLASH || at == start);
  if (isWhole) {
    at = skipSlash(at, end);
    to = skipSlash(to, restEnd);
  } else {
    while (at > start && load<u8>(at - 1) != SLASH) {
      at--;
      to--;
    }
  }
  rest = to;
  up = namesIn(at, end);
  const leadsOut = up > 0 && end - at >= 2 && load<u8>(at) == DOT && load<u8>(at + 1) == DOT;
  return !leadsOut || (end - at > 2 && load<u8>(at + 2) != SLASH);
}

/** The way as text: `..` for every name to go up, and the rest. */
function wayText(): u64 {
  const size = restEnd - rest;
  const room = up * 3 + size + 1;
  if (!fits(room)) return noMemory();
  const out = allocate(room);
  let to = out;
  for (let index: usize = 0; index < up; index++) {
    store<u16>(to, 0x2e2e);
    store<u8>(to + 2, SLASH);
    to += 3;
  }
  memory.copy(to, rest, size);
  to += size;
  if (size == 0 && up > 0) to--;
  if (to == out) store<u8>(to++, DOT);
  return ofString(out, <u32>(to - out));
}

/** Resolves both paths and looks for the way; TRUE, or an error. */
function findWayBetween(from: u64, target: u64): u64 {
  const start = resolvedPath(from);
  if (isError(start)) return start;
  const end = resolvedPath(target);
  if (isError(end)) return end;
  return findWay(start, end) ? TRUE : fail(ERROR_BAD_ARGUMENT, target);
}

/** The way from one path to another, written with backslashes if the other is. */
export function relPath(from: u64, target: u64): u64 {
  if (tagOf(from) != TAG_STRING || tagOf(target) != TAG_STRING) return noOverload2(from, target);
  const found = findWayBetween(from, target);
  if (found != TRUE) return found;
  const text = wayText();
  if (tagOf(text) == TAG_STRING && isBackslashed(target)) turnSlashes(text);
  return text;
}

/**
 * Whether a path lies in another. As in Cerbos, one that is the other lies in it only if it is written alike, and one whose
 * first name in there begins with a dot does not.
 */
export function pathHasPrefix(path: u64, prefix: u64): u64 {
  if (tagOf(path) != TAG_STRING || tagOf(prefix) != TAG_STRING) return noOverload2(path, prefix);
  const length = lengthOf(path);
  if (!burn(1 + (length >> 4))) return noFuel();
  if (length == lengthOf(prefix) && memory.compare(startOf(path), startOf(prefix), length) == 0) return TRUE;
  const found = findWayBetween(prefix, path);
  if (found != TRUE) return found;
  if (up > 0 || rest == restEnd) return FALSE;
  return ofBool(load<u8>(rest) != DOT);
}
