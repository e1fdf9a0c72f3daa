/**
 * Cerbos's path functions that take a path apart: `basePath`, `extPath`, `volumeName`. Paths are UNIX, UNC (`\\host\share`)
 * or drive (`C:\dir`) paths on every host, with both kinds of slash as separators. `dirPath`, `joinPath`, `relPath` and the
 * matching functions are not here.
 */
import { ERROR_BAD_ARGUMENT, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { fail, lengthOf, ofString, startOf, tagOf } from "../value/value";
import { noFuel, noMemory, noOverload1 } from "./failure";

const SLASH: u32 = 0x2f;
const BACKSLASH: u32 = 0x5c;
const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;

function isSeparator(byte: u32): bool {
  return byte == SLASH || byte == BACKSLASH;
}

/** Whether a path begins with an ASCII letter and a colon. */
function hasDrive(start: usize, length: u32): bool {
  if (length < 2 || load<u8>(start + 1) != COLON) return false;
  const letter = <u32>load<u8>(start) | 0x20;
  return letter >= 0x61 && letter <= 0x7a;
}

/** Whether a drive is followed by anything but a backslash: relative to the drive's directory, or written with `/`. */
function isRefused(start: usize, length: u32): bool {
  return hasDrive(start, length) && length > 2 && load<u8>(start + 2) != BACKSLASH;
}

/** A new string of `count` (1 or 2) equal bytes. */
function repeated(byte: u32, count: u32): u64 {
  if (!fits(count)) return noMemory();
  const out = allocate(count);
  for (let at: u32 = 0; at < count; at++) store<u8>(out + at, byte);
  return ofString(out, count);
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
  const rooted = length > 0 && (isSeparator(load<u8>(start)) || hasDrive(start, length));
  return rooted ? repeated(SLASH, 1) : repeated(DOT, cancelled > 0 ? 2 : 1);
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

/** Address of the next backslash, or `end`. */
function nextBackslash(from: usize, end: usize): usize {
  let at = from;
  while (at < end && load<u8>(at) != BACKSLASH) at++;
  return at;
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
