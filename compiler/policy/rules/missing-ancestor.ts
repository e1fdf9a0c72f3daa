/**
 * Every scope above a resource or principal policy, up to the root, has a policy for the same name and version. Role
 * policies are exempt, and one that covers the resource at the missing scope stands in for a resource policy (with a
 * warning: Cerbos then drops the descendant silently). One report for each missing policy, at its first descendant.
 */
import { policyKey, sanitiseName, scopeAncestors } from "../names.ts";
import type { Definition, Registry } from "../registry.ts";
import { mayMatch } from "../resource-pattern.ts";

export function missingAncestor(registry: Registry): void {
  const reported = new Set<string>();
  let rolePolicies: ReadonlyMap<string, readonly Definition[]> | undefined;
  for (const { kind, name, version, scope, key, reader, spot } of registry.definitions) {
    if (kind !== "resource" && kind !== "principal") {
      continue;
    }
    for (const ancestor of scopeAncestors(scope)) {
      const missing = policyKey(kind, name, version, ancestor);
      if (registry.get(missing) !== undefined || reported.has(missing) || registry.mayBeUnreadable(name)) {
        continue;
      }
      reported.add(missing);
      rolePolicies ??= rolePoliciesByPlace(registry);
      const candidates = kind === "resource" ? (rolePolicies.get(`${version}/${ancestor}`) ?? []) : [];
      const standIn = candidates.find((candidate) => covers(candidate, sanitiseName(name)));
      if (standIn === undefined) {
        reader.atKey("EDICT2303", { missing, key }, spot);
      } else {
        reader.atKey("EDICT2307", { missing, key, role: standIn.key }, spot);
      }
    }
  }
}

function rolePoliciesByPlace({ definitions }: Registry): ReadonlyMap<string, readonly Definition[]> {
  const byPlace = new Map<string, Definition[]>();
  for (const definition of definitions) {
    if (definition.kind === "role") {
      const place = `${definition.version}/${definition.scope}`;
      const group = byPlace.get(place);
      if (group === undefined) {
        byPlace.set(place, [definition]);
      } else {
        group.push(definition);
      }
    }
  }
  return byPlace;
}

function covers({ message }: Definition, kind: string): boolean {
  return (message.rolePolicy?.rules ?? []).some(({ resource }) => mayMatch(resource?.value ?? "", kind));
}
