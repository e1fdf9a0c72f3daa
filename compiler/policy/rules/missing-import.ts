/** Everything that a policy imports exists and is not disabled. */
import type { Text } from "../decode/field.ts";
import { moduleKey } from "../names.ts";
import type { Definition, Registry } from "../registry.ts";

const KIND_NAMES = {
  derived_roles: "derived roles",
  export_variables: "variables",
  export_constants: "constants",
} as const;

export function missingImport(definition: Definition, registry: Registry): void {
  const { message } = definition;
  // The second of two policies with one key is reported as that, and as nothing else.
  if (registry.get(definition.key)?.document !== definition.document) {
    return;
  }
  check("derived_roles", message.resourcePolicy?.importDerivedRoles, definition, registry);
  const policy =
    message.resourcePolicy ?? message.principalPolicy ?? message.rolePolicy ?? message.derivedRoles;
  check("export_variables", policy?.variables?.import, definition, registry);
  check("export_constants", policy?.constants?.import, definition, registry);
}

function check(
  kind: keyof typeof KIND_NAMES,
  imports: readonly Text[] | undefined,
  { key, reader }: Definition,
  registry: Registry,
): void {
  for (const { value, spot } of imports ?? []) {
    if (registry.get(moduleKey(kind, value)) === undefined && !registry.mayBeUnreadable(value)) {
      reader.atKey("EDICT2302", { kind: KIND_NAMES[kind], name: value, key }, spot);
    }
  }
}
