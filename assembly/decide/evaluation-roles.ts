/** Roles that a verified token names, for deployments whose roles come from tokens only. */
import { ROLES_FROM_TOKEN } from "../abi";
import { clearEntity, ENTITY_ROLE_COUNT, ENTITY_ROLES } from "../decode/evaluation";
import { roleNameLength, roleNameStart, rolesOf, roleSource } from "../decode/evaluation-problems";
import { equalBytes } from "../memory/bytes";
import { countOf, keyAt, lengthOf, startOf, valueAt } from "../value/value";
import { inputAuxDataJwt } from "./inputs";

/** String records of the roles, and their number; 0 when no token names any. */
export let tokenRoles: usize = 0;
export let tokenRoleCount: u32 = 0;

const spareEntity = memory.data(144, 16);

/** Reads the roles from the claims that came with the request. */
export function rolesOfToken(): void {
  tokenRoles = 0;
  tokenRoleCount = 0;
  if (roleSource != ROLES_FROM_TOKEN) return;
  const claims = inputAuxDataJwt();
  const count = countOf(claims);
  for (let index: u32 = 0; index < count; index++) {
    const key = keyAt(claims, index);
    if (lengthOf(key) != roleNameLength || !equalBytes(startOf(key), roleNameStart, roleNameLength)) continue;
    clearEntity(spareEntity, 0);
    if (!rolesOf(valueAt(claims, index), spareEntity)) return;
    tokenRoles = load<u32>(spareEntity, ENTITY_ROLES);
    tokenRoleCount = load<u32>(spareEntity, ENTITY_ROLE_COUNT);
    return;
  }
}
