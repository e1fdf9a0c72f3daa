/**
 * Numbers for lists of roles: equal numbers, equal roles in the same order, as far as policies know them. Lists are kept from
 * request to request, each in one of a few places; a list that has lost its place gets another number when it comes again.
 *
 *   list (LIST_SIZE) | u64 number (0 = free) | u32 count | u32 zero | u32 symbol ... |
 */
import { STRING_SIZE, STRING_SYMBOL, roleCount, roles } from "../decode/request";

/** A power of two. */
const LISTS: u32 = 512;
/** Places where a list may be. */
const PROBES: u32 = 4;
const LIST_SIZE: usize = 72;
const LIST_COUNT: usize = 8;
const LIST_SYMBOLS: usize = 16;
const MOST_ROLES: u32 = 14;

let lists: usize = 0;
let lastNumber: u64 = 0;

/** The number of the resolved principal's roles; 0 for more than a list can hold. */
export let roleList: u64 = 0;

/** Reserves the region from `start` on, empty; returns the first byte behind it. */
export function placeRoleLists(start: usize): usize {
  lists = (start + 7) & ~7;
  memory.fill(lists, 0, <usize>LISTS * LIST_SIZE);
  roleList = 0;
  return lists + <usize>LISTS * LIST_SIZE;
}

/** The symbol of the principal's role `index`. */
export function roleSymbol(index: u32): u32 {
  return load<u32>(roles + <usize>index * STRING_SIZE, STRING_SYMBOL);
}

/** Finds the number of the principal's roles, whose symbols are known, or gives them one. */
export function numberRoles(): void {
  roleList = 0;
  if (roleCount > MOST_ROLES) return;
  let hash: u32 = 0;
  for (let index: u32 = 0; index < roleCount; index++) {
    hash = (hash ^ roleSymbol(index)) * 0x9e3779b1;
    hash ^= hash >> 15;
  }
  let list: usize = 0;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    list = placeOf(hash + probe);
    if (load<u64>(list) == 0) break;
    if (holds(list)) {
      roleList = load<u64>(list);
      return;
    }
  }
  lastNumber += 1;
  // Another one goes in turn when all places are taken.
  if (load<u64>(list) != 0) list = placeOf(hash + (<u32>lastNumber % PROBES));
  store<u64>(list, lastNumber);
  store<u32>(list, roleCount, LIST_COUNT);
  for (let index: u32 = 0; index < roleCount; index++)
    store<u32>(list + ((<usize>index) << 2), roleSymbol(index), LIST_SYMBOLS);
  roleList = lastNumber;
}

function placeOf(hash: u32): usize {
  return lists + <usize>(hash & (LISTS - 1)) * LIST_SIZE;
}

function holds(list: usize): bool {
  if (load<u32>(list, LIST_COUNT) != roleCount) return false;
  for (let index: u32 = 0; index < roleCount; index++) {
    if (load<u32>(list + ((<usize>index) << 2), LIST_SYMBOLS) != roleSymbol(index)) return false;
  }
  return true;
}
