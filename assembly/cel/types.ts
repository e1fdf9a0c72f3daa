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
  TAG_MESSAGE,
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
import {
  MESSAGE_AUX_DATA,
  MESSAGE_PRINCIPAL,
  MESSAGE_REQUEST,
  MESSAGE_RESOURCE,
  MESSAGE_RUNTIME,
  messageType,
} from "./messages";

/** Bytes of a name record: the longest name has 34. */
const NAME_SIZE: usize = 40;
/** Highest tag with a type name of its own. Types of messages come after it. */
const LAST_NAMED = TAG_CIDR;
const FIRST_MESSAGE = LAST_NAMED + 1;

/*
 * Names by tag, one after the other:   | up to 40 bytes of text, zero-filled |
 * The string cells that type values point to, by tag:   | u32 start | u32 length |
 */
const names: usize = memory.data(960, 8);
const cells: usize = memory.data(192, 8);
let named = false;

/** CEL `type(value)`. */
export function typeOf(value: u64): u64 {
  const settled = settle(value);
  let tag = tagOf(settled);
  if (tag == TAG_MESSAGE) tag = FIRST_MESSAGE + messageType(settled);
  else if (tag > LAST_NAMED) return noOverload1(settled);
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
  name(FIRST_MESSAGE + MESSAGE_REQUEST, "cerbos.engine.v1.Request");
  name(FIRST_MESSAGE + MESSAGE_PRINCIPAL, "cerbos.engine.v1.Request.Principal");
  name(FIRST_MESSAGE + MESSAGE_RESOURCE, "cerbos.engine.v1.Request.Resource");
  name(FIRST_MESSAGE + MESSAGE_AUX_DATA, "cerbos.engine.v1.AuxData");
  name(FIRST_MESSAGE + MESSAGE_RUNTIME, "cerbos.engine.v1.Runtime");
  named = true;
}

/** Copies an ASCII literal (UTF-16 in static data) into its record. */
function name(tag: u32, text: string): void {
  const start = names + <usize>tag * NAME_SIZE;
  const length = text.length;
  for (let at = 0; at < length; at++) {
    store<u8>(start + at, <u8>load<u16>(changetype<usize>(text) + ((<usize>at) << 1)));
  }
  const cell = cells + ((<usize>tag) << 3);
  store<u32>(cell, <u32>start);
  store<u32>(cell, <u32>length, 4);
}
