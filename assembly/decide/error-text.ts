/** The texts of CEL run-time errors, as cel-go words them; shown in outputs and explanations. */
import {
  ERROR_ADDRESS_ZONE,
  ERROR_BAD_ARGUMENT,
  ERROR_BAD_CONVERSION,
  ERROR_CIDR,
  ERROR_DERIVED_ROLES,
  ERROR_DIVISION_BY_ZERO,
  ERROR_FUEL,
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_IP,
  ERROR_MAPPED_ADDRESS,
  ERROR_MEMORY,
  ERROR_MODULUS_BY_ZERO,
  ERROR_NO_SUCH_FIELD,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  ERROR_OPTIONAL_NONE,
  ERROR_OVERFLOW,
  ERROR_SPIFFE_ID,
  ERROR_SPIFFE_MATCH,
  ERROR_SPIFFE_TRUST_DOMAIN,
  ERROR_UNKNOWN_ZONE,
  ERROR_ZONE_NAME,
  TAG_STRING,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { errorCode, errorDetail, lengthOf, startOf, tagOf } from "../value/value";
import { fragment, fragmentLength, fragmentStart } from "./fragments";

const NO_SUCH_KEY = fragment("no such key: ");
const NO_SUCH_FIELD = fragment("no such field '");
const QUOTE_END = fragment("'");
const NO_SUCH_OVERLOAD = fragment("no such overload");
const DIVISION_BY_ZERO = fragment("division by zero");
const MODULUS_BY_ZERO = fragment("modulus by zero");
const OVERFLOW = fragment("integer overflow");
const INDEX_OUT_OF_RANGE = fragment("index out of bounds");
const BAD_CONVERSION = fragment("type conversion error");
const BAD_ARGUMENT = fragment("invalid argument");
const FUEL = fragment("evaluation budget exceeded");
const MEMORY = fragment("out of memory");
const DERIVED_ROLES = fragment("failed to compute effective derived roles");
const OPTIONAL_NONE = fragment("optional.none() dereference");
const UNKNOWN_ZONE = fragment("unknown time zone ");
const ZONE_NAME = fragment("time: invalid location name");
const SPIFFE_ID = fragment("failed to parse SPIFFE ID: ");
const SPIFFE_TRUST_DOMAIN = fragment("failed to parse SPIFFE trust domain: ");
const SPIFFE_MATCH = fragment("invalid SPIFFE ID: ");
const IP_TEXT = fragment('IP Address "');
const CIDR_TEXT = fragment('CIDR "');
const NOT_PARSED = fragment('" parse error during conversion from string');
const MAPPED_ADDRESS = fragment('IPv4-mapped IPv6 address "');
const NOT_ALLOWED = fragment('" is not allowed');
const ADDRESS_ZONE = fragment('IP address "');
const ZONE_NOT_ALLOWED = fragment('" with zone value is not allowed');
const NOTHING = fragment("");
const NOT_CONVERTIBLE = fragment("value cannot be converted to JSON");

export let errorTextStart: usize = 0;
export let errorTextLength: u32 = 0;

/** Writes the text of an error value into `errorTextStart`, `errorTextLength`. */
export function describeError(error: u64): void {
  const code = errorCode(error);
  if (code == ERROR_NO_SUCH_KEY) withDetail(NO_SUCH_KEY, errorDetail(error));
  else if (code == ERROR_NO_SUCH_FIELD) around(NO_SUCH_FIELD, errorDetail(error), QUOTE_END);
  else if (code == ERROR_UNKNOWN_ZONE) withDetail(UNKNOWN_ZONE, errorDetail(error));
  else if (code == ERROR_SPIFFE_ID) withDetail(SPIFFE_ID, errorDetail(error));
  else if (code == ERROR_SPIFFE_TRUST_DOMAIN) withDetail(SPIFFE_TRUST_DOMAIN, errorDetail(error));
  else if (code == ERROR_SPIFFE_MATCH) withDetail(SPIFFE_MATCH, errorDetail(error));
  else if (code == ERROR_IP) around(IP_TEXT, errorDetail(error), NOT_PARSED);
  else if (code == ERROR_CIDR) around(CIDR_TEXT, errorDetail(error), NOT_PARSED);
  else if (code == ERROR_MAPPED_ADDRESS) around(MAPPED_ADDRESS, errorDetail(error), NOT_ALLOWED);
  else if (code == ERROR_ADDRESS_ZONE) around(ADDRESS_ZONE, errorDetail(error), ZONE_NOT_ALLOWED);
  else use(textOf(code));
}

/** The text for a value that has no JSON form. */
export function describeNotConvertible(): void {
  use(NOT_CONVERTIBLE);
}

function textOf(code: i32): usize {
  switch (code) {
    case ERROR_NO_SUCH_OVERLOAD:
      return NO_SUCH_OVERLOAD;
    case ERROR_DIVISION_BY_ZERO:
      return DIVISION_BY_ZERO;
    case ERROR_MODULUS_BY_ZERO:
      return MODULUS_BY_ZERO;
    case ERROR_OVERFLOW:
      return OVERFLOW;
    case ERROR_INDEX_OUT_OF_RANGE:
      return INDEX_OUT_OF_RANGE;
    case ERROR_BAD_CONVERSION:
      return BAD_CONVERSION;
    case ERROR_BAD_ARGUMENT:
      return BAD_ARGUMENT;
    case ERROR_FUEL:
      return FUEL;
    case ERROR_MEMORY:
      return MEMORY;
    case ERROR_DERIVED_ROLES:
      return DERIVED_ROLES;
    case ERROR_OPTIONAL_NONE:
      return OPTIONAL_NONE;
    case ERROR_ZONE_NAME:
      return ZONE_NAME;
    default:
      return BAD_ARGUMENT;
  }
}

function use(text: usize): void {
  errorTextStart = fragmentStart(text);
  errorTextLength = fragmentLength(text);
}

function withDetail(prefix: usize, detail: u64): void {
  around(prefix, detail, NOTHING);
}

/** The text of a string between two fragments. */
function around(prefix: usize, detail: u64, suffix: usize): void {
  use(prefix);
  if (tagOf(detail) != TAG_STRING) return;
  const before = fragmentLength(prefix);
  const length = lengthOf(detail);
  const size = before + length + fragmentLength(suffix);
  if (!fits(size)) return;
  const start = allocate(size);
  memory.copy(start, fragmentStart(prefix), before);
  memory.copy(start + before, startOf(detail), length);
  memory.copy(start + before + length, fragmentStart(suffix), fragmentLength(suffix));
  errorTextStart = start;
  errorTextLength = size;
}
