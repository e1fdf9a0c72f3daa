/**
 * The rules a decoded request must keep before it is decided (COMPAT.md 10.2): what must be there, what must be
 * unique, and the patterns of versions and scopes. The first broken rule stops; the host words the message.
 */
import {
  CONTROL_BASE,
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  INVALID_ACTION_EMPTY,
  INVALID_ACTION_REPEATED,
  INVALID_AUX_DATA_BOTH,
  INVALID_AUX_DATA_TOKEN,
  INVALID_NO_ACTIONS,
  INVALID_NO_RESOURCES,
  INVALID_NO_ROLES,
  INVALID_PRINCIPAL_ID,
  INVALID_PRINCIPAL_SCOPE,
  INVALID_PRINCIPAL_VERSION,
  INVALID_RESOURCE_ID,
  INVALID_RESOURCE_KIND,
  INVALID_RESOURCE_SCOPE,
  INVALID_RESOURCE_VERSION,
  INVALID_ROLE_EMPTY,
  INVALID_ROLE_REPEATED,
  STATUS_INVALID_REQUEST,
  STATUS_MEMORY,
  STATUS_OK,
} from "../abi";
import { mark, rewind } from "../memory/arena";
import { equalBytes } from "../memory/bytes";
import { hasBothKinds, lacksToken } from "./aux-data";
import { hasPassed, KNOWN_FIELDS, notePassed } from "./known-prefixes";
import { addMember, MEMBER_NEW, MEMBER_REPEATED, newRun } from "./key-set";
import {
  principalId,
  principalNumber,
  principalScope,
  principalVersion,
  RESOURCE_ACTION_COUNT,
  RESOURCE_ACTIONS,
  RESOURCE_ID,
  RESOURCE_KIND,
  RESOURCE_KNOWN,
  RESOURCE_REPEATS,
  RESOURCE_SCOPE,
  RESOURCE_SIZE,
  RESOURCE_VERSION,
  resourceCount,
  resources,
  roleCount,
  roles,
  standTogether,
  STRING_SIZE,
  stringLength,
  stringStart,
} from "./request";

/** Lists up to this length are compared pair by pair, without the arena. */
const FEW: u32 = 6;

const UNDERSCORE: u8 = 0x5f;
const DASH: u8 = 0x2d;
const DOT: u8 = 0x2e;

/**
 * STATUS_OK, or STATUS_INVALID_REQUEST with the broken rule (INVALID_*) in CONTROL_ERROR_DETAIL and the index of
 * the resource in CONTROL_ERROR_OFFSET (0 for rules on the rest), or STATUS_MEMORY.
 */
export function validateRequest(): i32 {
  const rule = checkPrincipal();
  if (rule != 0) return report(rule, 0);
  if (resourceCount == 0) return report(INVALID_NO_RESOURCES, 0);
  let record = resources;
  for (let index: u32 = 0; index < resourceCount; index++) {
    const broken = checkResource(record);
    if (broken != 0) return report(broken, index);
    record += RESOURCE_SIZE;
  }
  if (hasBothKinds()) return report(INVALID_AUX_DATA_BOTH, 0);
  if (lacksToken()) return report(INVALID_AUX_DATA_TOKEN, 0);
  return STATUS_OK;
}

/** Stands for "the arena is full" among the rule codes. */
const NO_ROOM: u32 = 0xffff_ffff;

function report(rule: u32, resource: u32): i32 {
  if (rule == NO_ROOM) return STATUS_MEMORY;
  store<u32>(CONTROL_BASE + CONTROL_ERROR_OFFSET, resource);
  store<u32>(CONTROL_BASE + CONTROL_ERROR_DETAIL, rule);
  return STATUS_INVALID_REQUEST;
}

/** The number of the last principal that broke no rule. */
let passedNumber: u64 = 0;

/** The broken rule, or 0. */
function checkPrincipal(): u32 {
  // Requests that are read together mostly have the same one.
  if (principalNumber == passedNumber) return 0;
  passedNumber = 0;
  if (stringLength(principalId) == 0) return INVALID_PRINCIPAL_ID;
  if (!isVersion(principalVersion)) return INVALID_PRINCIPAL_VERSION;
  if (roleCount == 0) return INVALID_NO_ROLES;
  const names = checkNames(roles, roleCount);
  if (names != NAMES_FINE) {
    return names == NAMES_EMPTY
      ? INVALID_ROLE_EMPTY
      : names == NAMES_REPEATED
        ? INVALID_ROLE_REPEATED
        : NO_ROOM;
  }
  if (!isScope(principalScope)) return INVALID_PRINCIPAL_SCOPE;
  passedNumber = principalNumber;
  return 0;
}

/** The broken rule, or 0. */
function checkResource(record: usize): u32 {
  if (record != resources && standTogether(record, record - RESOURCE_SIZE)) {
    store<u32>(record, 1, RESOURCE_REPEATS);
    return stringLength(record + RESOURCE_ID) == 0 ? INVALID_RESOURCE_ID : 0;
  }
  const known: usize = load<u32>(record, RESOURCE_KNOWN);
  if (known == 0) return checkFields(record);
  if (!standTogether(record, known + KNOWN_FIELDS)) {
    // What came behind the prefix said more than id and attributes.
    store<u32>(record, 0, RESOURCE_KNOWN);
    return checkFields(record);
  }
  if (hasPassed(known)) return stringLength(record + RESOURCE_ID) == 0 ? INVALID_RESOURCE_ID : 0;
  const broken = checkFields(record);
  if (broken == 0) notePassed(known);
  return broken;
}

/** The broken rule, or 0, of a resource of which nothing is known. */
function checkFields(record: usize): u32 {
  const count = load<u32>(record, RESOURCE_ACTION_COUNT);
  if (count == 0) return INVALID_NO_ACTIONS;
  const names = checkNames(load<u32>(record, RESOURCE_ACTIONS), count);
  if (names != NAMES_FINE) {
    return names == NAMES_EMPTY
      ? INVALID_ACTION_EMPTY
      : names == NAMES_REPEATED
        ? INVALID_ACTION_REPEATED
        : NO_ROOM;
  }
  if (stringLength(record + RESOURCE_KIND) == 0) return INVALID_RESOURCE_KIND;
  if (!isVersion(record + RESOURCE_VERSION)) return INVALID_RESOURCE_VERSION;
  if (stringLength(record + RESOURCE_ID) == 0) return INVALID_RESOURCE_ID;
  return isScope(record + RESOURCE_SCOPE) ? 0 : INVALID_RESOURCE_SCOPE;
}

const NAMES_FINE: i32 = 0;
const NAMES_EMPTY: i32 = 1;
const NAMES_REPEATED: i32 = 2;
const NAMES_NO_ROOM: i32 = 3;

/** Whether the strings of a list are non-empty and different, and there is room to find out. */
export function areNames(records: usize, count: u32): bool {
  return checkNames(records, count) == NAMES_FINE;
}

/** Whether the strings of a list are non-empty and different. */
function checkNames(records: usize, count: u32): i32 {
  const end = records + <usize>count * STRING_SIZE;
  for (let record = records; record < end; record += STRING_SIZE) {
    if (stringLength(record) == 0) return NAMES_EMPTY;
  }
  return count <= FEW ? compareFew(records, end) : compareMany(records, end);
}

function compareFew(records: usize, end: usize): i32 {
  for (let record = records + STRING_SIZE; record < end; record += STRING_SIZE) {
    const length = stringLength(record);
    const start = stringStart(record);
    for (let other = records; other < record; other += STRING_SIZE) {
      if (stringLength(other) == length && equalBytes(stringStart(other), start, length))
        return NAMES_REPEATED;
    }
  }
  return NAMES_FINE;
}

function compareMany(records: usize, end: usize): i32 {
  const before = mark();
  const names = newRun();
  if (names == 0) return NAMES_NO_ROOM;
  for (let record = records; record < end; record += STRING_SIZE) {
    const added = addMember(names, stringStart(record), stringLength(record));
    if (added != MEMBER_NEW) return added == MEMBER_REPEATED ? NAMES_REPEATED : NAMES_NO_ROOM;
  }
  rewind(before);
  return NAMES_FINE;
}

/** Texts up to this length are classified as one vector. */
const VECTOR: u32 = 16;

/** version: `[0-9A-Za-z_]*` */
export function isVersion(record: usize): bool {
  const length = stringLength(record);
  if (length == 0) return true;
  const start = stringStart(record);
  if (length > VECTOR) return isLongVersion(start, start + length);
  return (words(start) | ~((1 << length) - 1)) == 0xffff_ffff;
}

function isLongVersion(start: usize, end: usize): bool {
  for (let at = start; at < end; at++) {
    if (!isWord(load<u8>(at))) return false;
  }
  return true;
}

/** scope: empty | `.` | alphanumeric {word | `-`} {`.` word {word | `-`}} */
export function isScope(record: usize): bool {
  const length = stringLength(record);
  if (length == 0) return true;
  const start = stringStart(record);
  const first = load<u8>(start);
  if (first == DOT) return length == 1;
  if (!isWord(first) || first == UNDERSCORE) return false;
  if (length > VECTOR) return isLongScope(start, start + length);
  const block = v128.load(start);
  const all: u32 = (1 << length) - 1;
  const word = words(start) & all;
  const dots = <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(DOT))) & all;
  const dashes = <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(DASH))) & all;
  // Every byte is of one of the three kinds, and what follows a dot (the end does for the last byte) is a word byte.
  return (word | dots | dashes) == all && ((dots << 1) & ~word) == 0;
}

/** The same from the second byte on, byte by byte. */
function isLongScope(start: usize, end: usize): bool {
  let segmentStart = false;
  for (let at = start + 1; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == DOT) {
      if (segmentStart) return false;
      segmentStart = true;
    } else {
      if (!isWord(byte) && (segmentStart || byte != DASH)) return false;
      segmentStart = false;
    }
  }
  return !segmentStart;
}

function isWord(byte: u8): bool {
  const letter = (<u32>byte | 0x20) - 0x61;
  return letter < 26 || <u32>byte - 0x30 < 10 || byte == UNDERSCORE;
}

/** Which of the 16 bytes at `start` are word bytes. */
function words(start: usize): u32 {
  const block = v128.load(start);
  const lower = i8x16.sub(v128.or(block, i8x16.splat(0x20)), i8x16.splat(0x61));
  const digit = i8x16.sub(block, i8x16.splat(0x30));
  const letters = i8x16.lt_u(lower, i8x16.splat(26));
  const digits = i8x16.lt_u(digit, i8x16.splat(10));
  const scores = i8x16.eq(block, i8x16.splat(UNDERSCORE));
  return i8x16.bitmask(v128.or(v128.or(letters, digits), scores));
}
