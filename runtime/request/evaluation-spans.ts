/**
 * Where the list `evaluations` of an AuthZEN body stands and where its items do, without decoding them. For bodies that the guest has
 * found well-formed; any other gives null or nonsense, never an endless walk.
 */
import { readLength, skipValues } from "../batch/msgpack-walk.ts";

/** Bytes from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface EvaluationSpans {
  /** The whole list. */
  readonly list: Span;
  readonly items: readonly Span[];
}

const NAME = "evaluations";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The spans of a JSON body; null when it has no such list. */
export function spansOfJson(bytes: Uint8Array): EvaluationSpans | null {
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_OBJECT) return null;
  at = skipSpace(bytes, at + 1);
  while (bytes[at] === QUOTE) {
    const keyEnd = stringEnd(bytes, at);
    const key = bytes.subarray(at, keyEnd);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) return null;
    const start = skipSpace(bytes, at + 1);
    if (isName(key)) return bytes[start] === OPEN_LIST ? itemsOfJson(bytes, start) : null;
    at = skipSpace(bytes, valueEnd(bytes, start));
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1);
  }
  return null;
}

function itemsOfJson(bytes: Uint8Array, start: number): EvaluationSpans | null {
  const items: Span[] = [];
  let at = skipSpace(bytes, start + 1);
  while (at < bytes.length && bytes[at] !== CLOSE_LIST) {
    const end = valueEnd(bytes, at);
    items.push({ start: at, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
    else if (bytes[at] !== CLOSE_LIST) return null;
  }
  return at < bytes.length ? { list: { start, end: at + 1 }, items } : null;
}

/** Keys may be written with escapes. */
function isName(key: Uint8Array): boolean {
  try {
    return JSON.parse(new TextDecoder().decode(key)) === NAME;
  } catch {
    return false;
  }
}

/** First byte behind the value that starts at `start`; always beyond it. */
function valueEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = stringEnd(bytes, at);
    else {
      at++;
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--;
      else if (depth === 0 && !isScalarEnd(bytes[at])) continue;
    }
    if (depth <= 0) return at;
  }
  return Math.max(at, start + 1);
}

/** Whether a number or a word ends before `byte`. */
function isScalarEnd(byte: number | undefined): boolean {
  return byte === undefined || byte <= 0x20 || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT;
}

function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, bytes.length);
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** The spans of a msgpack body; null when it has no such list. */
export function spansOfMsgpack(bytes: Uint8Array): EvaluationSpans | null {
  const map = header(bytes, 0, 0x80, 0xde);
  if (map === null) return null;
  let at = map.next;
  for (let pair = 0; pair < map.count; pair++) {
    const key = at;
    const start = skipValues(bytes, key, 1, bytes.length);
    if (start < 0) return null;
    if (isMsgpackName(bytes, key, start)) return itemsOfMsgpack(bytes, start);
    at = skipValues(bytes, start, 1, bytes.length);
    if (at < 0) return null;
  }
  return null;
}

/** Whether the key from `start` to `end` is the name, behind a header of any width. */
function isMsgpackName(bytes: Uint8Array, start: number, end: number): boolean {
  const text = end - NAME.length;
  return (
    text > start &&
    new TextDecoder().decode(bytes.subarray(text, end)) === NAME &&
    textStart(bytes, start) === text
  );
}

/** Where the text of a string begins. */
function textStart(bytes: Uint8Array, start: number): number {
  const byte = bytes[start] ?? 0;
  if (byte >= 0xa0 && byte < 0xc0) return start + 1;
  return byte >= 0xd9 && byte <= 0xdb ? start + 1 + 2 ** (byte - 0xd9) : -1;
}

function itemsOfMsgpack(bytes: Uint8Array, start: number): EvaluationSpans | null {
  const list = header(bytes, start, 0x90, 0xdc);
  if (list === null) return null;
  const items: Span[] = [];
  let at = list.next;
  for (let index = 0; index < list.count; index++) {
    const end = skipValues(bytes, at, 1, bytes.length);
    if (end < 0) return null;
    items.push({ start: at, end });
    at = end;
  }
  return { list: { start, end: at }, items };
}

/** The count in the header of a map or an array: `fix` is its short form, `wide` that with two bytes, behind which comes that with four. */
function header(
  bytes: Uint8Array,
  at: number,
  fix: number,
  wide: number,
): { readonly count: number; readonly next: number } | null {
  const byte = bytes[at] ?? 0;
  if ((byte & 0xf0) === fix) return { count: byte & 15, next: at + 1 };
  if (byte === wide) return { count: readLength(bytes, at + 1, 2), next: at + 3 };
  return byte === wide + 1 ? { count: readLength(bytes, at + 1, 4), next: at + 5 } : null;
}
