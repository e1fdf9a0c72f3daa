/**
 * Cerbos's globs of paths: `pathMatch`, `pathMatchAnyOf`. Path and pattern are resolved alike first (path-names.ts). `*` is a
 * run without `/`, `?` one character but `/`, `[a-z]` and `[^a-z]` a class; there is no escape, `**` is `*`, braces are plain.
 * What stands between two stars is taken where it fits first and never again elsewhere, as in Cerbos: work is at most path
 * times pattern and burns fuel.
 */
import { ERROR_BAD_ARGUMENT, TAG_LIST, TAG_STRING } from "../abi";
import { mark, rewind } from "../memory/arena";
import { burn, outOfFuel } from "../memory/fuel";
import { settle } from "../value/raw";
import { countOf, fail, FALSE, itemAt, lengthOf, ofBool, startOf, tagOf } from "../value/value";
import { noFuel, noOverload1, noOverload2 } from "./failure";
import { resolvedPath, SLASH } from "./path-names";

const STAR: u32 = 0x2a;
const QUESTION: u32 = 0x3f;
const OPEN: u32 = 0x5b;
const CLOSE: u32 = 0x5d;
const CARET: u32 = 0x5e;
const DASH: u32 = 0x2d;

let rune: u32 = 0;

/** Reads a character into `rune`, U+FFFD of a byte inside one; the address behind it. */
function decode(at: usize, end: usize): usize {
  const byte = <u32>load<u8>(at);
  const size: usize = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  if (byte < 0x80) rune = byte;
  else if (size == 1 || size > end - at) {
    rune = 0xfffd;
    return at + 1;
  } else {
    rune = byte & (0x7f >> <u32>size);
    for (let index: usize = 1; index < size; index++) rune = (rune << 6) | (load<u8>(at + index) & 0x3f);
  }
  return at + size;
}

/** Reads a bound of a range into `rune`; 0 where none may stand. */
function readBound(at: usize, end: usize): usize {
  if (at >= end || load<u8>(at) == DASH || load<u8>(at) == CLOSE) return 0;
  return decode(at, end);
}

let classHolds: bool = false;

/** Reads the class behind a `[` and sets whether it holds `wanted`; the address behind its `]`, 0 of a malformed one. */
function readClass(from: usize, end: usize, wanted: u32): usize {
  let at = from;
  const negated = at < end && load<u8>(at) == CARET;
  if (negated) at++;
  let found = false;
  let ranges = 0;
  while (true) {
    if (ranges > 0 && at < end && load<u8>(at) == CLOSE) break;
    at = readBound(at, end);
    if (at == 0) return 0;
    const low = rune;
    if (at < end && load<u8>(at) == DASH) {
      at = readBound(at + 1, end);
      if (at == 0) return 0;
    }
    if (low <= wanted && wanted <= rune) found = true;
    ranges++;
  }
  classHolds = found != negated;
  return at + 1;
}

function isWellFormed(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    if (load<u8>(at) != OPEN) at++;
    else {
      at = readClass(at + 1, end, 0);
      if (at == 0) return false;
    }
  }
  return true;
}

/** End of the part of a pattern up to the next star; from a `[` to the next `]` nothing is one, class or not. */
function partEnd(start: usize, end: usize): usize {
  let at = start;
  let inside = false;
  while (at < end && (inside || load<u8>(at) != STAR)) {
    const byte = <u32>load<u8>(at++);
    if (byte == OPEN) inside = true;
    else if (byte == CLOSE) inside = false;
  }
  return at;
}

/** The address behind what a part without stars matches at `from`; 0 if nothing, also without fuel. */
function matchPart(part: usize, end: usize, from: usize, textEnd: usize): usize {
  let at = from;
  let next = part;
  while (next < end) {
    if (at >= textEnd) return 0;
    const byte = <u32>load<u8>(next);
    const before = next;
    if (byte == OPEN) {
      at = decode(at, textEnd);
      next = readClass(next + 1, end, rune);
      if (!classHolds) at = 0;
    } else {
      if (byte == QUESTION) at = load<u8>(at) == SLASH ? 0 : decode(at, textEnd);
      else at = load<u8>(at) == byte ? at + 1 : 0;
      next++;
    }
    if (!burn(<u32>(next - before)) || at == 0) return 0;
  }
  return at;
}

/** Whether a pattern matches a text: FALSE or TRUE, or what went wrong; `pattern` is the error's detail. */
function matches(pattern: u64, resolved: u64, path: u64): u64 {
  const end = startOf(resolved) + lengthOf(resolved);
  const textEnd = startOf(path) + lengthOf(path);
  let next = startOf(resolved);
  let at = startOf(path);
  while (next < end) {
    const star = load<u8>(next) == STAR;
    while (next < end && load<u8>(next) == STAR) next++;
    if (next == end) return ofBool(!hasSlash(at, textEnd));
    const stop = partEnd(next, end);
    // A part that is not reached may be malformed.
    if (!isWellFormed(next, stop)) return fail(ERROR_BAD_ARGUMENT, pattern);
    at = placePart(next, stop, at, textEnd, star, stop == end);
    if (outOfFuel()) return noFuel();
    if (at == 0) return FALSE;
    next = stop;
  }
  return ofBool(at == textEnd);
}

/** The end of a part where it fits first, behind a star anywhere before the next slash; the last one ends the text. */
function placePart(part: usize, end: usize, text: usize, textEnd: usize, star: bool, last: bool): usize {
  let from = text;
  while (burn(1)) {
    const found = matchPart(part, end, from, textEnd);
    if (found != 0 && (!last || found == textEnd)) return found;
    if (!star || from >= textEnd || load<u8>(from) == SLASH) return 0;
    from++;
  }
  return 0;
}

function hasSlash(start: usize, end: usize): bool {
  let at = start;
  while (at < end && load<u8>(at) != SLASH) at++;
  return at < end;
}

/** Matches a resolved path against one pattern. */
function matchOne(path: u64, pattern: u64): u64 {
  const resolved = resolvedPath(pattern);
  return tagOf(resolved) == TAG_STRING ? matches(pattern, resolved, path) : resolved;
}

/** Whether a path matches a pattern as a whole. */
export function pathMatch(path: u64, pattern: u64): u64 {
  if (tagOf(path) != TAG_STRING || tagOf(pattern) != TAG_STRING) return noOverload2(path, pattern);
  const resolved = resolvedPath(path);
  return tagOf(resolved) == TAG_STRING ? matchOne(resolved, pattern) : resolved;
}

/** Whether a path matches one of the patterns, tried in order: the first that matches or is malformed ends the search. */
export function pathMatchAnyOf(path: u64, patterns: u64): u64 {
  if (tagOf(path) != TAG_STRING) return noOverload2(path, patterns);
  const list = settle(patterns);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  if (!burn(1 + count)) return noFuel();
  for (let index: u32 = 0; index < count; index++) {
    if (tagOf(itemAt(list, index)) != TAG_STRING) return noOverload1(itemAt(list, index));
  }
  if (count == 0) return FALSE;
  const resolved = resolvedPath(path);
  if (tagOf(resolved) != TAG_STRING) return resolved;
  const free = mark();
  for (let index: u32 = 0; index < count; index++) {
    const result = matchOne(resolved, itemAt(list, index));
    if (result != FALSE) return result;
    rewind(free);
  }
  return FALSE;
}
