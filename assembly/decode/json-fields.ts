/**
 * Field names of the request messages (COMPAT.md 10.2), camelCase and snake_case, matched in place: one or two
 * overlapping 8-byte loads per candidate, closing quote included, so a match also proves that the name ends here
 * and holds no escape. Names written with escapes are unescaped first (`matchEscaped`).
 *
 * A match is FIELD << 8 | bytes up to and including the closing quote; 0 is no match.
 */
import { STATUS_UNKNOWN_FIELD } from "../abi";
import { refuse } from "./failure";
import { hasEscapes, scanString, unescape } from "./json-string";

export const MESSAGE_REQUEST: i32 = 0;
export const MESSAGE_PRINCIPAL: i32 = 1;
export const MESSAGE_ENTRY: i32 = 2;
export const MESSAGE_RESOURCE: i32 = 3;
export const MESSAGE_AUX_DATA: i32 = 4;
export const MESSAGE_JWT: i32 = 5;
export const MESSAGE_CONTEXT: i32 = 6;

export const FIELD_REQUEST_ID: u32 = 1;
export const FIELD_INCLUDE_META: u32 = 2;
export const FIELD_PRINCIPAL: u32 = 3;
export const FIELD_RESOURCES: u32 = 4;
export const FIELD_AUX_DATA: u32 = 5;
export const FIELD_CONTEXT: u32 = 6;
export const FIELD_ID: u32 = 7;
export const FIELD_VERSION: u32 = 8;
export const FIELD_ROLES: u32 = 9;
export const FIELD_ATTR: u32 = 10;
export const FIELD_SCOPE: u32 = 11;
export const FIELD_KIND: u32 = 12;
export const FIELD_ACTIONS: u32 = 13;
export const FIELD_RESOURCE: u32 = 14;
export const FIELD_JWT: u32 = 15;
export const FIELD_JWTS: u32 = 16;
export const FIELD_TOKEN: u32 = 17;
export const FIELD_KEY_SET_ID: u32 = 18;
export const FIELD_ANNOTATIONS: u32 = 19;

const MASK_3: u64 = 0xff_ffff;
const MASK_4: u64 = 0xffff_ffff;
const MASK_5: u64 = 0xff_ffff_ffff;
const MASK_6: u64 = 0xffff_ffff_ffff;

/**
 * Matches of the frequent names that take two loads (resource, policyVersion, policy_version). They come from memory
 * because a constant would become a conditional move, and the next cursor would wait for the comparison.
 */
const MATCHES = memory.data<u32>([(14 << 8) | 9, (8 << 8) | 14, (8 << 8) | 15]);

/** The byte after the closing quote of the key that `matchEscaped` accepted. */
export let escapedKeyEnd: usize = 0;

/** The tables of the messages that every request has, expanded where they are used. */
export class Field {
  /** The request message. */
  @inline static request(at: usize): u32 {
    const head = load<u64>(at);
    // principal"
    if (head == 0x6170_6963_6e69_7270) return load<u16>(at, 8) == 0x226c ? (FIELD_PRINCIPAL << 8) | 10 : 0;
    // resources"
    if (head == 0x6563_7275_6f73_6572) return load<u16>(at, 8) == 0x2273 ? (FIELD_RESOURCES << 8) | 10 : 0;
    // requestId"
    if (head == 0x4974_7365_7571_6572) return load<u16>(at, 8) == 0x2264 ? (FIELD_REQUEST_ID << 8) | 10 : 0;
    // includeMeta"
    if (head == 0x4d65_6475_6c63_6e69)
      return load<u32>(at, 8) == 0x2261_7465 ? (FIELD_INCLUDE_META << 8) | 12 : 0;
    // auxData"
    if (head == 0x2261_7461_4478_7561) return (FIELD_AUX_DATA << 8) | 8;
    // aux_data"
    if (head == 0x6174_6164_5f78_7561) return load<u8>(at, 8) == 0x22 ? (FIELD_AUX_DATA << 8) | 9 : 0;
    // request_id" and request_context"
    if (head == 0x5f74_7365_7571_6572) {
      if (load<u64>(at, 3) == 0x2264_695f_7473_6575) return (FIELD_REQUEST_ID << 8) | 11;
      return load<u64>(at, 8) == 0x2274_7865_746e_6f63 ? (FIELD_CONTEXT << 8) | 16 : 0;
    }
    // include_meta"
    if (head == 0x5f65_6475_6c63_6e69) {
      return load<u64>(at, 5) == 0x2261_7465_6d5f_6564 ? (FIELD_INCLUDE_META << 8) | 13 : 0;
    }
    // requestContext"
    if (head == 0x4374_7365_7571_6572) {
      return load<u64>(at, 7) == 0x2274_7865_746e_6f43 ? (FIELD_CONTEXT << 8) | 15 : 0;
    }
    return 0;
  }

  /** The principal message. */
  @inline static principal(at: usize): u32 {
    // roles"
    if ((load<u64>(at) & MASK_6) == 0x2273_656c_6f72) return (FIELD_ROLES << 8) | 6;
    return Field.shared(at);
  }

  /** An entry of `resources`. */
  @inline static entry(at: usize): u32 {
    const head = load<u64>(at);
    // actions"
    if (head == 0x2273_6e6f_6974_6361) return (FIELD_ACTIONS << 8) | 8;
    // resource"
    if (head == 0x6563_7275_6f73_6572 && load<u8>(at, 8) == 0x22) return load<u32>(MATCHES);
    return 0;
  }

  /** Whether `"id"` stands at `at`. */
  @inline static isId(at: usize): bool {
    return load<u32>(at) == 0x2264_6922;
  }

  /** Whether `"attr":{` stands at `at`. */
  @inline static isAttrObject(at: usize): bool {
    return load<u64>(at) == 0x7b3a_2272_7474_6122;
  }

  /** The resource message. */
  @inline static resource(at: usize): u32 {
    // kind"
    if ((load<u64>(at) & MASK_5) == 0x22_646e_696b) return (FIELD_KIND << 8) | 5;
    return Field.shared(at);
  }

  /** What principals and resources have in common. */
  @inline static shared(at: usize): u32 {
    const head = load<u64>(at);
    // id"
    if ((head & MASK_3) == 0x22_6469) return (FIELD_ID << 8) | 3;
    // attr"
    if ((head & MASK_5) == 0x22_7274_7461) return (FIELD_ATTR << 8) | 5;
    // scope"
    if ((head & MASK_6) == 0x2265_706f_6373) return (FIELD_SCOPE << 8) | 6;
    // policyVersion"
    if (head == 0x6556_7963_696c_6f70 && load<u64>(at, 6) == 0x226e_6f69_7372_6556)
      return load<u32>(MATCHES, 4);
    // policy_version"
    if (head == 0x765f_7963_696c_6f70 && load<u64>(at, 7) == 0x226e_6f69_7372_6576)
      return load<u32>(MATCHES, 8);
    return 0;
  }
}

/** The auxData message. */
export function auxDataField(at: usize): u32 {
  const head = load<u64>(at);
  // jwt"
  if ((head & MASK_4) == 0x2274_776a) return (FIELD_JWT << 8) | 4;
  // jwts"
  return (head & MASK_5) == 0x22_7374_776a ? (FIELD_JWTS << 8) | 5 : 0;
}

/** A token of auxData. */
export function jwtField(at: usize): u32 {
  const head = load<u64>(at);
  // token"
  if ((head & MASK_6) == 0x226e_656b_6f74) return (FIELD_TOKEN << 8) | 6;
  // keySetId"
  if (head == 0x6449_7465_5379_656b) return load<u8>(at, 8) == 0x22 ? (FIELD_KEY_SET_ID << 8) | 9 : 0;
  // key_set_id"
  if (head == 0x5f74_6573_5f79_656b) {
    return load<u64>(at, 3) == 0x2264_695f_7465_735f ? (FIELD_KEY_SET_ID << 8) | 11 : 0;
  }
  return 0;
}

/** The requestContext message. */
export function contextField(at: usize): u32 {
  // annotations"
  if (load<u64>(at) != 0x6974_6174_6f6e_6e61) return 0;
  return load<u64>(at, 4) == 0x2273_6e6f_6974_6174 ? (FIELD_ANNOTATIONS << 8) | 12 : 0;
}

/** A field of any message, by its text followed by a quote. */
export function fieldOf(message: i32, at: usize): u32 {
  switch (message) {
    case MESSAGE_REQUEST:
      return Field.request(at);
    case MESSAGE_PRINCIPAL:
      return Field.principal(at);
    case MESSAGE_ENTRY:
      return Field.entry(at);
    case MESSAGE_RESOURCE:
      return Field.resource(at);
    case MESSAGE_AUX_DATA:
      return auxDataField(at);
    case MESSAGE_JWT:
      return jwtField(at);
    default:
      return contextField(at);
  }
}

/**
 * The match of a key that is not a plain field name: one with escapes, or an unknown one, which is refused
 * (answer 0). The byte after the key is left in `escapedKeyEnd`.
 */
export function matchEscaped(message: i32, at: usize): u32 {
  const scanned = scanString(at);
  if (scanned == 0) return 0;
  const end = <usize>(<u32>scanned);
  if (hasEscapes(scanned)) {
    const cell = unescape(at, end);
    if (cell == 0) return 0;
    const match = fieldOf(message, load<u32>(cell));
    // The text may hold a quote of its own, so the lengths have to agree as well.
    if (match != 0 && (match & 0xff) == load<u32>(cell, 4) + 1) {
      escapedKeyEnd = end + 1;
      return match;
    }
  }
  return <u32>refuse(STATUS_UNKNOWN_FIELD, at - 1);
}
