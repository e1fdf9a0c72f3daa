/**
 * Attribute projection: which attribute names the policies read, and the slot each has. The decoders ask
 * here for every attribute key; names that no policy reads are validated and skipped.
 *
 * A name table is open addressing over 16-byte entries, its capacity a power of two, at most half full:
 *
 *   table   | u32 mask | u32 zero | entry ... |
 *   entry   | u32 hash | u32 start | u32 length | u32 slot + 1 (0 = empty) |
 */
import { equalBytes, hashBytes } from "../memory/bytes";
import { fragment, fragmentLength, fragmentStart } from "./fragments";

/** Answer of a look-up for a name that no policy reads. */
export const NO_SLOT: i32 = -1;

/** Slots behind those of attributes, for properties of AuthZEN bodies that say something themselves, whether a policy reads them or not. */
export const RESERVED_SLOTS: u32 = 3;

const VERSION = fragment("cerbos.policyVersion");
const SCOPE = fragment("cerbos.scope");

let principalNames: usize = 0;
let resourceNames: usize = 0;
let firstReserved: i32 = 0;
let roleNameStart: usize = 0;
let roleNameLength: u32 = 0;

/** Slots of `cerbos.policyVersion`, `cerbos.scope` and of the property that names roles; the last NO_SLOT for none. */
export let principalVersionSlot: i32 = NO_SLOT;
export let principalScopeSlot: i32 = NO_SLOT;
export let principalRolesSlot: i32 = NO_SLOT;
export let resourceVersionSlot: i32 = NO_SLOT;
export let resourceScopeSlot: i32 = NO_SLOT;

/** Raised whenever names get other slots: whoever remembers slots forgets them when this changes. */
export let nameTablesVersion: u32 = 0;

/** Sets the two tables, at their addresses in the image, and how many slots they use. */
export function setNameTables(principal: usize, resource: usize, slots: u32): void {
  principalNames = principal;
  resourceNames = resource;
  firstReserved = <i32>slots;
  settleReserved();
}

/** Sets the name of the property that names the roles of AuthZEN subjects; length 0 for none. The bytes must stay in place. */
export function setRoleProperty(start: usize, length: u32): void {
  roleNameStart = start;
  roleNameLength = length;
  settleReserved();
}

function settleReserved(): void {
  nameTablesVersion += 1;
  principalVersionSlot = principalSlot(fragmentStart(VERSION), fragmentLength(VERSION));
  principalScopeSlot = principalSlot(fragmentStart(SCOPE), fragmentLength(SCOPE));
  principalRolesSlot = roleNameLength == 0 ? NO_SLOT : principalSlot(roleNameStart, roleNameLength);
  resourceVersionSlot = resourceSlot(fragmentStart(VERSION), fragmentLength(VERSION));
  resourceScopeSlot = resourceSlot(fragmentStart(SCOPE), fragmentLength(SCOPE));
}

/** The slot of a principal attribute, or NO_SLOT. `start` and `length` are the key's unescaped UTF-8 bytes. */
export function principalSlot(start: usize, length: u32): i32 {
  const slot = find(principalNames, start, length);
  if (slot != NO_SLOT) return slot;
  if (length == roleNameLength && length != 0 && equalBytes(start, roleNameStart, length))
    return firstReserved + 2;
  return reservedSlot(start, length);
}

/** The slot of a resource attribute, or NO_SLOT. */
export function resourceSlot(start: usize, length: u32): i32 {
  const slot = find(resourceNames, start, length);
  return slot != NO_SLOT ? slot : reservedSlot(start, length);
}

function reservedSlot(start: usize, length: u32): i32 {
  if (length == fragmentLength(VERSION) && equalBytes(start, fragmentStart(VERSION), length))
    return firstReserved;
  if (length == fragmentLength(SCOPE) && equalBytes(start, fragmentStart(SCOPE), length))
    return firstReserved + 1;
  return NO_SLOT;
}

function find(table: usize, start: usize, length: u32): i32 {
  if (table == 0) return NO_SLOT;
  const mask = load<u32>(table);
  const hash = hashBytes(start, length);
  let index = hash & mask;
  while (true) {
    const entry = table + 8 + ((<usize>index) << 4);
    const slot = load<u32>(entry, 12);
    if (slot == 0) return NO_SLOT;
    if (
      load<u32>(entry) == hash &&
      load<u32>(entry, 8) == length &&
      equalBytes(load<u32>(entry, 4), start, length)
    ) {
      return <i32>slot - 1;
    }
    index = (index + 1) & mask;
  }
}
