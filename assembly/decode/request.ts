/**
 * The decoded request: what both decoders fill and what `decide/` reads. All records live in the arena and
 * point into the input bytes, or into the arena where a string had escapes.
 *
 * String record (16 bytes):
 *
 *   0 start u32 | 4 length u32 | 8 flags u32 | 12 symbol u32, of roles and actions (decide/subject.ts); 0 until it is looked up
 *
 *   flags: STRING_SET  the field was given (an explicit "" counts as not given, as in proto3)
 *          STRING_PLAIN no byte needs escaping in JSON output, so the writer may copy it as it is
 *
 * Attribute pair (16 bytes): a projected attribute of the request
 *
 *   0 slot u32 | 4 zero | 8 value u64 (scalars boxed; lists and maps TAG_RAW_*)
 *
 * Resource record (112 bytes):
 *
 *   0 kind | 16 id | 32 policyVersion | 48 scope                                   string records
 *   64 first attribute pair u32 | 68 pair count u32
 *   72 first action u32 (string records) | 76 action count u32
 *   80 whole attr u64 (TAG_RAW_*, ABSENT when not given)
 *   88 first byte of the entry u32 | 92 repeats u32: 1 when actions, kind, version and scope stand where those of the entry before do
 *   96 cell of the whole attr (request-limits.ts) | 104 slot of known-prefixes.ts that the entry begins with u32, 0 for none | 108 zero
 */
import { ABSENT } from "../value/value";

export const STRING_SIZE: usize = 16;
export const STRING_SYMBOL: usize = 12;
export const STRING_SET: u32 = 1;
export const STRING_PLAIN: u32 = 2;

export const PAIR_SIZE: usize = 16;

export const RESOURCE_SIZE: usize = 112;
export const RESOURCE_KIND: usize = 0;
export const RESOURCE_ID: usize = 16;
export const RESOURCE_VERSION: usize = 32;
export const RESOURCE_SCOPE: usize = 48;
export const RESOURCE_PAIRS: usize = 64;
export const RESOURCE_PAIR_COUNT: usize = 68;
export const RESOURCE_ACTIONS: usize = 72;
export const RESOURCE_ACTION_COUNT: usize = 76;
export const RESOURCE_ATTR: usize = 80;
export const RESOURCE_OFFSET: usize = 88;
export const RESOURCE_REPEATS: usize = 92;
export const RESOURCE_KNOWN: usize = 104;

/** The request's fixed fields: one struct, reused for every request (addresses of string records). */
export const requestId: usize = memory.data(16);
export const principalId: usize = memory.data(16);
export const principalVersion: usize = memory.data(16);
export const principalScope: usize = memory.data(16);

/** String records of the principal's roles. */
export let roles: usize = 0;
export let roleCount: u32 = 0;
/** The principal's projected attributes. */
export let principalPairs: usize = 0;
export let principalPairCount: u32 = 0;
/** The principal's whole `attr` (TAG_RAW_*, ABSENT when not given). */
export let principalAttr: u64 = ABSENT;
/** Equal numbers, the same principal: requests that are read together may share one. */
export let principalNumber: u64 = 0;
let lastNumber: u64 = 0;
/** Resource records, contiguous. */
export let resources: usize = 0;
export let resourceCount: u32 = 0;
/** Decisions asked for, and the most that one resource asks for. */
export let decisionCount: u32 = 0;
export let mostActions: u32 = 0;
export let includeMeta: bool = false;
/** Whether `auxData` carries at least one token. */
export let hasAuxData: bool = false;

/** Bytes that `keepRequest` needs. */
export const KEPT_SIZE: usize = 120;

/** Puts the principal away at `to`, into 80 bytes; what its fields point to stays where it is. */
export function keepPrincipal(to: usize): void {
  v128.store(to, v128.load(principalId));
  v128.store(to, v128.load(principalVersion), 16);
  v128.store(to, v128.load(principalScope), 32);
  store<u32>(to, <u32>roles, 48);
  store<u32>(to, roleCount, 52);
  store<u32>(to, <u32>principalPairs, 56);
  store<u32>(to, principalPairCount, 60);
  store<u64>(to, principalAttr, 64);
  store<u64>(to, principalNumber, 72);
}

/** Makes a principal that was put away the current one again. */
export function recallPrincipal(from: usize): void {
  v128.store(principalId, v128.load(from));
  v128.store(principalVersion, v128.load(from, 16));
  v128.store(principalScope, v128.load(from, 32));
  roles = load<u32>(from, 48);
  roleCount = load<u32>(from, 52);
  principalPairs = load<u32>(from, 56);
  principalPairCount = load<u32>(from, 60);
  principalAttr = load<u64>(from, 64);
  principalNumber = load<u64>(from, 72);
}

/** Puts the request's fixed fields away at `to`, so that another one can be read; what they point to stays where it is. */
export function keepRequest(to: usize): void {
  v128.store(to, v128.load(requestId));
  keepPrincipal(to + 16);
  store<u32>(to, <u32>resources, 96);
  store<u32>(to, resourceCount, 100);
  store<u32>(to, includeMeta ? 1 : 0, 104);
  store<u32>(to, hasAuxData ? 1 : 0, 108);
  store<u32>(to, decisionCount, 112);
  store<u32>(to, mostActions, 116);
}

/** Makes a request that was put away the current one again. */
export function recallRequest(from: usize): void {
  v128.store(requestId, v128.load(from));
  recallPrincipal(from + 16);
  resources = load<u32>(from, 96);
  resourceCount = load<u32>(from, 100);
  includeMeta = load<u32>(from, 104) != 0;
  hasAuxData = load<u32>(from, 108) != 0;
  decisionCount = load<u32>(from, 112);
  mostActions = load<u32>(from, 116);
}

/** Whether actions, kind, version and scope of two resource records (or their first 80 bytes) are the same, by where they stand. */
export function standTogether(record: usize, other: usize): bool {
  const differs =
    (load<u64>(record, RESOURCE_ACTIONS) ^ load<u64>(other, RESOURCE_ACTIONS)) |
    (load<u64>(record, RESOURCE_KIND) ^ load<u64>(other, RESOURCE_KIND)) |
    (load<u64>(record, RESOURCE_VERSION) ^ load<u64>(other, RESOURCE_VERSION)) |
    (load<u64>(record, RESOURCE_SCOPE) ^ load<u64>(other, RESOURCE_SCOPE));
  return differs == 0;
}

function clearString(record: usize): void {
  store<u64>(record, 0);
  store<u64>(record, 0, 8);
}

/** Puts every field back to "not given". */
export function clearRequest(): void {
  clearString(requestId);
  clearString(principalId);
  clearString(principalVersion);
  clearString(principalScope);
  roles = 0;
  roleCount = 0;
  principalPairs = 0;
  principalPairCount = 0;
  principalAttr = ABSENT;
  lastNumber += 1;
  principalNumber = lastNumber;
  resources = 0;
  resourceCount = 0;
  includeMeta = false;
  hasAuxData = false;
}

export function setRoles(start: usize, count: u32): void {
  roles = start;
  roleCount = count;
}

export function setPrincipalAttr(pairs: usize, count: u32, whole: u64): void {
  principalPairs = pairs;
  principalPairCount = count;
  principalAttr = whole;
}

export function setResources(start: usize, count: u32): void {
  resources = start;
  resourceCount = count;
}

/** Counts what the resources ask for. */
export function countDecisions(): void {
  let decisions: u32 = 0;
  let most: u32 = 0;
  const end = resources + <usize>resourceCount * RESOURCE_SIZE;
  for (let record = resources; record < end; record += RESOURCE_SIZE) {
    const count = load<u32>(record, RESOURCE_ACTION_COUNT);
    decisions += count;
    if (count > most) most = count;
  }
  decisionCount = decisions;
  mostActions = most;
}

export function setIncludeMeta(value: bool): void {
  includeMeta = value;
}

export function setHasAuxData(value: bool): void {
  hasAuxData = value;
}

export function setString(record: usize, start: usize, length: u32, flags: u32): void {
  store<u32>(record, <u32>start);
  store<u32>(record, length, 4);
  store<u32>(record, flags, 8);
  store<u32>(record, 0, 12);
}

export function stringStart(record: usize): usize {
  return load<u32>(record);
}

export function stringLength(record: usize): u32 {
  return load<u32>(record, 4);
}

export function stringFlags(record: usize): u32 {
  return load<u32>(record, 8);
}
