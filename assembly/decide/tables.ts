/**
 * The image as the guest reads it: header words, symbols, indices, blocks and rows. compiler/emit/image.ts and
 * compiler/emit/tables.ts write exactly these layouts. Read-only after `loadTables`.
 *
 * Index: three symbols to an address, open addressing, at most half full
 *
 *   index          | u32 mask | u32 zero | entry ... |     entry | u32 a | u32 b | u32 c | u32 address (0 = empty) |
 *
 * Block of a resource policy
 *
 *   | u32 scope | u32 flags | u32 first rule | u32 row count | u32 rows | u32 action table | u32 other actions |
 *   | u32 derived role count | u32 derived roles (u32 ids) | u32 schema set + 1 (0 = none) |
 *
 *   action table   | u32 mask | u32 zero | (u32 action symbol, u32 row list) ... |      exact actions of the policy
 *   row list       | u32 count | u32 flags | u32 row index ... |                       in source order
 *   row (40 bytes) | u32 rule - first | u32 effect | u32 role set | u32 derived role + 1 | u32 condition + 1 |
 *                  | outputs (4 words) | u32 action globs (matcher list, 0 = any action) |
 *   outputs        | u32 ruleActivated + 1 | u32 conditionNotMet + 1 | u32 rule name start | u32 rule name length |
 *
 * Block of a principal policy: the first five words as above, rows of 48 bytes
 *
 *   | rule - first | effect | kind matcher (2 words) | action matcher (2 words) | condition + 1 | outputs (4 words) | 0 |
 *
 * Block of a role policy: the first five words as above, then u32 key start | u32 key length; rows of 40 bytes
 *
 *   | rule - first | allowed actions (matcher list) | kind matcher (2 words) | condition + 1 | outputs (4 words) | 0 |
 *
 * Derived role (16 bytes): | u32 name symbol | u32 parent role set | u32 role set for listing | u32 condition + 1 |
 */
import { ABI_VERSION, IMAGE_BASE } from "../abi";
import { equalBytes, hashBytes } from "../memory/bytes";
import { setNameTables } from "./attributes";
import { hasGlob } from "./glob";

const IMAGE_MAGIC: u32 = 0x54434445;

/** "No policy mentions this string." */
export const NO_SYMBOL: u32 = 0;

export const BLOCK_FLAGS: usize = 4;
export const BLOCK_FIRST_RULE: usize = 8;
export const BLOCK_ROW_COUNT: usize = 12;
export const BLOCK_ROWS: usize = 16;
export const BLOCK_ACTIONS: usize = 20;
export const BLOCK_OTHER_ACTIONS: usize = 24;
export const BLOCK_DERIVED_COUNT: usize = 28;
export const BLOCK_DERIVED: usize = 32;
/** The schema set of a resource policy, + 1. */
export const BLOCK_SCHEMAS: usize = 36;
export const BLOCK_KEY_START: usize = 20;
export const BLOCK_KEY_LENGTH: usize = 24;

/** Block flag: an ALLOW in this scope needs the parent scopes' consent. */
export const BLOCK_PARENTAL_CONSENT: u32 = 1;
/** Row list flags. */
export const LIST_HAS_DENY: u32 = 1;
export const LIST_HAS_OUTPUTS: u32 = 2;

export const ROW_SIZE: usize = 40;
export const ROW_EFFECT: usize = 4;
export const ROW_ROLE_SET: usize = 8;
export const ROW_DERIVED_ROLE: usize = 12;
export const ROW_CONDITION: usize = 16;
export const ROW_OUTPUTS: usize = 20;
export const ROW_ACTION_GLOBS: usize = 36;

export const PRINCIPAL_ROW_SIZE: usize = 48;
export const PRINCIPAL_ROW_KIND: usize = 8;
export const PRINCIPAL_ROW_ACTION: usize = 16;
export const PRINCIPAL_ROW_CONDITION: usize = 24;
export const PRINCIPAL_ROW_OUTPUTS: usize = 28;

export const ROLE_ROW_SIZE: usize = 40;
export const ROLE_ROW_ACTIONS: usize = 4;
export const ROLE_ROW_KIND: usize = 8;
export const ROLE_ROW_CONDITION: usize = 16;
export const ROLE_ROW_OUTPUTS: usize = 20;

export let attributeCount: u32 = 0;
export let attributeKeys: usize = 0;
export let conditionCount: u32 = 0;
export let conditionFlags: usize = 0;
export let outputCount: u32 = 0;
export let sharedCount: u32 = 0;
export let symbolCount: u32 = 0;
export let roleSetCount: u32 = 0;
export let derivedRoleCount: u32 = 0;
export let rootScope: u32 = 0;
export let hasRolePolicies: bool = false;
/** Whether some role is meant by a glob, so that the text of a role that no policy names counts. */
export let hasRoleGlobs: bool = false;
/** Scopes in the longest search from a scope to the root. */
export let longestChain: u32 = 0;

let symbolTable: usize = 0;
let symbolTexts: usize = 0;
let symbolKinds: usize = 0;
let resourceScopes: usize = 0;
let principalScopes: usize = 0;
let resourceIndex: usize = 0;
let principalIndex: usize = 0;
let principalPresence: usize = 0;
let roleIndex: usize = 0;
let rolePresence: usize = 0;
let parentRoles: usize = 0;
let roleSets: usize = 0;
let derivedRoles: usize = 0;

function header(word: usize): u32 {
  return load<u32>(IMAGE_BASE + (word << 2));
}

/** Reads the header. False when the image is not one this core understands. */
export function loadTables(imageLength: u32): bool {
  if (imageLength < 160 || header(0) != IMAGE_MAGIC || header(1) != ABI_VERSION || header(2) != imageLength)
    return false;
  attributeCount = header(5);
  setNameTables(header(3), header(4), attributeCount);
  attributeKeys = header(6);
  conditionCount = header(7);
  conditionFlags = header(8);
  outputCount = header(9);
  sharedCount = header(10);
  symbolTable = header(11);
  symbolTexts = header(12);
  symbolCount = header(13);
  resourceScopes = header(14);
  principalScopes = header(15);
  resourceIndex = header(16);
  principalIndex = header(17);
  principalPresence = header(18);
  roleIndex = header(19);
  rolePresence = header(20);
  parentRoles = header(21);
  roleSetCount = header(22);
  roleSets = header(23);
  derivedRoleCount = header(24);
  derivedRoles = header(25);
  rootScope = header(26);
  hasRolePolicies = header(27) != 0;
  longestChain = header(28);
  symbolKinds = header(29);
  hasRoleGlobs = findRoleGlob();
  return true;
}

function findRoleGlob(): bool {
  for (let id: u32 = 0; id < roleSetCount; id++) {
    if (hasGlob(roleSetAt(id))) return true;
  }
  return false;
}

/** The symbol of a string, or NO_SYMBOL. */
export function symbolOf(start: usize, length: u32): u32 {
  if (symbolTable == 0) return NO_SYMBOL;
  const mask = load<u32>(symbolTable);
  const hash = hashBytes(start, length);
  let index = hash & mask;
  while (true) {
    const entry = symbolTable + 8 + ((<usize>index) << 4);
    const value = load<u32>(entry, 12);
    if (value == 0) return NO_SYMBOL;
    if (
      load<u32>(entry) == hash &&
      load<u32>(entry, 8) == length &&
      equalBytes(load<u32>(entry, 4), start, length)
    ) {
      return value - 1;
    }
    index = (index + 1) & mask;
  }
}

/** Whether a symbol is the (sanitised) kind of some resource policy. */
export function isKind(symbol: u32): bool {
  return load<u8>(symbolKinds + <usize>symbol) != 0;
}

export function symbolStart(symbol: u32): usize {
  return load<u32>(symbolTexts + ((<usize>symbol) << 3));
}

export function symbolLength(symbol: u32): u32 {
  return load<u32>(symbolTexts + ((<usize>symbol) << 3), 4);
}

/** Whether a scope exists among the resource (and role) policies, or among the principal policies. */
export function scopeExists(scope: u32, ofPrincipal: bool): bool {
  const table = ofPrincipal ? principalScopes : resourceScopes;
  return scope != NO_SYMBOL && load<u32>(table + ((<usize>scope) << 2)) != 0;
}

/** The nearest existing ancestor of an existing scope, NO_SYMBOL at the end of the chain. */
export function nextScope(scope: u32, ofPrincipal: bool): u32 {
  const table = ofPrincipal ? principalScopes : resourceScopes;
  return load<u32>(table + ((<usize>scope) << 2)) >> 1;
}

export function resourceBlock(kind: u32, version: u32, scope: u32): usize {
  return kind == NO_SYMBOL || version == NO_SYMBOL ? 0 : findIndex(resourceIndex, kind, version, scope);
}

export function principalBlock(principal: u32, version: u32, scope: u32): usize {
  return principal == NO_SYMBOL || version == NO_SYMBOL
    ? 0
    : findIndex(principalIndex, principal, version, scope);
}

/** Whether any principal policy has this version and scope. */
export function principalPolicyAt(version: u32, scope: u32): bool {
  return version != NO_SYMBOL && findIndex(principalPresence, version, scope, 0) != 0;
}

export function roleBlock(role: u32, version: u32, scope: u32): usize {
  return role == NO_SYMBOL || version == NO_SYMBOL ? 0 : findIndex(roleIndex, role, version, scope);
}

/** Matcher list of the kinds that role policies of this version and scope speak of; 0 when there are none. */
export function rolePolicyKinds(version: u32, scope: u32): usize {
  return version == NO_SYMBOL ? 0 : findIndex(rolePresence, version, scope, 0);
}

/** `u32 count | u32 role symbol ...` of a role's parents at exactly this scope; 0 when it has none. */
export function parentRolesOf(role: u32, scope: u32): usize {
  return role == NO_SYMBOL || scope == NO_SYMBOL ? 0 : findIndex(parentRoles, role, scope, 0);
}

/** The matcher list of a role set. */
export function roleSetAt(id: u32): usize {
  return load<u32>(roleSets + ((<usize>id) << 2));
}

/** Address of a derived role's record. */
export function derivedRoleAt(id: u32): usize {
  return derivedRoles + ((<usize>id) << 4);
}

/** The row list for an action: of its own when the policy names it, else the rows with wildcards and globs. */
export function rowListFor(block: usize, action: u32): usize {
  if (action != NO_SYMBOL) {
    const table: usize = load<u32>(block, BLOCK_ACTIONS);
    const mask = load<u32>(table);
    let index = hashSymbols(action, 0, 0) & mask;
    while (true) {
      const entry = table + 8 + ((<usize>index) << 3);
      const symbol = load<u32>(entry);
      if (symbol == action) return load<u32>(entry, 4);
      if (symbol == 0) break;
      index = (index + 1) & mask;
    }
  }
  return 0;
}

function findIndex(index: usize, a: u32, b: u32, c: u32): usize {
  if (index == 0) return 0;
  const mask = load<u32>(index);
  let at = hashSymbols(a, b, c) & mask;
  while (true) {
    const entry = index + 8 + ((<usize>at) << 4);
    const address = load<u32>(entry, 12);
    if (address == 0) return 0;
    if (load<u32>(entry) == a && load<u32>(entry, 4) == b && load<u32>(entry, 8) == c) return address;
    at = (at + 1) & mask;
  }
}

/** The same mix as compiler/emit/hash.ts. */
function hashSymbols(first: u32, second: u32, third: u32): u32 {
  let hash: u32 = (first * 0x9e3779b1) ^ (second * 0x85ebca6b) ^ (third * 0xc2b2ae35);
  hash ^= hash >> 15;
  hash *= 0x2c1b3c6d;
  hash ^= hash >> 12;
  return hash;
}
