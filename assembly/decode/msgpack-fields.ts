/**
 * Field names of the request messages in msgpack, as every encoder writes them: a fixstr header, which holds the
 * length, and the name. One or two overlapping 8-byte loads per candidate, header included; the caller checks that
 * the bytes are inside the body. Names written with longer headers go through json-fields.ts.
 *
 * A match is FIELD << 8 | bytes of header and name; 0 is no match.
 */
import {
  FIELD_ACTIONS,
  FIELD_ATTR,
  FIELD_AUX_DATA,
  FIELD_ID,
  FIELD_INCLUDE_META,
  FIELD_KIND,
  FIELD_PRINCIPAL,
  FIELD_REQUEST_ID,
  FIELD_RESOURCES,
  FIELD_ROLES,
  FIELD_SCOPE,
} from "./json-fields";

const MASK_3: u64 = 0xff_ffff;
const MASK_5: u64 = 0xff_ffff_ffff;
const MASK_6: u64 = 0xffff_ffff_ffff;

/** Matches that come from memory, for the reason given in json-fields.ts: resource, policyVersion, policy_version. */
const MATCHES = memory.data<u32>([(14 << 8) | 9, (8 << 8) | 14, (8 << 8) | 15]);

/** The tables of the messages that every request has, expanded where they are used. */
export class PackedField {
  /** The request message. */
  @inline static request(at: usize): u32 {
    const head = load<u64>(at);
    // principal
    if (head == 0x7069_636e_6972_70a9) return load<u16>(at, 8) == 0x6c61 ? (FIELD_PRINCIPAL << 8) | 10 : 0;
    // resources
    if (head == 0x6372_756f_7365_72a9) return load<u16>(at, 8) == 0x7365 ? (FIELD_RESOURCES << 8) | 10 : 0;
    // requestId
    if (head == 0x7473_6575_7165_72a9) return load<u16>(at, 8) == 0x6449 ? (FIELD_REQUEST_ID << 8) | 10 : 0;
    // includeMeta
    if (head == 0x6564_756c_636e_69ab)
      return load<u32>(at, 8) == 0x6174_654d ? (FIELD_INCLUDE_META << 8) | 12 : 0;
    // auxData
    return head == 0x6174_6144_7875_61a7 ? (FIELD_AUX_DATA << 8) | 8 : 0;
  }

  /** The principal message. */
  @inline static principal(at: usize): u32 {
    // roles
    if ((load<u64>(at) & MASK_6) == 0x7365_6c6f_72a5) return (FIELD_ROLES << 8) | 6;
    return PackedField.shared(at);
  }

  /** An entry of `resources`. */
  @inline static entry(at: usize): u32 {
    const head = load<u64>(at);
    // actions
    if (head == 0x736e_6f69_7463_61a7) return (FIELD_ACTIONS << 8) | 8;
    // resource
    if (head == 0x6372_756f_7365_72a8 && load<u8>(at, 8) == 0x65) return load<u32>(MATCHES);
    return 0;
  }

  /** The resource message. */
  @inline static resource(at: usize): u32 {
    // kind
    if ((load<u64>(at) & MASK_5) == 0x64_6e69_6ba4) return (FIELD_KIND << 8) | 5;
    return PackedField.shared(at);
  }

  /** Whether the key at `at` is `id`. */
  @inline static isId(at: usize): bool {
    return (load<u32>(at) & <u32>MASK_3) == 0x64_69a2;
  }

  /** Whether the key at `at` is `attr`. */
  @inline static isAttr(at: usize): bool {
    return (load<u64>(at) & MASK_5) == 0x72_7474_61a4;
  }

  /** What principals and resources have in common. */
  @inline static shared(at: usize): u32 {
    const head = load<u64>(at);
    // id
    if (PackedField.isId(at)) return (FIELD_ID << 8) | 3;
    // attr
    if (PackedField.isAttr(at)) return (FIELD_ATTR << 8) | 5;
    // scope
    if ((head & MASK_6) == 0x6570_6f63_73a5) return (FIELD_SCOPE << 8) | 6;
    // policyVersion
    if (head == 0x5679_6369_6c6f_70ad && load<u64>(at, 6) == 0x6e6f_6973_7265_5679)
      return load<u32>(MATCHES, 4);
    // policy_version
    if (head == 0x5f79_6369_6c6f_70ae && load<u64>(at, 7) == 0x6e6f_6973_7265_765f)
      return load<u32>(MATCHES, 8);
    return 0;
  }
}
