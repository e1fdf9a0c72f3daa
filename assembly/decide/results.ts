/**
 * The decisions of the current resource, kept until its response entry is written (JSON lists actions by name).
 *
 *   result (16 bytes) | u8 effect, 3 zero | u32 key kind | u32 scope symbol | u32 role policy block |
 */
import { compareBytes } from "../memory/bytes";
import { STRING_PLAIN, STRING_SIZE, stringFlags, stringLength, stringStart } from "../decode/request";

export const RESULT_SIZE: usize = 16;

/** Exported for a writer that keeps them in registers: the results, the order of the actions (u32 each), their string records. */
export let results: usize = 0;
export let order: usize = 0;
/** Where `beginResults` writes the order; known resources (known-resources.ts) bring theirs along. */
let ownOrder: usize = 0;
export let actionRecords: usize = 0;
/** Bytes of the longest action, and of all; whether none of them needs an escape in JSON. */
export let longestAction: u32 = 0;
export let actionBytes: u32 = 0;
export let areActionsPlain: bool = false;

/** Bytes that the results of resources with at most `most` actions need. */
export function resultsSize(most: u32): usize {
  return <usize>most * (RESULT_SIZE + 4);
}

/** Places them at `start`, and returns their end. */
export function placeResults(start: usize, most: u32): usize {
  results = start;
  ownOrder = start + <usize>most * RESULT_SIZE;
  order = ownOrder;
  return ownOrder + ((<usize>most) << 2);
}

/**
 * Begins the results of `count` actions, whose string records start at `actions`. `repeated` says that they are those of
 * the resource before, whose order then holds.
 */
export function beginResults(actions: usize, count: u32, repeated: bool): void {
  actionRecords = actions;
  if (repeated) return;
  order = ownOrder;
  longestAction = 0;
  actionBytes = 0;
  let flags = STRING_PLAIN;
  for (let index: u32 = 0; index < count; index++) {
    insert(index);
    const action = actionAt(index);
    const length = stringLength(action);
    if (length > longestAction) longestAction = length;
    actionBytes += length;
    flags &= stringFlags(action);
  }
  areActionsPlain = flags != 0;
}

/** Bytes that `keepOrder` writes before the order itself, u32 each. */
export const KEPT_ORDER: usize = 12;

/** Writes what holds for the current resource's `count` actions, whatever is decided, to `to`. */
export function keepOrder(to: usize, count: u32): void {
  store<u32>(to, longestAction);
  store<u32>(to, actionBytes, 4);
  store<u32>(to, areActionsPlain ? 1 : 0, 8);
  memory.copy(to + KEPT_ORDER, order, (<usize>count) << 2);
}

/** The same as `beginResults` for actions of which that was kept at `from`. */
export function recallOrder(actions: usize, from: usize): void {
  actionRecords = actions;
  longestAction = load<u32>(from);
  actionBytes = load<u32>(from, 4);
  areActionsPlain = load<u32>(from, 8) != 0;
  order = from + KEPT_ORDER;
}

export function setResult(index: u32, effect: i32, keyKind: u32, scope: u32, block: usize): void {
  const result = results + <usize>index * RESULT_SIZE;
  store<u32>(result, <u32>effect);
  store<u32>(result, keyKind, 4);
  store<u32>(result, scope, 8);
  store<u32>(result, <u32>block, 12);
}

export function resultEffect(index: u32): i32 {
  return load<i32>(results + <usize>index * RESULT_SIZE);
}

export function resultKeyKind(index: u32): u32 {
  return load<u32>(results + <usize>index * RESULT_SIZE, 4);
}

export function resultScope(index: u32): u32 {
  return load<u32>(results + <usize>index * RESULT_SIZE, 8);
}

export function resultBlock(index: u32): usize {
  return load<u32>(results + <usize>index * RESULT_SIZE, 12);
}

/** The action at `position` when actions are sorted by name. */
export function sortedAction(position: u32): u32 {
  return load<u32>(order + ((<usize>position) << 2));
}

/** The string record of an action. */
export function actionAt(index: u32): usize {
  return actionRecords + <usize>index * STRING_SIZE;
}

/** Insertion by binary search: actions come in request order, one per index. */
function insert(index: u32): void {
  const record = actionAt(index);
  let low: u32 = 0;
  let high: u32 = index;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(actionAt(sortedAction(middle)), record)) low = middle + 1;
    else high = middle;
  }
  const place = order + ((<usize>low) << 2);
  for (let at = order + ((<usize>index) << 2); at > place; at -= 4) store<u32>(at, load<u32>(at - 4));
  store<u32>(place, index);
}

function before(left: usize, right: usize): bool {
  return compareBytes(stringStart(left), stringLength(left), stringStart(right), stringLength(right)) < 0;
}
