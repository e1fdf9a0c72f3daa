/**
 * Cerbos's SPIFFE functions: IDs, trust domains and matchers. The rules for texts are in spiffe-id.ts.
 *
 * A matcher is a cell   | u64 operand |   under TAG_SPIFFE_MATCHER. The operand says what matches: an ID itself, a list of
 * IDs each of them, a trust domain the IDs in it. Without a cell (payload 0) any ID matches.
 *
 * The member `id` is `identity`: as in Cerbos its result is the trust domain itself, which is equal to its texts.
 */
import {
  ERROR_SPIFFE_ID,
  ERROR_SPIFFE_MATCH,
  ERROR_SPIFFE_TRUST_DOMAIN,
  TAG_LIST,
  TAG_SPIFFE_ID,
  TAG_SPIFFE_MATCHER,
  TAG_SPIFFE_TRUST_DOMAIN,
  TAG_STRING,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { settle } from "../value/raw";
import {
  box,
  countOf,
  fail,
  FALSE,
  isError,
  itemAt,
  lengthOf,
  newList,
  ofBool,
  ofString,
  payloadOf,
  setItem,
  startOf,
  tagOf,
  TRUE,
} from "../value/value";
import { noFuel, noMemory, noOverload1, noOverload2 } from "./failure";
import {
  DOMAIN_SIZE,
  domainEndOf,
  domainOf,
  ID_SIZE,
  lastProblem,
  newDomain,
  newId,
  reasonOf,
  SCHEME_LENGTH,
} from "./spiffe-id";

/** The ID that a string is; an error with the code `failure` when it is none. */
function idOf(text: u64, failure: i32): u64 {
  if (!burn(1 + (lengthOf(text) >> 4))) return noFuel();
  if (!fits(ID_SIZE)) return noMemory();
  const id = newId(text);
  return id == 0 ? fail(failure, reasonOf(lastProblem)) : id;
}

/** Cerbos `spiffeID(string)`. */
export function spiffeID(text: u64): u64 {
  return tagOf(text) == TAG_STRING ? idOf(text, ERROR_SPIFFE_ID) : noOverload1(text);
}

/** Cerbos `spiffeTrustDomain(string)`: from a name, or from an ID in the domain. */
export function spiffeTrustDomain(text: u64): u64 {
  if (tagOf(text) != TAG_STRING) return noOverload1(text);
  if (!burn(1 + (lengthOf(text) >> 3))) return noFuel();
  if (!fits(DOMAIN_SIZE)) return noMemory();
  const domain = newDomain(text);
  return domain == 0 ? fail(ERROR_SPIFFE_TRUST_DOMAIN, reasonOf(lastProblem)) : domain;
}

/** `id.path()`: "" or what follows the trust domain, from its slash on. */
export function spiffePath(id: u64): u64 {
  if (tagOf(id) != TAG_SPIFFE_ID) return noOverload1(id);
  const end = domainEndOf(id);
  return ofString(startOf(id) + end, lengthOf(id) - end);
}

/** `id.trustDomain()`. */
export function spiffeDomainOf(id: u64): u64 {
  if (tagOf(id) != TAG_SPIFFE_ID) return noOverload1(id);
  return fits(DOMAIN_SIZE) ? domainOf(id) : noMemory();
}

/** `trustDomain.name()`. */
export function spiffeName(domain: u64): u64 {
  if (tagOf(domain) != TAG_SPIFFE_TRUST_DOMAIN) return noOverload1(domain);
  return ofString(startOf(domain), lengthOf(domain));
}

/** `id.isMemberOf(trustDomain)`. */
export function spiffeIsMemberOf(id: u64, domain: u64): u64 {
  if (tagOf(id) != TAG_SPIFFE_ID || tagOf(domain) != TAG_SPIFFE_TRUST_DOMAIN) return noOverload2(id, domain);
  const length = lengthOf(domain);
  if (!burn(1 + (length >> 4))) return noFuel();
  if (domainEndOf(id) - SCHEME_LENGTH != length) return FALSE;
  return ofBool(equalBytes(startOf(id) + SCHEME_LENGTH, startOf(domain), length));
}

function newMatcher(operand: u64): u64 {
  if (!fits(8)) return noMemory();
  const cell = allocate(8);
  store<u64>(cell, operand);
  return box(TAG_SPIFFE_MATCHER, cell);
}

/** Cerbos `spiffeMatchAny()`. */
export function spiffeMatchAny(): u64 {
  return box(TAG_SPIFFE_MATCHER, 0);
}

/** Cerbos `spiffeMatchExact(id)`; the ID may be a string. */
export function spiffeMatchExact(id: u64): u64 {
  const operand = tagOf(id) == TAG_SPIFFE_ID ? id : spiffeID(id);
  return isError(operand) ? operand : newMatcher(operand);
}

/** Cerbos `spiffeMatchTrustDomain(trustDomain)`; the domain may be a string. */
export function spiffeMatchTrustDomain(domain: u64): u64 {
  const operand = tagOf(domain) == TAG_SPIFFE_TRUST_DOMAIN ? domain : spiffeTrustDomain(domain);
  return isError(operand) ? operand : newMatcher(operand);
}

/** Cerbos `spiffeMatchOneOf(list)` of IDs and strings. */
export function spiffeMatchOneOf(value: u64): u64 {
  const list = settle(value);
  if (tagOf(list) != TAG_LIST) return noOverload1(list);
  const count = countOf(list);
  if (!burn(1 + count)) return noFuel();
  if (!fits(8 + ((<usize>count) << 3))) return noMemory();
  const ids = newList(count);
  for (let index: u32 = 0; index < count; index++) {
    const item = itemAt(list, index);
    const id = tagOf(item) == TAG_SPIFFE_ID ? item : spiffeID(item);
    if (isError(id)) return id;
    setItem(ids, index, id);
  }
  return newMatcher(ids);
}

/** `matcher.matchesID(id)`; the ID may be a string. */
export function spiffeMatchesID(matcher: u64, value: u64): u64 {
  const tag = tagOf(value);
  if (tagOf(matcher) != TAG_SPIFFE_MATCHER || (tag != TAG_SPIFFE_ID && tag != TAG_STRING)) {
    return noOverload2(matcher, value);
  }
  const id = tag == TAG_STRING ? idOf(value, ERROR_SPIFFE_MATCH) : value;
  if (isError(id)) return id;
  if (payloadOf(matcher) == 0) return TRUE;
  const operand = load<u64>(payloadOf(matcher));
  const wanted = tagOf(operand);
  if (wanted == TAG_SPIFFE_ID) return isSameId(operand, id);
  if (wanted == TAG_SPIFFE_TRUST_DOMAIN) return spiffeIsMemberOf(id, operand);
  return isOneOf(operand, id);
}

function isSameId(left: u64, right: u64): u64 {
  const length = lengthOf(left);
  if (!burn(1 + (length >> 4))) return noFuel();
  return ofBool(length == lengthOf(right) && equalBytes(startOf(left), startOf(right), length));
}

function isOneOf(ids: u64, id: u64): u64 {
  const count = countOf(ids);
  for (let index: u32 = 0; index < count; index++) {
    const same = isSameId(itemAt(ids, index), id);
    if (same != FALSE) return same;
  }
  return FALSE;
}
