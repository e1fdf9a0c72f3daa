/**
 * What entries come to that begin with a prefix of decode/known-prefixes.ts: their kind, version and scope among the tables, the order of
 * their actions, and the shortlists of these. It depends on the bytes of the prefix and on the policies alone, except for the shortlists,
 * which say for whose roles they are. It lies in the prefix's slot from KNOWN_RESULT on:
 *
 *   u32 is known | u32 a policy speaks of the kind | subject.ts | results.ts | shortlist.ts |
 */
import { KNOWN_RESULT, KNOWN_SIZE, MOST_KNOWN_ACTIONS } from "../decode/known-prefixes";
import { RESOURCE_ACTIONS } from "../decode/request";
import { exhausted } from "../memory/arena";
import { KEPT_ORDER, keepOrder, recallOrder } from "./results";
import { LISTED_HEAD } from "./shortlist";
import { KEPT_RESOURCE_SIZE, keepResource, recallResource } from "./subject";
import { hasRolePolicies } from "./tables";

const EXISTS: usize = KNOWN_RESULT + 4;
const RESOURCE: usize = KNOWN_RESULT + 8;
const ORDER: usize = RESOURCE + KEPT_RESOURCE_SIZE;
const WORDS: usize = (<usize>MOST_KNOWN_ACTIONS) << 2;
const LISTED: usize = ORDER + KEPT_ORDER + WORDS;

if (LISTED + LISTED_HEAD + WORDS > KNOWN_SIZE) ERROR("a slot is too small for what is kept in it");

/** Whether it is known what `slot` comes to (0 = no slot). */
export function isKnown(slot: usize): bool {
  return slot != 0 && load<u32>(slot, KNOWN_RESULT) != 0;
}

/** Begins `record`, whose prefix is in `slot`, as resolving it and its actions would. Whether a policy speaks of its kind. */
export function recallKnown(slot: usize, record: usize): bool {
  recallResource(record, slot + RESOURCE);
  recallOrder(load<u32>(record, RESOURCE_ACTIONS), slot + ORDER);
  return load<u32>(slot, EXISTS) != 0;
}

/**
 * Makes what the current resource with its `count` actions came to known for the prefix in `slot`. False where that is not to be known:
 * without memory for a sanitised name the request is void, and so is what it came to; with role policies, finding out whether one speaks
 * of a kind costs fuel each time.
 */
export function makeKnown(slot: usize, count: u32, exists: bool): bool {
  if (exhausted || hasRolePolicies || !keepResource(slot + RESOURCE)) return false;
  keepOrder(slot + ORDER, count);
  store<u32>(slot, exists ? 1 : 0, EXISTS);
  store<u32>(slot, 1, KNOWN_RESULT);
  return true;
}

/** Where the shortlists of the actions in `slot` are listed; see `beginListed`. */
export function listedOf(slot: usize): usize {
  return slot + LISTED;
}
