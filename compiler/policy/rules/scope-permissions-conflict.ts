/**
 * scopePermissions is a property of the scope: all resource and principal policies in a scope agree about it, because
 * a decision consults the scope and not the policy. Role policies, where the field does nothing, do not count.
 */
import { keyPlace } from "../decode/spot.ts";
import { peekText } from "../peek.ts";
import type { Entry, Registry } from "../registry.ts";

const DEFAULT = "SCOPE_PERMISSIONS_OVERRIDE_PARENT";

/** By number, and by name where another name means the same. */
const VALUES: Readonly<Record<string, string>> = {
  "": DEFAULT,
  "0": DEFAULT,
  "1": DEFAULT,
  "2": "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
  SCOPE_PERMISSIONS_UNSPECIFIED: DEFAULT,
};

export function scopePermissionsConflict(registry: Registry): void {
  const byScope = new Map<string, { value: string; entry: Entry }>();
  for (const entry of registry.entries) {
    const { kind, scope, spot } = entry;
    if (kind !== "resource" && kind !== "principal") {
      continue;
    }
    const given = peekText(spot.node, "scopePermissions") ?? "";
    const value = VALUES[given] ?? given;
    const first = byScope.get(scope);
    if (first === undefined) {
      byScope.set(scope, { value, entry });
    } else if (first.value !== value) {
      const { file, line } = keyPlace(first.entry.document, first.entry.spot);
      const where = scope === "" ? "the root scope" : `scope \`${scope}\``;
      const params = {
        scope: where,
        own: `\`${value}\``,
        other: `\`${first.value}\``,
        file: `${file}:${line}`,
      };
      registry.reader(entry).atKey("EDICT2304", params, spot);
    }
  }
}
