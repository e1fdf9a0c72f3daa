/**
 * Where to cut a JSON request. `resources` is found by walking over the fields before it; its end and the places between
 * entries by what usually stands there (`}, {"actions"`). Strings are skipped properly, nothing is validated.
 */
import { type Cut, divide, OTHER_FIELDS, REACH } from "./slices.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The first key of an entry. */
const ENTRY_KEYS: readonly string[] = ['"actions"', '"resource"'];

/** How many places that look like the start of an entry are tried. */
const MAX_TRIES = 64;

export function cutJson(bytes: Buffer, parts: number): Cut | null {
  const from = findEntries(bytes);
  const to = from < 0 ? -1 : findEnd(bytes, from);
  if (to < 0) return null;
  const slices = divide(from, to, parts, (position, limit) => nextEntry(bytes, position, limit));
  return { headEnd: from, tailStart: to, slices, entries: 0 };
}

/** The position of the first entry behind the `[` of the field `resources`; -1 when it is not found near the start. */
function findEntries(bytes: Buffer): number {
  const limit = Math.min(bytes.length, REACH);
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_BRACE) return -1;
  at = skipSpace(bytes, at + 1);
  while (at < limit && bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at);
    const isResources = bytes.toString("latin1", at, keyEnd) === '"resources"';
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) return -1;
    at = skipSpace(bytes, at + 1);
    if (isResources) return bytes[at] === OPEN_BRACKET ? skipSpace(bytes, at + 1) : -1;
    at = skipSpace(bytes, skipValue(bytes, at, limit));
    if (bytes[at] !== COMMA) return -1;
    at = skipSpace(bytes, at + 1);
  }
  return -1;
}

/** The position of the `]` behind the last entry; -1 when it is not found near the end. */
function findEnd(bytes: Buffer, from: number): number {
  let at = skipSpaceBack(bytes, bytes.length - 1);
  if (bytes[at] !== CLOSE_BRACE) return -1;
  at = skipSpaceBack(bytes, at - 1);
  if (bytes[at] === CLOSE_BRACKET) return at > from ? at : -1;
  // Fields follow: the first one that has a `],` before it.
  let found = -1;
  const window = Math.max(from, bytes.length - REACH);
  for (const name of OTHER_FIELDS) {
    const place = bytes.lastIndexOf(`"${name}"`, undefined, "latin1");
    if (place < window) continue;
    at = skipSpaceBack(bytes, place - 1);
    if (bytes[at] !== COMMA) continue;
    at = skipSpaceBack(bytes, at - 1);
    if (bytes[at] === CLOSE_BRACKET && at > from && (found < 0 || at < found)) found = at;
  }
  return found;
}

/** The first place from `position` on that looks like `}` `,` `{` and the key of an entry. */
function nextEntry(bytes: Buffer, position: number, limit: number): { end: number; start: number } | null {
  const window = bytes.subarray(position, limit);
  let best: { end: number; start: number } | null = null;
  for (const key of ENTRY_KEYS) {
    let at = window.indexOf(key, 0, "latin1");
    for (let tries = 0; at >= 0 && tries < MAX_TRIES; tries++) {
      const place = betweenEntries(bytes, position + at);
      if (place !== null) {
        if (best === null || place.start < best.start) best = place;
        break;
      }
      at = window.indexOf(key, at + 1, "latin1");
    }
  }
  return best;
}

/** Where the entry whose first key is at `key` starts and the one before it ends; null when that is not what stands there. */
function betweenEntries(bytes: Buffer, key: number): { end: number; start: number } | null {
  const start = skipSpaceBack(bytes, key - 1);
  if (bytes[start] !== OPEN_BRACE) return null;
  const comma = skipSpaceBack(bytes, start - 1);
  if (bytes[comma] !== COMMA) return null;
  const last = skipSpaceBack(bytes, comma - 1);
  return bytes[last] === CLOSE_BRACE ? { end: last + 1, start } : null;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(bytes: Buffer, position: number): number {
  let at = position;
  while (isSpace(bytes[at])) at++;
  return at;
}

function skipSpaceBack(bytes: Buffer, position: number): number {
  let at = position;
  while (isSpace(bytes[at])) at--;
  return at;
}

/** The position behind the string whose quote is at `position`. */
function skipString(bytes: Buffer, position: number): number {
  let at = position + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** The position behind the value at `position`, or one beyond `limit`. */
function skipValue(bytes: Buffer, position: number, limit: number): number {
  let depth = 0;
  let at = position;
  while (at < limit) {
    const byte = bytes[at];
    if (byte === QUOTE) at = skipString(bytes, at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      at++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
      at++;
    } else if (byte === COMMA && depth === 0) return at;
    else at++;
    if (depth === 0 && (byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === QUOTE)) return at;
  }
  return at;
}
