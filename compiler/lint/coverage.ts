/** Whether one rule's actions and roles include another's, whatever is asked. Says no where that is not certain. */
import { globMatches, isGlob, parseGlob } from "../ir/glob.ts";
import type { DerivedRole } from "../policy/policy-set.ts";

const EVERYTHING = "*";

/** Whether everything that `inner` matches is matched by `outer`; both are names or globs. */
export function patternCovers(outer: string, inner: string): boolean {
  if (outer === inner || outer === EVERYTHING) return true;
  if (isGlob(inner)) return false;
  const parsed = isGlob(outer) ? parseGlob(outer) : undefined;
  return parsed !== undefined && globMatches(parsed, inner);
}

/** Whether each pattern of `inner` is covered by one of `outer`. */
export function patternsCover(outer: readonly string[], inner: readonly string[]): boolean {
  return inner.every((pattern) => outer.some((candidate) => patternCovers(candidate, pattern)));
}

interface Roles {
  readonly roles: readonly string[];
  readonly derivedRoles: readonly DerivedRole[];
}

/** Whether whoever `inner` speaks of is somebody `outer` speaks of. A derived role is part of its parent roles. */
export function rolesCover(outer: Roles, inner: Roles): boolean {
  const derived = inner.derivedRoles.every(
    (role) => outer.derivedRoles.includes(role) || patternsCover(outer.roles, role.parentRoles),
  );
  return derived && patternsCover(outer.roles, inner.roles);
}
