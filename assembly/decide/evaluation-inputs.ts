/**
 * What AuthZEN requests add to what conditions read: `request.action` and `request.context`, and stored properties that
 * the request's own go over. In requests of the other API the context is empty and an action has a name only.
 */
import { ERROR_MEMORY, TAG_ABSENT } from "../abi";
import { materialize } from "../decode/materialize";
import { stringLength, stringStart } from "../decode/request";
import { fits } from "../memory/arena";
import {
  ABSENT,
  countOf,
  fail,
  isError,
  keyAt,
  lengthOf,
  newMap,
  NULL,
  ofString,
  setEntry,
  startOf,
  tagOf,
  valueAt,
} from "../value/value";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";
import { fragment, fragmentLength, fragmentStart } from "./fragments";

const NAME = fragment("name");
const PROPERTIES = fragment("properties");

let action: usize = 0;
let actionProperties: u64 = ABSENT;
let context: u64 = ABSENT;
let principalStored: u64 = ABSENT;
let resourceStored: u64 = ABSENT;

/** Whether something read the action since `setAction` or `forgetActionRead`: then it holds for no other action. */
export let actionRead: bool = false;

/** Sets the action being decided (a string record) and its properties (raw, or ABSENT). */
export function setAction(record: usize, properties: u64): void {
  action = record;
  actionProperties = properties;
}

export function forgetActionRead(): void {
  actionRead = false;
}

/** Sets `request.context` (raw, or ABSENT). */
export function setContext(value: u64): void {
  context = value;
}

/** Sets the stored properties of the principal and the resource (raw, or ABSENT). */
export function setStored(principal: u64, resource: u64): void {
  principalStored = principal;
  resourceStored = resource;
}

export function inputActionName(): u64 {
  actionRead = true;
  return action == 0 ? ofString(0, 0) : ofString(stringStart(action), stringLength(action));
}

export function inputActionProperties(): u64 {
  actionRead = true;
  return mapOf(actionProperties);
}

export function inputAction(): u64 {
  const properties = inputActionProperties();
  if (isError(properties)) return properties;
  const map = newMap(2);
  setEntry(map, 0, ofString(fragmentStart(NAME), fragmentLength(NAME)), inputActionName());
  setEntry(map, 1, ofString(fragmentStart(PROPERTIES), fragmentLength(PROPERTIES)), properties);
  return map;
}

export function inputContext(): u64 {
  return mapOf(context);
}

/** `P.attr` and `R.attr` as whole maps: the request's own, and what is stored beside them. */
export function principalAttributes(own: u64): u64 {
  return over(own, principalStored);
}

export function resourceAttributes(own: u64): u64 {
  return over(own, resourceStored);
}

function mapOf(raw: u64): u64 {
  return tagOf(raw) == TAG_ABSENT ? newMap(0) : materialize(raw);
}

/** All entries of `own`, and those of `stored` under other keys. */
function over(own: u64, stored: u64): u64 {
  if (tagOf(stored) == TAG_ABSENT) return mapOf(own);
  if (tagOf(own) == TAG_ABSENT) return mapOf(stored);
  const first = materialize(own);
  if (isError(first)) return first;
  const second = materialize(stored);
  if (isError(second)) return second;
  const firstCount = countOf(first);
  const secondCount = countOf(second);
  let kept: u32 = 0;
  for (let index: u32 = 0; index < secondCount; index++)
    if (!hasKey(first, firstCount, keyAt(second, index))) kept++;
  if (!fits(8 + ((<usize>(firstCount + kept)) << 4))) return fail(ERROR_MEMORY, NULL);
  const map = newMap(firstCount + kept);
  for (let index: u32 = 0; index < firstCount; index++)
    setEntry(map, index, keyAt(first, index), valueAt(first, index));
  let next = firstCount;
  for (let index: u32 = 0; index < secondCount; index++) {
    const key = keyAt(second, index);
    if (!hasKey(first, firstCount, key)) setEntry(map, next++, key, valueAt(second, index));
  }
  return map;
}

/** Keys of decoded objects are strings. */
function hasKey(map: u64, count: u32, key: u64): bool {
  burn(count);
  const length = lengthOf(key);
  for (let index: u32 = 0; index < count; index++) {
    const other = keyAt(map, index);
    if (lengthOf(other) == length && equalBytes(startOf(other), startOf(key), length)) return true;
  }
  return false;
}
