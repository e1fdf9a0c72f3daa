/**
 * Names as Cerbos writes them (COMPAT.md section 3): sanitised names, policy keys, scope chains, default rule names.
 * Pure text; knows nothing of which policies exist.
 */

export type PolicyKind =
  | "resource"
  | "principal"
  | "role"
  | "derived_roles"
  | "export_variables"
  | "export_constants";

/** Names with these parts only, separated by single colons, are sanitised; anything else is kept as it is. */
const SANITISED_NAME = /^[A-Za-z][\w@.\-/]*(:[A-Za-z][\w@.\-/]*)*$/;

/** A resource kind or principal id as it stands in keys: `album:object` becomes `album_object`. */
export function sanitiseName(name: string): string {
  return SANITISED_NAME.test(name) ? name.replace(/[^\w.]+/g, "_") : name;
}

/** Key of a policy that has versions and scopes, e.g. `resource.leave_request.vdefault/acme.hr`. */
export function policyKey(
  kind: "resource" | "principal" | "role",
  name: string,
  version: string,
  scope: string,
): string {
  const key = `${kind}.${sanitiseName(name)}.v${version}`;
  return scope === "" ? key : `${key}/${scope}`;
}

/** Key of a policy that is imported by name, e.g. `derived_roles.common`. */
export function moduleKey(
  kind: "derived_roles" | "export_variables" | "export_constants",
  name: string,
): string {
  return `${kind}.${sanitiseName(name)}`;
}

/** Scopes as written: names with single dots between them, "" or `.` for the root. */
export const SCOPE_PATTERN = /^(\.|[0-9a-zA-Z][\w-]*(\.\w[\w-]*)*)?$/;

/** A scope without its leading dot; `.` and "" are the root. */
export function normaliseScope(scope: string): string {
  return scope.startsWith(".") ? scope.slice(1) : scope;
}

/** Ancestors of a normalised scope, nearest first, the root ("") last; none for the root. */
export function scopeAncestors(scope: string): string[] {
  const ancestors: string[] = [];
  let rest = scope;
  while (rest !== "") {
    rest = rest.slice(0, Math.max(rest.lastIndexOf("."), 0));
    ancestors.push(rest);
  }
  return ancestors;
}

/** `rule-001` and so on; `index` is 0-based. */
export function defaultRuleName(index: number): string {
  return `rule-${String(index + 1).padStart(3, "0")}`;
}
