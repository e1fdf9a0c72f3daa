/**
 * Field names of AuthZEN bodies, matched in place as json-fields.ts does: in JSON the name and the quote after it, in msgpack
 * a fixstr header and the name. A match is FIELD << 8 | bytes matched; 0 is no match. Fields without a meaning are
 * ignored (Authorization API 1.0, section 10.1.1), but no field may come twice.
 */
import { STATUS_DUPLICATE_KEY } from "../abi";
import { refuse } from "./failure";
import { COLON, QUOTE, Scan } from "./json-scan";
import { refuseMember } from "./json-skip";
import { hasEscapes, scanString, unescape } from "./json-string";
import { addMember, MEMBER_NEW, MEMBER_NO_ROOM, newRun } from "./key-set";
import { atValue, bodyEnd, readString, textLength, textStart } from "./msgpack-scan";

export const LEVEL_BODY: i32 = 0;
export const LEVEL_ENTITY: i32 = 1;
export const LEVEL_ACTION: i32 = 2;
export const LEVEL_OPTIONS: i32 = 3;

/** A field that means nothing here. */
export const FIELD_OTHER: u32 = 0;
export const FIELD_SUBJECT: u32 = 1;
export const FIELD_ACTION: u32 = 2;
export const FIELD_RESOURCE: u32 = 3;
export const FIELD_CONTEXT: u32 = 4;
export const FIELD_EVALUATIONS: u32 = 5;
export const FIELD_OPTIONS: u32 = 6;
export const FIELD_TYPE: u32 = 7;
export const FIELD_ID: u32 = 8;
export const FIELD_PROPERTIES: u32 = 9;
export const FIELD_NAME: u32 = 10;
export const FIELD_SEMANTIC: u32 = 11;

const MASK_3: u64 = 0xff_ffff;
const MASK_5: u64 = 0xff_ffff_ffff;
const MASK_6: u64 = 0xffff_ffff_ffff;
const MASK_7: u64 = 0xff_ffff_ffff_ffff;

/** Where a msgpack key stands with a quote after it. */
const keyText = memory.data(32, 16);
/** Longest name that has a meaning, with its quote. */
const LONGEST: u32 = 21;

/** Expanded where they are used. */
export class AuthzenField {
  /** The body, and an evaluation of a batch. */
  @inline static body(at: usize): u32 {
    const head = load<u64>(at);
    // subject"
    if (head == 0x2274_6365_6a62_7573) return (FIELD_SUBJECT << 8) | 8;
    // resource"
    if (head == 0x6563_7275_6f73_6572) return load<u8>(at, 8) == 0x22 ? (FIELD_RESOURCE << 8) | 9 : 0;
    // action"
    if ((head & MASK_7) == 0x22_6e6f_6974_6361) return (FIELD_ACTION << 8) | 7;
    // context"
    if (head == 0x2274_7865_746e_6f63) return (FIELD_CONTEXT << 8) | 8;
    // evaluations"
    if (head == 0x6974_6175_6c61_7665)
      return load<u32>(at, 8) == 0x2273_6e6f ? (FIELD_EVALUATIONS << 8) | 12 : 0;
    // options"
    return head == 0x2273_6e6f_6974_706f ? (FIELD_OPTIONS << 8) | 8 : 0;
  }

  /** A subject or a resource. */
  @inline static entity(at: usize): u32 {
    const head = load<u64>(at);
    // id"
    if ((head & MASK_3) == 0x22_6469) return (FIELD_ID << 8) | 3;
    // type"
    if ((head & MASK_5) == 0x22_6570_7974) return (FIELD_TYPE << 8) | 5;
    return AuthzenField.properties(at);
  }

  /** Whether `"id":"` stands at `at`. */
  @inline static isIdText(at: usize): bool {
    return (load<u64>(at) & MASK_6) == 0x223a_2264_6922;
  }

  /** Whether `"properties":{` stands at `at`. */
  @inline static isPropertiesObject(at: usize): bool {
    return load<u64>(at) == 0x7472_6570_6f72_7022 && load<u64>(at, 6) == 0x7b3a_2273_6569_7472;
  }

  @inline static action(at: usize): u32 {
    // name"
    if ((load<u64>(at) & MASK_5) == 0x22_656d_616e) return (FIELD_NAME << 8) | 5;
    return AuthzenField.properties(at);
  }

  @inline static properties(at: usize): u32 {
    // properties"
    if (load<u64>(at) != 0x6974_7265_706f_7270) return 0;
    return load<u64>(at, 3) == 0x2273_6569_7472_6570 ? (FIELD_PROPERTIES << 8) | 11 : 0;
  }

  @inline static packedBody(at: usize): u32 {
    const head = load<u64>(at);
    // subject
    if (head == 0x7463_656a_6275_73a7) return (FIELD_SUBJECT << 8) | 8;
    // resource
    if (head == 0x6372_756f_7365_72a8) return load<u8>(at, 8) == 0x65 ? (FIELD_RESOURCE << 8) | 9 : 0;
    // action
    if ((head & MASK_7) == 0x6e_6f69_7463_61a6) return (FIELD_ACTION << 8) | 7;
    // context
    if (head == 0x7478_6574_6e6f_63a7) return (FIELD_CONTEXT << 8) | 8;
    // evaluations
    if (head == 0x7461_756c_6176_65ab)
      return load<u32>(at, 8) == 0x736e_6f69 ? (FIELD_EVALUATIONS << 8) | 12 : 0;
    // options
    return head == 0x736e_6f69_7470_6fa7 ? (FIELD_OPTIONS << 8) | 8 : 0;
  }

  @inline static packedEntity(at: usize): u32 {
    const head = load<u64>(at);
    // id
    if ((head & MASK_3) == 0x64_69a2) return (FIELD_ID << 8) | 3;
    // type
    if ((head & MASK_5) == 0x65_7079_74a4) return (FIELD_TYPE << 8) | 5;
    return AuthzenField.packedProperties(at);
  }

  @inline static packedAction(at: usize): u32 {
    // name
    if ((load<u64>(at) & MASK_5) == 0x65_6d61_6ea4) return (FIELD_NAME << 8) | 5;
    return AuthzenField.packedProperties(at);
  }

  @inline static packedProperties(at: usize): u32 {
    // properties
    if (load<u64>(at) != 0x7472_6570_6f72_70aa) return 0;
    return load<u64>(at, 3) == 0x7365_6974_7265_706f ? (FIELD_PROPERTIES << 8) | 11 : 0;
  }
}

/** The options of a batch: evaluations_semantic" or evaluationsSemantic". */
function optionsField(at: usize): u32 {
  if (load<u64>(at) != 0x6974_6175_6c61_7665) return 0;
  if (load<u64>(at, 13) == 0x2263_6974_6e61_6d65 && load<u64>(at, 5) == 0x735f_736e_6f69_7461)
    return (FIELD_SEMANTIC << 8) | 21;
  if (load<u64>(at, 12) == 0x2263_6974_6e61_6d65 && load<u64>(at, 5) == 0x6553_736e_6f69_7461)
    return (FIELD_SEMANTIC << 8) | 20;
  return 0;
}

function fieldOf(level: i32, at: usize): u32 {
  if (level == LEVEL_BODY) return AuthzenField.body(at);
  if (level == LEVEL_ENTITY) return AuthzenField.entity(at);
  return level == LEVEL_ACTION ? AuthzenField.action(at) : optionsField(at);
}

/** The field that `enterOther` and `enterOtherPacked` entered, and the names without a meaning that its object has had (0 for none). */
let otherField: u32 = FIELD_OTHER;
let otherNames: usize = 0;

/** Entering a field of an object whose fields `seen` (a bit each) and `others` (names without a meaning) were before. Expanded where it is used. */
export class Member {
  /** From the quote of a key to its value, 0 when it is refused; `match` is what the level's table says of the key. */
  @inline static enter(level: i32, match: u32, at: usize, seen: u32, others: usize): usize {
    const colon = at + 1 + <usize>(match & 0xff);
    if (match != 0 && load<u8>(colon) == COLON && ((seen >> (match >> 8)) & 1) == 0)
      return Scan.space(colon + 1);
    return enterOther(level, at, seen, others);
  }

  /** The same in msgpack, from the header of a key to that of its value, which is there. */
  @inline static enterPacked(level: i32, match: u32, at: usize, seen: u32, others: usize): usize {
    const value = at + <usize>(match & 0xff);
    if (match != 0 && value < bodyEnd && ((seen >> (match >> 8)) & 1) == 0) return value;
    return enterOtherPacked(level, at, seen, others);
  }

  /** The field entered, when the table's answer was `match`. */
  @inline static entered(match: u32): u32 {
    return match != 0 ? match >> 8 : otherField;
  }

  /** `others` with the field entered. */
  @inline static others(match: u32, others: usize): usize {
    return match != 0 ? others : otherNames;
  }
}

/** Enters a field that no table knew at sight. */
function enterOther(level: i32, at: usize, seen: u32, others: usize): usize {
  const key = at;
  let start = at + 1;
  const scanned = scanString(start);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  let length = <u32>(end - start);
  if (hasEscapes(scanned)) {
    const cell = unescape(start, end);
    if (cell == 0) return 0;
    start = load<u32>(cell);
    length = load<u32>(cell, 4);
  }
  // What follows an unescaped text is a quote as well.
  return take(level, start, start, length, key, seen, others) ? Scan.colon(end + 1) : 0;
}

function enterOtherPacked(level: i32, at: usize, seen: u32, others: usize): usize {
  const end = readString(at);
  if (end == 0) return 0;
  v128.store(keyText, v128.load(textStart));
  v128.store(keyText, v128.load(textStart, 16), 16);
  // A longer name has no meaning, with or without its quote.
  if (textLength < LONGEST) store<u8>(keyText + <usize>textLength, QUOTE);
  return take(level, keyText, textStart, textLength, at, seen, others) && atValue(end) ? end : 0;
}

/** Takes the key of `length` bytes at `start`; the same text stands at `quoted` with a quote behind it. */
function take(
  level: i32,
  quoted: usize,
  start: usize,
  length: u32,
  key: usize,
  seen: u32,
  others: usize,
): bool {
  const match = fieldOf(level, quoted);
  otherNames = others;
  // The text may hold a quote of its own, so the lengths have to agree as well.
  if (match != 0 && (match & 0xff) == length + 1) {
    otherField = match >> 8;
    if (((seen >> otherField) & 1) == 0) return true;
    refuse(STATUS_DUPLICATE_KEY, key);
    return false;
  }
  otherField = FIELD_OTHER;
  if (otherNames == 0) otherNames = newRun();
  const added = otherNames == 0 ? MEMBER_NO_ROOM : addMember(otherNames, start, length);
  if (added == MEMBER_NEW) return true;
  refuseMember(added, key);
  return false;
}
