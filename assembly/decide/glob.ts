/**
 * Matching names against matchers and globs (layouts in compiler/emit/matchers.ts). A glob sequence is matched with at
 * most two places to resume from, the last `**` and the last `*` after it, so the work is bounded by text length times
 * pattern length, and it is paid for with fuel.
 */
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";

const MATCH_ALL: u32 = 0;
const MATCH_SYMBOL: u32 = 1;

const TOKEN_LITERAL: u32 = 0;
const TOKEN_ONE: u32 = 1;
const TOKEN_CLASS: u32 = 2;
const TOKEN_STAR: u32 = 3;
const TOKEN_SUPER: u32 = 4;

const SEPARATOR: u32 = 0x3a;

/** Whether a matcher's two words match a name: its symbol, and its text for globs. */
export function matches(kind: u32, value: u32, symbol: u32, start: usize, length: u32): bool {
  if (kind == MATCH_ALL) return true;
  if (kind == MATCH_SYMBOL) return value == symbol;
  return globMatches(value, start, length);
}

/** Whether any matcher of a list matches. */
export function matchesAny(list: usize, symbol: u32, start: usize, length: u32): bool {
  const count = load<u32>(list);
  for (let index: u32 = 0; index < count; index++) {
    const matcher = list + 8 + ((<usize>index) << 3);
    if (matches(load<u32>(matcher), load<u32>(matcher, 4), symbol, start, length)) return true;
  }
  return false;
}

/** Whether a matcher list has globs. */
export function hasGlob(list: usize): bool {
  const count = load<u32>(list);
  for (let index: u32 = 0; index < count; index++) {
    const kind = load<u32>(list + 8 + ((<usize>index) << 3));
    if (kind != MATCH_ALL && kind != MATCH_SYMBOL) return true;
  }
  return false;
}

function globMatches(glob: usize, start: usize, length: u32): bool {
  const count = load<u32>(glob);
  for (let index: u32 = 0; index < count; index++) {
    if (sequenceMatches(load<u32>(glob + 4 + ((<usize>index) << 2)), start, start + length)) return true;
  }
  return false;
}

function sequenceMatches(sequence: usize, start: usize, end: usize): bool {
  const count = load<u32>(sequence);
  let token: u32 = 0;
  let at = start;
  // Where to resume: token after the star, and the text position it has swallowed up to. -1: no such star yet.
  let starToken: i32 = -1;
  let starAt: usize = 0;
  let superToken: i32 = -1;
  let superAt: usize = 0;
  while (true) {
    if (!burn(1)) return false;
    let next: usize = 0;
    if (token < count) {
      const address = sequence + 8 + <usize>token * 12;
      const kind = load<u32>(address);
      if (kind == TOKEN_STAR) {
        starToken = <i32>token + 1;
        starAt = at;
        token += 1;
        continue;
      }
      if (kind == TOKEN_SUPER) {
        superToken = <i32>token + 1;
        superAt = at;
        starToken = -1;
        token += 1;
        continue;
      }
      next = step(address, kind, at, end);
      if (next != 0) {
        at = next;
        token += 1;
        continue;
      }
    } else if (at == end) return true;
    if (starToken >= 0 && starAt < end && load<u8>(starAt) != SEPARATOR) {
      starAt += characterLength(starAt, end);
      at = starAt;
      token = <u32>starToken;
    } else if (superToken >= 0 && superAt < end) {
      superAt += characterLength(superAt, end);
      at = superAt;
      token = <u32>superToken;
      starToken = -1;
    } else return false;
  }
}

/** The position behind what a literal, `?` or class token takes at `at`; 0 when it does not match. */
function step(address: usize, kind: u32, at: usize, end: usize): usize {
  if (kind == TOKEN_LITERAL) {
    const length = load<u32>(address, 8);
    return at + length <= end && equalBytes(load<u32>(address, 4), at, length) ? at + length : 0;
  }
  if (at >= end) return 0;
  const next = at + characterLength(at, end);
  if (kind == TOKEN_ONE) return load<u8>(at) == SEPARATOR ? 0 : next;
  return kind == TOKEN_CLASS && inClass(address, codePointAt(at, end)) ? next : 0;
}

function inClass(address: usize, codePoint: u32): bool {
  const ranges: usize = load<u32>(address, 4);
  const negated = load<u32>(address, 8) != 0;
  const count = load<u32>(ranges);
  for (let index: u32 = 0; index < count; index++) {
    const range = ranges + 4 + ((<usize>index) << 3);
    if (codePoint >= load<u32>(range) && codePoint <= load<u32>(range, 4)) return !negated;
  }
  return negated;
}

/** Bytes of the UTF-8 character at `at`; the text is validated, so only its end can cut one short. */
function characterLength(at: usize, end: usize): usize {
  const lead = <u32>load<u8>(at);
  const length: usize = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return at + length > end ? end - at : length;
}

function codePointAt(at: usize, end: usize): u32 {
  const length = characterLength(at, end);
  const lead = <u32>load<u8>(at);
  if (length == 1) return lead;
  let codePoint: u32 = lead & (0x7f >> <u32>length);
  for (let index: usize = 1; index < length; index++)
    codePoint = (codePoint << 6) | (<u32>load<u8>(at + index) & 0x3f);
  return codePoint;
}
