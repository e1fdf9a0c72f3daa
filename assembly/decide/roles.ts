/**
 * Which of the principal's roles a role set matches. A role stands for itself and its parent roles (role policies at
 * exactly the requested scope). Answers for the first 64 roles are remembered as a bit mask per role set.
 */
import { STRING_SIZE, roleCount, roles, stringLength, stringStart } from "../decode/request";
import { burn } from "../memory/fuel";
import { matchesAny } from "./glob";
import { roleSymbol } from "./role-lists";
import { requestEpoch, resourceEpoch, roleMasks } from "./state";
import { resourceScopeSymbol } from "./subject";
import { hasRolePolicies, parentRolesOf, roleSetAt, symbolLength, symbolStart } from "./tables";

const MASK_BITS: u32 = 64;

/** Whether role `index` of the principal, or a parent of it, is in the role set. */
export function roleMatches(roleSet: u32, index: u32): bool {
  if (index >= MASK_BITS) return matchesRole(roleSetAt(roleSet), index);
  return ((maskOf(roleSet) >> index) & 1) != 0;
}

/** Whether any role of the principal is in the role set. */
export function anyRoleMatches(roleSet: u32): bool {
  if (maskOf(roleSet) != 0) return true;
  const list = roleSetAt(roleSet);
  for (let index = MASK_BITS; index < roleCount; index++) {
    if (matchesRole(list, index)) return true;
  }
  return false;
}

function maskOf(roleSet: u32): u64 {
  // Without role policies no role has parents, so the mask is the same for all resources of the request.
  const stamp = hasRolePolicies ? resourceEpoch : requestEpoch;
  const cell = roleMasks + ((<usize>roleSet) << 4);
  if (load<u32>(cell, 8) == stamp) return load<u64>(cell);
  const list = roleSetAt(roleSet);
  const count = roleCount < MASK_BITS ? roleCount : MASK_BITS;
  let mask: u64 = 0;
  for (let index: u32 = 0; index < count; index++) {
    if (matchesRole(list, index)) mask |= (<u64>1) << index;
  }
  store<u64>(cell, mask);
  store<u32>(cell, stamp, 8);
  return mask;
}

/** The same for a matcher list, found out anew. */
export function matchesRole(list: usize, index: u32): bool {
  burn(1 + load<u32>(list));
  const symbol = roleSymbol(index);
  const role = roles + <usize>index * STRING_SIZE;
  if (matchesAny(list, symbol, stringStart(role), stringLength(role))) return true;
  const parents = parentsOfRole(index);
  if (parents == 0) return false;
  const count = load<u32>(parents);
  for (let at: u32 = 0; at < count; at++) {
    const parent = load<u32>(parents + 4 + ((<usize>at) << 2));
    if (matchesAny(list, parent, symbolStart(parent), symbolLength(parent))) return true;
  }
  return false;
}

/** `u32 count | u32 symbol ...` of a role's parents for the current resource; 0 when there are none. */
export function parentsOfRole(index: u32): usize {
  return hasRolePolicies ? parentRolesOf(roleSymbol(index), resourceScopeSymbol) : 0;
}
