/**
 * Every scope above a resource or principal policy, up to the root, has a policy for the same name and version. Role
 * policies are exempt, and one that covers the resource at the missing scope stands in for a resource policy (with a
 * warning: Cerbos then drops the descendant silently). Reported at the descendants of the missing policy.
 */
import { policyKey, sanitiseName, SCOPE_PATTERN, scopeAncestors } from "../names.ts";
import { peekList, peekText } from "../peek.ts";
import type { Entry, Registry } from "../registry.ts";
import { mayMatch } from "../resource-pattern.ts";

/** Descendants of one missing policy that are reported: thousands would say no more than the first few. */
const MAX_DESCENDANTS = 20;

export function missingAncestor(registry: Registry): void {
  const reported = new Map<string, number>();
  let rolePolicies: ReadonlyMap<string, readonly Entry[]> | undefined;
  for (const entry of registry.entries) {
    const { kind, name, version, scope, key, spot } = entry;
    const chained = kind === "resource" || kind === "principal";
    // A malformed scope is reported as such; it has no ancestors that could be missing.
    if (!chained || !SCOPE_PATTERN.test(peekText(spot.node, "scope") ?? "")) {
      continue;
    }
    for (const ancestor of scopeAncestors(scope)) {
      const missing = policyKey(kind, name, version, ancestor);
      const reports = reported.get(missing) ?? 0;
      if (
        registry.get(missing) !== undefined ||
        reports >= MAX_DESCENDANTS ||
        registry.mayBeUnreadable(name)
      ) {
        continue;
      }
      reported.set(missing, reports + 1);
      rolePolicies ??= rolePoliciesByPlace(registry);
      const candidates = kind === "resource" ? (rolePolicies.get(`${version}/${ancestor}`) ?? []) : [];
      const standIn = candidates.find((candidate) => covers(candidate, sanitiseName(name)));
      if (standIn === undefined) {
        registry.reader(entry).atKey("EDICT2303", { missing, key }, spot);
      } else {
        registry.reader(entry).atKey("EDICT2307", { missing, key, role: standIn.key }, spot);
      }
    }
  }
}

function rolePoliciesByPlace({ entries }: Registry): ReadonlyMap<string, readonly Entry[]> {
  const byPlace = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (entry.kind === "role") {
      const place = `${entry.version}/${entry.scope}`;
      const group = byPlace.get(place);
      if (group === undefined) {
        byPlace.set(place, [entry]);
      } else {
        group.push(entry);
      }
    }
  }
  return byPlace;
}

function covers({ spot }: Entry, kind: string): boolean {
  return peekList(spot.node, "rules").some((rule) => mayMatch(peekText(rule, "resource") ?? "", kind));
}
