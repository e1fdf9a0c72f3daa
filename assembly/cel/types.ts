/**
 * CEL `type()` and the names of types (langdef, "Type Conversions"; the names of Cerbos's own types are
 * Cerbos's). A type value is a name; equality.ts compares them.
 */
import {
  TAG_BOOL,
  TAG_BYTES,
  TAG_CIDR,
  TAG_DOUBLE,
  TAG_DURATION,
  TAG_HIERARCHY,
  TAG_INT,
  TAG_IP,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_OPTIONAL,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_MATCHER,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
  TAG_TIMESTAMP,
  TAG_TYPE,
  TAG_UINT,
} from "../abi";
import { settle } from "../value/raw";
import { ofType, tagOf } from "../value/value";
import { noOverload1 } from "./failure";

/** Bytes of a name record: the longest name has 29. */
const NAME_SIZE: usize = 32;
/** Highest tag with a type name. */
const LAST_NAMED = TAG_CIDR;

/*
 * Names by tag, one after the other:   | up to 32 bytes of text, zero-filled |
 * The string cells that type values point to, by tag:   | u32 start | u32 length |
 */
const names: usize = memory.data(608, 8);
const cells: usize = memory.data(152, 8);
let named = false;

/** CEL `type(value)`. */
export function typeOf(value: u64): u64 {
  const settled = settle(value);
  const tag = tagOf(settled);
  if (tag > LAST_NAMED) return noOverload1(settled);
  if (!named) nameTypes();
  return ofType(cells + ((<usize>tag) << 3));
}

function nameTypes(): void {
  name(TAG_DOUBLE, "double");
  name(TAG_NULL, "null_type");
  name(TAG_BOOL, "bool");
  name(TAG_INT, "int");
  name(TAG_UINT, "uint");
  name(TAG_STRING, "string");
  name(TAG_BYTES, "bytes");
  name(TAG_LIST, "list");
  name(TAG_MAP, "map");
  name(TAG_TIMESTAMP, "google.protobuf.Timestamp");
  name(TAG_DURATION, "google.protobuf.Duration");
  name(TAG_TYPE, "type");
  name(TAG_OPTIONAL, "optional_type");
  name(TAG_HIERARCHY, "cerbos.lib.hierarchy");
  name(TAG_SPIFFE_ID, "cerbos.lib.spiffeID");
  name(TAG_SPIFFE_TRUST_DOMAIN, "cerbos.lib.spiffeTrustDomain");
  name(TAG_SPIFFE_MATCHER, "cerbos.lib.spiffeMatcher");
  name(TAG_IP, "net.IP");
  name(TAG_CIDR, "net.CIDR");
  named = true;
}

/** Copies an ASCII literal (UTF-16 in static data) into its record. */
function name(tag: i32, text: string): void {
  const start = names + <usize>tag * NAME_SIZE;
  const length = text.length;
  for (let at = 0; at < length; at++) {
    store<u8>(start + at, <u8>load<u16>(changetype<usize>(text) + ((<usize>at) << 1)));
  }
  const cell = cells + ((<usize>tag) << 3);
  store<u32>(cell, <u32>start);
  store<u32>(cell, <u32>length, 4);
}
