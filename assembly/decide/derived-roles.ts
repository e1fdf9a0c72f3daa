/**
 * Derived roles: the outcome of each one's condition, which of them are effective at a scope, and the union over the
 * visited scopes that a response lists.
 */
import {
  ERROR_DERIVED_ROLES,
  ERROR_MEMORY,
  OUTCOME_ERROR,
  OUTCOME_STOP,
  OUTCOME_TRUE,
  TRACE_DERIVED_ROLE,
} from "../abi";
import { fits } from "../memory/arena";
import { compareBytes } from "../memory/bytes";
import { NULL, fail, newList, ofString, setItem } from "../value/value";
import { anyRoleMatches } from "./roles";
import { condition, derivedOutcomes, resourceEpoch } from "./state";
import {
  BLOCK_DERIVED,
  BLOCK_DERIVED_COUNT,
  derivedRoleAt,
  derivedRoleCount,
  symbolLength,
  symbolStart,
} from "./tables";
import { trace, tracing } from "./trace";

const NAME: usize = 0;
const LISTED_PARENTS: usize = 8;
const CONDITION: usize = 12;

/** Symbols of the effective derived roles of the current resource, over all scopes visited so far. */
let listed: usize = 0;
export let listedCount: u32 = 0;
/** The resource block whose scope is being visited; 0 in the principal pass. */
let currentBlock: usize = 0;
/** Blocks already added to the list, to add each once per resource. */
let visited: usize = 0;
let visitedCount: u32 = 0;

/** Most scopes one chain can have: a scope string cannot hold more segments within the input limit that matter. */
const MAX_VISITED: u32 = 256;

/** Bytes that the list of any resource needs, bounded by the number of derived roles. */
export function derivedRolesSize(): usize {
  return (<usize>(derivedRoleCount + MAX_VISITED)) << 2;
}

/** Places the list at `start`, and returns its end. */
export function placeDerivedRoles(start: usize): usize {
  listed = start;
  visited = listed + ((<usize>derivedRoleCount) << 2);
  return visited + ((<usize>MAX_VISITED) << 2);
}

/** Starts a resource. */
export function beginDerivedRoles(): void {
  listedCount = 0;
  visitedCount = 0;
  currentBlock = 0;
}

/** Says which block's scope conditions are evaluated in (0: none, the principal pass). */
export function enterBlock(block: usize): void {
  currentBlock = block;
}

/** The condition of derived role `id` + 1; 0 for one without. */
export function derivedCondition(id: u32): u32 {
  return load<u32>(derivedRoleAt(id), CONDITION);
}

/** The outcome of derived role `id`'s own condition, whatever the principal's roles. */
export function derivedOutcome(id: u32): i32 {
  const cell = derivedOutcomes + ((<usize>id) << 2);
  const stamped = load<u32>(cell);
  if (stamped >> 2 == resourceEpoch) return <i32>(stamped & 3);
  const conditionId = derivedCondition(id);
  // A derived role's own condition sees no effective derived roles: it is one of those being computed.
  const block = currentBlock;
  currentBlock = 0;
  const outcome = conditionId == 0 ? OUTCOME_TRUE : condition(<i32>conditionId - 1);
  currentBlock = block;
  store<u32>(cell, (resourceEpoch << 2) | <u32>outcome);
  if (tracing) trace(TRACE_DERIVED_ROLE, id, outcome, 0);
  return outcome;
}

/** Adds the effective derived roles of a block to the resource's list. */
export function listDerivedRoles(block: usize): void {
  for (let index: u32 = 0; index < visitedCount; index++) {
    if (load<u32>(visited + ((<usize>index) << 2)) == <u32>block) return;
  }
  if (visitedCount < MAX_VISITED) {
    store<u32>(visited + ((<usize>visitedCount) << 2), <u32>block);
    visitedCount += 1;
  }
  const count = load<u32>(block, BLOCK_DERIVED_COUNT);
  const ids: usize = load<u32>(block, BLOCK_DERIVED);
  for (let index: u32 = 0; index < count; index++) {
    const id = load<u32>(ids + ((<usize>index) << 2));
    if (isEffective(id)) insertListed(load<u32>(derivedRoleAt(id), NAME));
  }
}

/** Symbol of the derived role at `index` of the list, which is sorted by name. */
export function listedAt(index: u32): u32 {
  return load<u32>(listed + ((<usize>index) << 2));
}

/**
 * `runtime.effectiveDerivedRoles`: names effective at the scope being visited, sorted. An error when one of them could
 * not be decided, so that a rule about roles never silently misses one.
 */
export function effectiveDerivedRoles(): u64 {
  if (currentBlock == 0) return newList(0);
  const count = load<u32>(currentBlock, BLOCK_DERIVED_COUNT);
  const ids: usize = load<u32>(currentBlock, BLOCK_DERIVED);
  if (!fits((<usize>count) << 4)) return fail(ERROR_MEMORY, NULL);
  const list = newList(count);
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const id = load<u32>(ids + ((<usize>index) << 2));
    if (!anyRoleMatches(load<u32>(derivedRoleAt(id), LISTED_PARENTS))) continue;
    const outcome = derivedOutcome(id);
    if (outcome == OUTCOME_ERROR || outcome == OUTCOME_STOP) return fail(ERROR_DERIVED_ROLES, NULL);
    if (outcome != OUTCOME_TRUE) continue;
    const symbol = load<u32>(derivedRoleAt(id), NAME);
    setItem(list, found, ofString(symbolStart(symbol), symbolLength(symbol)));
    found += 1;
  }
  return sortNames(list, found);
}

function isEffective(id: u32): bool {
  return anyRoleMatches(load<u32>(derivedRoleAt(id), LISTED_PARENTS)) && derivedOutcome(id) == OUTCOME_TRUE;
}

function insertListed(symbol: u32): void {
  let at: u32 = 0;
  while (at < listedCount) {
    const other = listedAt(at);
    if (other == symbol) return;
    if (compareBytes(symbolStart(other), symbolLength(other), symbolStart(symbol), symbolLength(symbol)) > 0)
      break;
    at += 1;
  }
  const place = listed + ((<usize>at) << 2);
  memory.copy(place + 4, place, (<usize>(listedCount - at)) << 2);
  store<u32>(place, symbol);
  listedCount += 1;
}

/** Insertion sort of the first `count` names; shortens the list to them. Derived roles of one policy are few. */
function sortNames(list: u64, count: u32): u64 {
  const cell = <usize>(<u32>list);
  store<u32>(cell, count);
  for (let index: u32 = 1; index < count; index++) {
    const item = load<u64>(cell + 8 + ((<usize>index) << 3));
    let at = index;
    while (at > 0) {
      const before = load<u64>(cell + ((<usize>at) << 3));
      if (compareNames(before, item) <= 0) break;
      store<u64>(cell + 8 + ((<usize>at) << 3), before);
      at -= 1;
    }
    store<u64>(cell + 8 + ((<usize>at) << 3), item);
  }
  return list;
}

function compareNames(left: u64, right: u64): i32 {
  const leftCell = <usize>(<u32>left);
  const rightCell = <usize>(<u32>right);
  return compareBytes(
    load<u32>(leftCell),
    load<u32>(leftCell, 4),
    load<u32>(rightCell),
    load<u32>(rightCell, 4),
  );
}
