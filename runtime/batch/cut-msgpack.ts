/**
 * Where to cut a msgpack request. `resources` is found by walking over the fields before it, the fields behind it by their
 * names near the end, and the places between entries by how a map of two with the key of an entry looks.
 */
import { type Cut, divide, OTHER_FIELDS, REACH } from "./slices.ts";
import { readLength, skipValues } from "./msgpack-walk.ts";

/** A map of two fields, and the name of the first one. */
const ENTRY_STARTS: readonly string[] = ["\u0082\u00a7actions", "\u0082\u00a8resource"];

const RESOURCES = "\u00a9resources";

export function cutMsgpack(bytes: Buffer, parts: number): Cut | null {
  const limit = Math.min(bytes.length, REACH);
  const root = header(bytes, 0, 0x80, 0xde);
  if (root === null) return null;
  let at = root.end;
  for (let left = root.count - 1; left >= 0; left--) {
    const isResources = bytes.toString("latin1", at, at + RESOURCES.length) === RESOURCES;
    at = skipValues(bytes, at, 1, limit);
    if (at < 0) return null;
    if (isResources) return cutEntries(bytes, at, left, parts);
    at = skipValues(bytes, at, 1, limit);
    if (at < 0) return null;
  }
  return null;
}

/** Cuts the array at `position`, behind which `fieldsAfter` fields follow. */
function cutEntries(bytes: Buffer, position: number, fieldsAfter: number, parts: number): Cut | null {
  const array = header(bytes, position, 0x90, 0xdc);
  if (array === null) return null;
  const to = fieldsAfter === 0 ? bytes.length : findTail(bytes, array.end, fieldsAfter);
  if (to < 0) return null;
  const slices = divide(array.end, to, parts, (wanted, limit) => nextEntry(bytes, wanted, limit));
  return { headEnd: position, tailStart: to, slices, entries: array.count };
}

/** Where the last `fields` fields start; -1 when that cannot be told. */
function findTail(bytes: Buffer, from: number, fields: number): number {
  const window = Math.max(from, bytes.length - REACH);
  for (const name of OTHER_FIELDS) {
    const key = String.fromCharCode(0xa0 + name.length) + name;
    const at = bytes.lastIndexOf(key, undefined, "latin1");
    if (at >= window && skipValues(bytes, at, fields * 2, bytes.length) === bytes.length) return at;
  }
  return -1;
}

function nextEntry(bytes: Buffer, position: number, limit: number): { end: number; start: number } | null {
  const window = bytes.subarray(position, limit);
  const places = ENTRY_STARTS.map((start) => window.indexOf(start, 0, "latin1")).filter((at) => at >= 0);
  if (places.length === 0) return null;
  const at = position + Math.min(...places);
  return { end: at, start: at };
}

/** The number of items in the container at `at`, whose header is `fixed` + n, or `sized` or `sized` + 1 and a length. */
function header(
  bytes: Buffer,
  at: number,
  fixed: number,
  sized: number,
): { readonly count: number; readonly end: number } | null {
  const byte = bytes[at] ?? 0;
  if (byte >> 4 === fixed >> 4) return { count: byte & 15, end: at + 1 };
  if (byte !== sized && byte !== sized + 1) return null;
  const width = byte === sized ? 2 : 4;
  return { count: readLength(bytes, at + 1, width), end: at + 1 + width };
}
