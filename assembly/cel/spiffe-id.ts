/**
 * SPIFFE IDs and trust domains as values, and the rules for their text (SPIFFE-ID standard, sections 2.1 to 2.4, without
 * its length limits, as in Cerbos). The CEL functions on them are in spiffe.ts, their equality in equality.ts.
 *
 *   SPIFFE ID      | u32 start | u32 length | u32 end of the trust domain, from start | u32 zero |
 *   trust domain   | u32 start | u32 length |   the name, without the scheme
 *
 * Both cells begin as that of a string. A valid text has one spelling, so IDs are equal if and only if their texts are.
 */
import { TAG_SPIFFE_ID, TAG_SPIFFE_TRUST_DOMAIN, TAG_STRING } from "../abi";
import { allocate } from "../memory/arena";
import { box, lengthOf, payloadOf, startOf } from "../value/value";

/** Sizes of the cells, for `fits`: a value whose cell did not fit must not be made. */
export const ID_SIZE: usize = 16;
export const DOMAIN_SIZE: usize = 8;

// What is wrong with a text; the words are in `reasonOf`.
export const VALID: i32 = 0;
const EMPTY: i32 = 1;
const BAD_SCHEME: i32 = 2;
const NO_DOMAIN: i32 = 3;
const BAD_DOMAIN_CHARACTER: i32 = 4;
const EMPTY_SEGMENT: i32 = 5;
const DOT_SEGMENT: i32 = 6;
const TRAILING_SLASH: i32 = 7;
const BAD_PATH_CHARACTER: i32 = 8;

/** `spiffe://` */
const SCHEME: usize = memory.data<u8>([0x73, 0x70, 0x69, 0x66, 0x66, 0x65, 0x3a, 0x2f, 0x2f]);
export const SCHEME_LENGTH: u32 = 9;
const SLASH: u32 = 0x2f;
const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;

/** The end of the trust domain, from the start of the text, that the last successful `checkId` found. */
let domainEnd: u32 = 0;

/** Name of the trust domain that the last successful `readDomain` found. */
export let domainStart: usize = 0;
export let domainLength: u32 = 0;

/** Lower-case letters, digits, `.`, `-` and `_`. */
function isDomainByte(byte: u32): bool {
  return byte - 0x61 < 26 || byte - 0x30 < 10 || byte == DOT || byte == 0x2d || byte == 0x5f;
}

function isSegmentByte(byte: u32): bool {
  return isDomainByte(byte) || byte - 0x41 < 26;
}

/** VALID, or what is wrong with a text as a SPIFFE ID. */
function checkId(start: usize, length: u32): i32 {
  if (length == 0) return EMPTY;
  if (length < SCHEME_LENGTH || memory.compare(start, SCHEME, SCHEME_LENGTH) != 0) return BAD_SCHEME;
  let at = SCHEME_LENGTH;
  while (at < length && load<u8>(start + at) != SLASH) {
    if (!isDomainByte(load<u8>(start + at))) return BAD_DOMAIN_CHARACTER;
    at++;
  }
  if (at == SCHEME_LENGTH) return NO_DOMAIN;
  domainEnd = at;
  return checkPath(start + at, start + length);
}

/** VALID, or what is wrong with a path; the empty one is fine, any other begins with a slash. */
function checkPath(start: usize, end: usize): i32 {
  if (start == end) return VALID;
  let segment = start + 1;
  for (let at = segment; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == SLASH) {
      if (at == segment) return EMPTY_SEGMENT;
      if (isDots(segment, at)) return DOT_SEGMENT;
      segment = at + 1;
    } else if (!isSegmentByte(byte)) return BAD_PATH_CHARACTER;
  }
  if (segment == end) return TRAILING_SLASH;
  return isDots(segment, end) ? DOT_SEGMENT : VALID;
}

/** Whether a segment is `.` or `..`. */
function isDots(start: usize, end: usize): bool {
  const length = end - start;
  return load<u8>(start) == DOT && (length == 1 || (length == 2 && load<u8>(start + 1) == DOT));
}

/** VALID, or what is wrong with a text as the name of a trust domain or, if it has a `:/`, as an ID in one. */
export function readDomain(start: usize, length: u32): i32 {
  if (length == 0) return NO_DOMAIN;
  let named = true;
  let problem = VALID;
  for (let at: u32 = 0; at < length && named; at++) {
    const byte = <u32>load<u8>(start + at);
    if (!isDomainByte(byte)) problem = BAD_DOMAIN_CHARACTER;
    if (byte == COLON && at + 1 < length && load<u8>(start + at + 1) == SLASH) named = false;
  }
  if (!named) problem = checkId(start, length);
  if (problem != VALID) return problem;
  domainStart = named ? start : start + SCHEME_LENGTH;
  domainLength = named ? length : domainEnd - SCHEME_LENGTH;
  return VALID;
}

/** What the last `newId` or `newDomain` found wrong. */
export let lastProblem: i32 = VALID;

/** The ID that a text is, or 0 after setting `lastProblem`. The caller burns the fuel and has asked `fits`. */
export function newId(text: u64): u64 {
  lastProblem = checkId(startOf(text), lengthOf(text));
  if (lastProblem != VALID) return 0;
  const cell = allocate(ID_SIZE);
  store<u32>(cell, <u32>startOf(text));
  store<u32>(cell, lengthOf(text), 4);
  store<u32>(cell, domainEnd, 8);
  store<u32>(cell, 0, 12);
  return box(TAG_SPIFFE_ID, cell);
}

/** The trust domain that a text names, or 0 after setting `lastProblem`. The caller burns the fuel and has asked `fits`. */
export function newDomain(text: u64): u64 {
  lastProblem = readDomain(startOf(text), lengthOf(text));
  return lastProblem == VALID ? domainCell(domainStart, domainLength) : 0;
}

function domainCell(start: usize, length: u32): u64 {
  const cell = allocate(DOMAIN_SIZE);
  store<u32>(cell, <u32>start);
  store<u32>(cell, length, 4);
  return box(TAG_SPIFFE_TRUST_DOMAIN, cell);
}

/** Length of scheme and trust domain at the start of an ID's text; the rest is the path. */
export function domainEndOf(id: u64): u32 {
  return load<u32>(payloadOf(id), 8);
}

/** The trust domain of an ID. The caller has asked `fits`. */
export function domainOf(id: u64): u64 {
  return domainCell(startOf(id) + SCHEME_LENGTH, domainEndOf(id) - SCHEME_LENGTH);
}

// -------------------------------------------------------------------------------------------------------------
// Words
// -------------------------------------------------------------------------------------------------------------

/** Bytes of a record: the longest text has 96. */
const REASON_SIZE: usize = 128;

/*
 * Texts by problem, one after the other:   | up to 128 bytes of text, zero-filled |
 * The string cells that point to them:   | u32 start | u32 length |
 */
const reasons: usize = memory.data(1152, 8);
const cells: usize = memory.data(72, 8);
let worded = false;

/** The words for a problem, as a string value. */
export function reasonOf(problem: i32): u64 {
  if (!worded) wordReasons();
  return box(TAG_STRING, cells + ((<usize>problem) << 3));
}

function wordReasons(): void {
  word(EMPTY, "cannot be empty");
  word(BAD_SCHEME, "scheme is missing or invalid");
  word(NO_DOMAIN, "trust domain is missing");
  word(
    BAD_DOMAIN_CHARACTER,
    "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores",
  );
  word(EMPTY_SEGMENT, "path cannot contain empty segments");
  word(DOT_SEGMENT, "path cannot contain dot segments");
  word(TRAILING_SLASH, "path cannot have a trailing slash");
  word(
    BAD_PATH_CHARACTER,
    "path segment characters are limited to letters, numbers, dots, dashes, and underscores",
  );
  worded = true;
}

/** Copies an ASCII literal (UTF-16 in static data) into its record. */
function word(problem: i32, text: string): void {
  const start = reasons + <usize>problem * REASON_SIZE;
  const length = text.length;
  for (let at = 0; at < length; at++) {
    store<u8>(start + at, <u8>load<u16>(changetype<usize>(text) + ((<usize>at) << 1)));
  }
  const cell = cells + ((<usize>problem) << 3);
  store<u32>(cell, <u32>start);
  store<u32>(cell, <u32>length, 4);
}
