/**
 * Who asks for what: the request's strings resolved against the tables. Set once per request (principal) and once per
 * resource; read by the evaluation, the inputs of conditions and the response writer.
 */
import { allocate, fits } from "../memory/arena";
import {
  RESOURCE_KIND,
  RESOURCE_SCOPE,
  RESOURCE_VERSION,
  STRING_SIZE,
  STRING_SYMBOL,
  principalId,
  principalNumber,
  principalScope,
  principalVersion,
  roleCount,
  roles,
  stringLength,
  stringStart,
} from "../decode/request";
import { equalBytes } from "../memory/bytes";
import { numberRoles } from "./role-lists";
import { NO_SYMBOL, isKind, nextScope, resourceBlock, scopeExists, symbolOf } from "./tables";

const DOT: u8 = 0x2e;
const SLASH: u8 = 0x2f;
const COLON: u8 = 0x3a;
const UNDERSCORE: u8 = 0x5f;

let defaultVersionStart: usize = 0;
let defaultVersionLength: u32 = 0;
let defaultScopeStart: usize = 0;
let defaultScopeLength: u32 = 0;

/** engine.lenientScopeSearch. */
export let lenient: bool = false;

/** A resolved subject: a principal or a resource. Text of the version after defaults, symbols, first existing scope. */
export let principalSymbol: u32 = NO_SYMBOL;
export let principalVersionStart: usize = 0;
export let principalVersionLength: u32 = 0;
export let principalVersionSymbol: u32 = NO_SYMBOL;
export let principalFirstScope: u32 = NO_SYMBOL;
/** Sanitised principal id, once `sanitisePrincipal` was called. */
export let principalKeyStart: usize = 0;
export let principalKeyLength: u32 = 0;

export let resourceRecord: usize = 0;
export let kindStart: usize = 0;
export let kindLength: u32 = 0;
export let kindSymbol: u32 = NO_SYMBOL;
export let resourceVersionStart: usize = 0;
export let resourceVersionLength: u32 = 0;
export let resourceVersionSymbol: u32 = NO_SYMBOL;
/** The requested scope itself (after default and dot), whether it exists or not. */
export let resourceScopeSymbol: u32 = NO_SYMBOL;
export let resourceFirstScope: u32 = NO_SYMBOL;

/** Whose symbols these are: `principalNumber`, 0 for nobody's. */
let resolvedNumber: u64 = 0;

export function setLenient(value: bool): void {
  lenient = value;
}

/** Sets engine.defaultPolicyVersion and engine.defaultScope; the bytes must stay in place. */
export function setDefaultNames(version: usize, versionLength: u32, scope: usize, scopeLength: u32): void {
  defaultVersionStart = version;
  defaultVersionLength = versionLength;
  defaultScopeStart = scope;
  defaultScopeLength = scopeLength;
}

/** Resolves the principal of the decoded request, unless it is the one that was resolved last. Whether it was not. */
export function resolveNumbered(): bool {
  if (principalNumber == resolvedNumber) return false;
  resolvePrincipal();
  resolvedNumber = principalNumber;
  return true;
}

/** Resolves the principal. Symbols of its roles go to the spare words of their records. */
export function resolvePrincipal(): void {
  resolvedNumber = 0;
  principalSymbol = symbolOf(stringStart(principalId), stringLength(principalId));
  resolveVersion(principalVersion);
  principalVersionStart = versionStart;
  principalVersionLength = versionLength;
  principalVersionSymbol = symbolOf(versionStart, versionLength);
  resolveScope(principalScope);
  principalFirstScope = firstScope(symbolOf(scopeStart, scopeLength), scopeStart, scopeLength, true);
  for (let index: u32 = 0; index < roleCount; index++) {
    const role = roles + <usize>index * STRING_SIZE;
    store<u32>(role, symbolOf(stringStart(role), stringLength(role)), STRING_SYMBOL);
  }
  numberRoles();
}

/** Prepares the principal's id as policy keys write it; only responses that show keys need it. */
export function sanitisePrincipal(): void {
  sanitise(stringStart(principalId), stringLength(principalId));
  principalKeyStart = sanitisedStart;
  principalKeyLength = sanitisedLength;
}

/** Starts a request: nothing is known of its resources yet. */
export function beginResources(): void {
  resourceRecord = 0;
}

/**
 * Resolves one resource of the decoded request. Neighbours in a batch mostly share kind, version and scope: then what the
 * one before came to holds for this one too. True when something changed.
 */
export function resolveResource(record: usize): bool {
  const before = resourceRecord;
  resourceRecord = record;
  const kindStays = before != 0 && sameText(before + RESOURCE_KIND, record + RESOURCE_KIND);
  const versionStays = before != 0 && sameText(before + RESOURCE_VERSION, record + RESOURCE_VERSION);
  const scopeStays = before != 0 && sameText(before + RESOURCE_SCOPE, record + RESOURCE_SCOPE);
  if (!kindStays) resolveKind(stringStart(record + RESOURCE_KIND), stringLength(record + RESOURCE_KIND));
  // A sanitised copy lay in what the resource before allocated, which has been freed.
  else if (kindIsCopy) copyKind(stringStart(record + RESOURCE_KIND), stringLength(record + RESOURCE_KIND));
  if (!versionStays) {
    resolveVersion(record + RESOURCE_VERSION);
    resourceVersionStart = versionStart;
    resourceVersionLength = versionLength;
    resourceVersionSymbol = symbolOf(versionStart, versionLength);
  }
  if (!scopeStays) {
    resolveScope(record + RESOURCE_SCOPE);
    resourceScopeSymbol = symbolOf(scopeStart, scopeLength);
    resourceFirstScope = firstScope(resourceScopeSymbol, scopeStart, scopeLength, false);
  }
  if (kindStays && versionStays && scopeStays) return false;
  buildChain();
  return true;
}

/** The same for a record that is marked to repeat the one before, which was resolved last. */
export function repeatResource(record: usize): void {
  resourceRecord = record;
  if (kindIsCopy) copyKind(stringStart(record + RESOURCE_KIND), stringLength(record + RESOURCE_KIND));
}

/** Bytes that `keepResource` writes. */
export const KEPT_RESOURCE_SIZE: usize = 52;
const KEPT_CHAIN: usize = 20;
const MOST_KEPT_CHAIN: u32 = 4;

/** Writes what the current resource came to to `to`, without its texts, which may be those of another resource. False, with nothing written, for a kind that had to be sanitised, or for many scopes. */
export function keepResource(to: usize): bool {
  if (kindIsCopy || chainLength > MOST_KEPT_CHAIN) return false;
  store<u32>(to, kindSymbol);
  store<u32>(to, resourceVersionSymbol, 4);
  store<u32>(to, resourceScopeSymbol, 8);
  store<u32>(to, resourceFirstScope, 12);
  store<u32>(to, chainLength, 16);
  memory.copy(to + KEPT_CHAIN, chain, (<usize>chainLength) << 3);
  return true;
}

/** The same as `resolveResource` for a record whose texts are those of the one that was kept at `from`. */
export function recallResource(record: usize, from: usize): void {
  resourceRecord = record;
  kindStart = stringStart(record + RESOURCE_KIND);
  kindLength = stringLength(record + RESOURCE_KIND);
  kindIsCopy = false;
  kindSymbol = load<u32>(from);
  resolveVersion(record + RESOURCE_VERSION);
  resourceVersionStart = versionStart;
  resourceVersionLength = versionLength;
  resourceVersionSymbol = load<u32>(from, 4);
  resourceScopeSymbol = load<u32>(from, 8);
  resourceFirstScope = load<u32>(from, 12);
  chainLength = load<u32>(from, 16);
  chain = from + KEPT_CHAIN;
}

/** The kind as policies write it. What is a policy's kind already is not changed by sanitising. */
function resolveKind(start: usize, length: u32): void {
  kindStart = start;
  kindLength = length;
  kindSymbol = symbolOf(start, length);
  kindIsCopy = false;
  if (isKind(kindSymbol)) return;
  copyKind(start, length);
  if (kindIsCopy) kindSymbol = symbolOf(kindStart, kindLength);
}

/** Whether `kindStart` is a sanitised copy, which only lives as long as the resource's other allocations. */
let kindIsCopy: bool = false;

/** Makes the sanitised kind the current one, in the arena unless the text is already clean. */
function copyKind(start: usize, length: u32): void {
  sanitise(start, length);
  kindStart = sanitisedStart;
  kindLength = sanitisedLength;
  kindIsCopy = sanitisedStart != start;
}

/** Whether two string records hold the same text. Records of one run of bytes, as decoders make them of repeated parts, are equal at sight. */
function sameText(left: usize, right: usize): bool {
  if (load<u64>(left) == load<u64>(right)) return true;
  const length = stringLength(left);
  return length == stringLength(right) && equalBytes(stringStart(left), stringStart(right), length);
}

/**
 * The scope search of the current resource: existing scopes from leaf to root, each with its resource policy.
 *
 *   entry | u32 scope symbol | u32 resource block (0 = no policy for the kind here) |
 */
export let chain: usize = 0;
export let chainLength: u32 = 0;
/** Where `buildChain` writes it; known resources (known-resources.ts) bring theirs along. */
let ownChain: usize = 0;

/** Sets where the chain is kept: room for the longest one that the tables can give. */
export function setChain(start: usize): void {
  ownChain = start;
  chain = start;
  chainLength = 0;
}

function buildChain(): void {
  chain = ownChain;
  chainLength = 0;
  for (let scope = resourceFirstScope; scope != NO_SYMBOL; scope = nextScope(scope, false)) {
    const entry = chain + ((<usize>chainLength) << 3);
    store<u32>(entry, scope);
    store<u32>(entry, <u32>resourceBlock(kindSymbol, resourceVersionSymbol, scope), 4);
    chainLength += 1;
  }
}

export function chainScope(index: u32): u32 {
  return load<u32>(chain + ((<usize>index) << 3));
}

export function chainBlock(index: u32): usize {
  return load<u32>(chain + ((<usize>index) << 3), 4);
}

/**
 * Looks up the symbols of a resource's actions into the spare words of their records. `before` are the actions of the
 * resource before, 0 for the first: batches mostly ask for the same actions again. Whether they are the same, one by one.
 */
export function resolveActions(actions: usize, count: u32, before: usize, beforeCount: u32): bool {
  if (actions == before && count == beforeCount) return true;
  let repeated = count == beforeCount;
  for (let index: u32 = 0; index < count; index++) {
    const offset = <usize>index * STRING_SIZE;
    const record = actions + offset;
    const same = index < beforeCount && sameText(record, before + offset);
    if (!same) repeated = false;
    // Requests that are read together share the records of equal lists.
    if (actionSymbolOf(record) != NO_SYMBOL) continue;
    const symbol = same
      ? actionSymbolOf(before + offset)
      : symbolOf(stringStart(record), stringLength(record));
    store<u32>(record, symbol, STRING_SYMBOL);
  }
  return repeated;
}

/** The symbol of an action record that `resolveActions` has seen. */
export function actionSymbolOf(record: usize): u32 {
  return load<u32>(record, STRING_SYMBOL);
}

let versionStart: usize = 0;
let versionLength: u32 = 0;

function resolveVersion(record: usize): void {
  const given = stringLength(record) != 0;
  versionStart = given ? stringStart(record) : defaultVersionStart;
  versionLength = given ? stringLength(record) : defaultVersionLength;
}

let scopeStart: usize = 0;
let scopeLength: u32 = 0;

/** The requested scope: the default when not given; a leading dot is dropped, so `.` is the root. */
function resolveScope(record: usize): void {
  const given = stringLength(record) != 0;
  scopeStart = given ? stringStart(record) : defaultScopeStart;
  scopeLength = given ? stringLength(record) : defaultScopeLength;
  if (scopeLength > 0 && load<u8>(scopeStart) == DOT) {
    scopeStart += 1;
    scopeLength -= 1;
  }
}

/** The first scope of the search: the scope with this symbol and text itself, or (lenient) its nearest existing ancestor. */
function firstScope(symbol: u32, start: usize, length: u32, ofPrincipal: bool): u32 {
  if (scopeExists(symbol, ofPrincipal)) return symbol;
  if (!lenient) return NO_SYMBOL;
  let rest = length;
  while (rest > 0) {
    rest -= 1;
    while (rest > 0 && load<u8>(start + rest) != DOT) rest -= 1;
    symbol = symbolOf(start, rest);
    if (scopeExists(symbol, ofPrincipal)) return symbol;
  }
  return NO_SYMBOL;
}

let sanitisedStart: usize = 0;
let sanitisedLength: u32 = 0;

/**
 * Sanitises a name (COMPAT.md section 3): runs of characters outside `[A-Za-z0-9_.]` become one `_`, but only in names of
 * the form `alpha [word @ . - /]* (: alpha [word @ . - /]*)*`; others are kept.
 */
function sanitise(start: usize, length: u32): void {
  sanitisedStart = start;
  sanitisedLength = length;
  let clean = true;
  let segmentStart = true;
  for (let index: u32 = 0; index < length; index++) {
    const byte = load<u8>(start + index);
    if (isWordOrDot(byte)) {
      if (segmentStart && !isAlpha(byte)) return;
      segmentStart = false;
      continue;
    }
    if (segmentStart) return;
    if (byte == COLON) segmentStart = true;
    else if (byte != SLASH && byte != 0x2d && byte != 0x40) return;
    clean = false;
  }
  if (clean || segmentStart || !fits(length)) return;
  const copy = allocate(length);
  let at = copy;
  let inRun = false;
  for (let index: u32 = 0; index < length; index++) {
    const byte = load<u8>(start + index);
    const keep = isWordOrDot(byte);
    if (keep || !inRun) store<u8>(at++, keep ? byte : UNDERSCORE);
    inRun = !keep;
  }
  sanitisedStart = copy;
  sanitisedLength = <u32>(at - copy);
}

function isAlpha(byte: u8): bool {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isWordOrDot(byte: u8): bool {
  return isAlpha(byte) || (byte >= 0x30 && byte <= 0x39) || byte == UNDERSCORE || byte == DOT;
}
