/**
 * Shortlists: of all rows that the resource pass looks at for an action, those that speak about it to one of the principal's
 * roles, in the order in which decide.ts tries them. They follow from the policies and five names alone (kind, version,
 * scope, action, roles), so they are kept from request to request, in slots that the next one with the same hash takes over.
 * What a shortlist cannot say is left to decide.ts, which comes to the same: role policies, roles meant by globs, outputs,
 * parental consent, strict mode, an action that no policy mentions, long lists, many roles, and whatever asks for more than
 * the effect.
 *
 *   slot (SLOT_SIZE)   | u32 kind | u32 version | u32 scope | u32 action | u64 role list |
 *                      | u32 end | at once (0 = left to decide.ts) | u32 cost | u64 which filling it is from | segment ... |
 *   segment            | u32 block | u32 fuel | u32 role << 1 | has deny | u32 end | entry ... |
 *   entry    (8 bytes) | u32 deny << 31 | derived role + 1 | u32 condition + 1 |
 *
 * A segment is one role at one scope that has a policy. A derived role without a condition is as good as none.
 *
 * INVARIANT: what a slot holds does not depend on the request that filled it, nor does the fuel that its use takes: what
 * filling it has cost is burnt at every use.
 */
import { EFFECT_DENY, ON_ERROR_STRICT, OUTCOME_FALSE, OUTCOME_TRUE } from "../abi";
import { roleCount, stringLength, stringStart } from "../decode/request";
import { burn, fuelLeft, outOfFuel, refuel } from "../memory/fuel";
import { derivedCondition, derivedOutcome, enterBlock } from "./derived-roles";
import { matchesAny } from "./glob";
import { ALLOWED, DENIED, SCOPE_FUEL, UNDECIDED } from "./pass";
import { roleList } from "./role-lists";
import { matchesRole } from "./roles";
import { condition, onError } from "./state";
import {
  actionSymbolOf,
  chainBlock,
  chainLength,
  kindSymbol,
  resourceFirstScope,
  resourceVersionSymbol,
} from "./subject";
import {
  BLOCK_FLAGS,
  BLOCK_OTHER_ACTIONS,
  BLOCK_PARENTAL_CONSENT,
  BLOCK_ROWS,
  LIST_HAS_DENY,
  LIST_HAS_OUTPUTS,
  NO_SYMBOL,
  ROW_ACTION_GLOBS,
  ROW_CONDITION,
  ROW_DERIVED_ROLE,
  ROW_EFFECT,
  ROW_ROLE_SET,
  ROW_SIZE,
  hasRoleGlobs,
  hasRolePolicies,
  roleSetAt,
  rowListFor,
} from "./tables";

/** A power of two. */
const SLOTS: u32 = 4096;
const SLOT_SIZE: usize = 136;
const SLOT_ACTION: usize = 12;
const SLOT_ROLES: usize = 16;
const SLOT_END: usize = 24;
const SLOT_COST: usize = 28;
const SLOT_FILL: usize = 32;
const SLOT_HEAD: usize = 40;

/** In SLOT_END: the first entry allows whatever the request holds. */
const AT_ONCE: u32 = 1;

const SEGMENT_FUEL: usize = 4;
const SEGMENT_ROLE: usize = 8;
const SEGMENT_END: usize = 12;
const SEGMENT_HEAD: usize = 16;

const ENTRY_SIZE: usize = 8;
const ENTRY_CONDITION: usize = 4;
const ENTRY_DENIES: u32 = 0x80000000;

/** What filling one slot may burn: less than every decision brings with it (FUEL_PER_DECISION). */
const FILL_FUEL: i64 = 1000;

let slots: usize = 0;
/** Of what the slots of the current resource follow from, all but the action. */
let resourceHash: u32 = 0;
/** Slots that were filled so far. */
let fills: u64 = 0;

/**
 * The slots of the actions of a list:
 *
 *   u64 sum of their SLOT_FILL | u64 role list (0 = none) | u32 slot (0 = left to decide.ts) ... |
 *
 * Fillings are numbered upwards, so with the same sum no slot has been filled again.
 */
const LISTED_ROLES: usize = 8;
export const LISTED_HEAD: usize = 16;

/** The list of the current resource (0 = its actions are not decided by `listedShortlist`). */
let listed: usize = 0;
/** Whether it holds; if not, whether it is being written, with which sum so far. */
let isListed: bool = false;
let isListing: bool = false;
let listedSum: u64 = 0;

/** Reserves the region from `start` on, empty; returns the first byte behind it. */
export function placeShortlists(start: usize): usize {
  slots = (start + 63) & ~63;
  memory.fill(slots, 0, <usize>SLOTS * SLOT_SIZE);
  return slots + <usize>SLOTS * SLOT_SIZE;
}

/** Whether the resolved principal, the policies and the way errors count leave anything to shortlists. */
export function hasShortlists(): bool {
  return roleList != 0 && !hasRolePolicies && !hasRoleGlobs && onError != ON_ERROR_STRICT;
}

/** Begins a resource other than the one before, with shortlists. */
export function beginShortlists(): void {
  const hash: u32 =
    (kindSymbol * 0x9e3779b1) ^
    (resourceVersionSymbol * 0xc2b2ae35) ^
    (resourceFirstScope * 0x27d4eb2f) ^
    (<u32>roleList * 0x165667b1);
  resourceHash = hash ^ (hash >> 15);
}

/** Bytes that lists of at most `most` actions need. */
export function listedSize(most: u32): usize {
  return LISTED_HEAD + ((<usize>most) << 2);
}

/** Forgets the list at `place`. */
export function clearListed(place: usize): void {
  store<u64>(place, 0, LISTED_ROLES);
}

/**
 * Begins the `count` actions of a resource, whose list is at `place`: empty, or that of a resource with the same actions, kind, version and
 * scope. `isUsed` says that all of them are decided by `listedShortlist`, one after the other.
 */
export function beginListed(place: usize, count: u32, isUsed: bool): void {
  listed = isUsed ? place : 0;
  if (!isUsed) return;
  isListed = load<u64>(place, LISTED_ROLES) == roleList && sumOf(place, count) == load<u64>(place);
  isListing = !isListed;
  listedSum = 0;
}

function sumOf(place: usize, count: u32): u64 {
  const end = place + listedSize(count);
  let sum: u64 = 0;
  for (let at = place + LISTED_HEAD; at < end; at += 4) {
    const slot: usize = load<u32>(at);
    if (slot != 0) sum += load<u64>(slot, SLOT_FILL);
  }
  return sum;
}

/** `shortlistOf` for action `index` of the list. */
export function listedShortlist(record: usize, index: u32): usize {
  const place = listed + LISTED_HEAD + ((<usize>index) << 2);
  if (isListed) {
    const slot: usize = load<u32>(place);
    if (slot != 0) {
      burn(load<u32>(slot, SLOT_COST));
      return slot;
    }
    const before = fills;
    const other = shortlistOf(record);
    // It may be the slot of an action behind it that has been filled.
    if (fills != before) isListed = false;
    return other;
  }
  const slot = shortlistOf(record);
  if (isListing) {
    store<u32>(place, <u32>slot);
    if (slot != 0) listedSum += load<u64>(slot, SLOT_FILL);
  }
  return slot;
}

/** Ends the actions of a resource. */
export function endListed(): void {
  if (listed == 0 || !isListing) return;
  store<u64>(listed, listedSum);
  store<u64>(listed, roleList, LISTED_ROLES);
}

/** With shortlists, that of an action (its string record) of the current resource; 0 when it is left to decide.ts. */
export function shortlistOf(record: usize): usize {
  const action = actionSymbolOf(record);
  if (action == NO_SYMBOL) return 0;
  const slot = slots + <usize>((resourceHash + action) & (SLOTS - 1)) * SLOT_SIZE;
  const differs =
    (load<u32>(slot) ^ kindSymbol) |
    (load<u32>(slot, 4) ^ resourceVersionSymbol) |
    (load<u32>(slot, 8) ^ resourceFirstScope) |
    (load<u32>(slot, SLOT_ACTION) ^ action);
  if (differs != 0 || load<u64>(slot, SLOT_ROLES) != roleList) refill(slot, record);
  burn(load<u32>(slot, SLOT_COST));
  return load<u32>(slot, SLOT_END) == 0 ? 0 : slot;
}

/** Gives a slot to an action of the current resource. */
function refill(slot: usize, record: usize): void {
  const action = actionSymbolOf(record);
  fills += 1;
  const fuel = fuelLeft();
  refuel(FILL_FUEL);
  const end = fill(slot + SLOT_HEAD, slot + SLOT_SIZE, action, stringStart(record), stringLength(record));
  store<u32>(slot, kindSymbol);
  store<u32>(slot, resourceVersionSymbol, 4);
  store<u32>(slot, resourceFirstScope, 8);
  store<u32>(slot, action, SLOT_ACTION);
  store<u64>(slot, roleList, SLOT_ROLES);
  store<u64>(slot, fills, SLOT_FILL);
  const atOnce: u32 = allowsAtOnce(slot + SLOT_HEAD, end) ? AT_ONCE : 0;
  // A glob that ran out of fuel has not been matched.
  store<u32>(slot, outOfFuel() ? 0 : <u32>end | atOnce, SLOT_END);
  // A role set of thousands may take more at once; it stays with what a decision brings along.
  store<u32>(slot, <u32>(outOfFuel() ? FILL_FUEL : FILL_FUEL - fuelLeft()), SLOT_COST);
  refuel(fuel);
}

/** Writes the segments of an action from `at` on, and returns their end; 0 when a shortlist cannot say it, or not before `limit`. */
function fill(at: usize, limit: usize, action: u32, start: usize, length: u32): usize {
  let fuel: u32 = 0;
  for (let role: u32 = 0; role < roleCount; role++) {
    for (let index: u32 = 0; index < chainLength; index++) {
      fuel += SCOPE_FUEL;
      const block = chainBlock(index);
      if (block == 0) continue;
      let list = rowListFor(block, action);
      const checkGlobs = list == 0;
      if (checkGlobs) list = load<u32>(block, BLOCK_OTHER_ACTIONS);
      const count = load<u32>(list);
      const flags = load<u32>(list, 4);
      if ((flags & LIST_HAS_OUTPUTS) != 0 || (load<u32>(block, BLOCK_FLAGS) & BLOCK_PARENTAL_CONSENT) != 0)
        return 0;
      // Long lists are tried from the start, where an early ALLOW ends them.
      if (at + SEGMENT_HEAD + <usize>count * ENTRY_SIZE > limit) return 0;
      fuel += count;
      const segment = at;
      const rows: usize = load<u32>(block, BLOCK_ROWS);
      at += SEGMENT_HEAD;
      for (let place: u32 = 0; place < count && !outOfFuel(); place++) {
        const row = rows + <usize>load<u32>(list + 8 + ((<usize>place) << 2)) * ROW_SIZE;
        // Not `roleMatches`: what that remembers would save fuel to those who come after it in this request.
        if (!matchesRole(roleSetAt(load<u32>(row, ROW_ROLE_SET)), role)) continue;
        const globs: usize = checkGlobs ? load<u32>(row, ROW_ACTION_GLOBS) : 0;
        if (globs != 0 && !matchesAny(globs, action, start, length)) continue;
        const derived = load<u32>(row, ROW_DERIVED_ROLE);
        const conditional = derived != 0 && derivedCondition(derived - 1) != 0;
        const denies = load<i32>(row, ROW_EFFECT) == EFFECT_DENY;
        store<u32>(at, (denies ? ENTRY_DENIES : 0) | (conditional ? derived : 0));
        store<u32>(at, load<u32>(row, ROW_CONDITION), ENTRY_CONDITION);
        at += ENTRY_SIZE;
      }
      // Where nobody speaks, only what looking there costs is left: it goes to the next segment.
      if (at == segment + SEGMENT_HEAD) {
        at = segment;
        continue;
      }
      store<u32>(segment, <u32>block);
      store<u32>(segment, fuel, SEGMENT_FUEL);
      store<u32>(segment, (role << 1) | ((flags & LIST_HAS_DENY) != 0 ? 1 : 0), SEGMENT_ROLE);
      store<u32>(segment, <u32>at, SEGMENT_END);
      fuel = 0;
    }
  }
  return at;
}

/** Whether the first entry of the segments between `first` and `end` allows without asking anything, and no row of its scope denies. */
function allowsAtOnce(first: usize, end: usize): bool {
  const entry = first + SEGMENT_HEAD;
  return (
    first < end &&
    (load<u32>(first, SEGMENT_ROLE) & 1) == 0 &&
    load<u32>(entry) == 0 &&
    load<u32>(entry, ENTRY_CONDITION) == 0
  );
}

/** The scope at which `decideByShortlist` came to its result. */
export let shortlistScope: u32 = NO_SYMBOL;

/** The resource pass by a shortlist: UNDECIDED, ALLOWED or DENIED, the latter two at `shortlistScope`. */
export function decideByShortlist(slot: usize): i32 {
  const end: usize = load<u32>(slot, SLOT_END);
  let result = UNDECIDED;
  let segment = slot + SLOT_HEAD;
  shortlistScope = NO_SYMBOL;
  if ((<u32>end & AT_ONCE) != 0) {
    if (!burn(load<u32>(segment, SEGMENT_FUEL))) return UNDECIDED;
    shortlistScope = load<u32>(load<u32>(segment));
    return ALLOWED;
  }
  while (segment < end) {
    const own = decideSegment(segment);
    if (own == ALLOWED) {
      shortlistScope = load<u32>(load<u32>(segment));
      return ALLOWED;
    }
    const role = load<u32>(segment, SEGMENT_ROLE) >> 1;
    if (own == DENIED && result == UNDECIDED) {
      result = DENIED;
      shortlistScope = load<u32>(load<u32>(segment));
    }
    segment = load<u32>(segment, SEGMENT_END);
    if (own == DENIED) segment = endOfRole(segment, end, role);
  }
  return result;
}

/** The first segment from `segment` on that is another role's: a denial ends its role, not the others. */
function endOfRole(segment: usize, end: usize, role: u32): usize {
  while (segment < end && load<u32>(segment, SEGMENT_ROLE) >> 1 == role)
    segment = load<u32>(segment, SEGMENT_END);
  return segment;
}

/** What one role comes to at one scope, as decide.ts's `resourceScope` would have it. */
function decideSegment(segment: usize): i32 {
  if (!burn(load<u32>(segment, SEGMENT_FUEL))) return UNDECIDED;
  enterBlock(load<u32>(segment));
  const end: usize = load<u32>(segment, SEGMENT_END);
  const hasDeny = (load<u32>(segment, SEGMENT_ROLE) & 1) != 0;
  let result = UNDECIDED;
  for (let entry = segment + SEGMENT_HEAD; entry < end; entry += ENTRY_SIZE) {
    const head = load<u32>(entry);
    const derived = head & ~ENTRY_DENIES;
    const active = derived == 0 ? OUTCOME_TRUE : derivedOutcome(derived - 1);
    if (active == OUTCOME_FALSE) continue;
    const conditionId = load<u32>(entry, ENTRY_CONDITION);
    const outcome = conditionId == 0 ? OUTCOME_TRUE : condition(<i32>conditionId - 1);
    if ((head & ENTRY_DENIES) != 0) {
      if (outcome != OUTCOME_FALSE) return DENIED;
    } else if (outcome == OUTCOME_TRUE && active == OUTCOME_TRUE) {
      if (!hasDeny) return ALLOWED;
      result = ALLOWED;
    }
  }
  return result;
}
