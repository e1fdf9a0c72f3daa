/**
 * scopePermissions is a property of the scope: all resource and principal policies in a scope agree about it, because
 * a decision consults the scope and not the policy. Role policies, where the field does nothing, do not count.
 */
import { keyPlace } from "../decode/spot.ts";
import type { Definition, Registry } from "../registry.ts";

const DEFAULT = "SCOPE_PERMISSIONS_OVERRIDE_PARENT";

export function scopePermissionsConflict(registry: Registry): void {
  const byScope = new Map<string, { value: string; definition: Definition }>();
  for (const definition of registry.definitions) {
    const { message, scope, reader, spot } = definition;
    const policy = message.resourcePolicy ?? message.principalPolicy;
    if (policy === undefined) {
      continue;
    }
    const given = policy.scopePermissions;
    const value = given === undefined || given === "SCOPE_PERMISSIONS_UNSPECIFIED" ? DEFAULT : given;
    const first = byScope.get(scope);
    if (first === undefined) {
      byScope.set(scope, { value, definition });
    } else if (first.value !== value) {
      const { file, line } = keyPlace(first.definition.reader.document, first.definition.spot);
      const params = { scope, own: `\`${value}\``, other: `\`${first.value}\``, file: `${file}:${line}` };
      reader.atKey("EDICT2304", params, spot);
    }
  }
}
