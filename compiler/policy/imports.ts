/** Which policies are imported, directly or through a derivedRoles policy. Knows names only; decodes nothing. */
import type { Node } from "../load/node.ts";
import { textOf } from "./decode/field.ts";
import { moduleKey } from "./names.ts";
import { peekEntry, peekList } from "./peek.ts";
import type { Entry, Registry } from "./registry.ts";

/** Whether a policy only serves others, by import. */
export function isModule({ kind }: Entry): boolean {
  return kind === "derived_roles" || kind === "export_variables" || kind === "export_constants";
}

/** Keys of the modules that some policy which decides imports; they need not exist. */
export function importedKeys({ entries }: Registry): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const entry of entries) {
    if (!isModule(entry)) {
      addKeys("derived_roles", peekList(entry.spot.node, "importDerivedRoles"), keys);
      addNames(entry, keys);
    }
  }
  for (const entry of entries) {
    if (entry.kind === "derived_roles" && keys.has(entry.key)) {
      addNames(entry, keys);
    }
  }
  return keys;
}

function addNames({ spot: { node } }: Entry, keys: Set<string>): void {
  addKeys("export_variables", peekList(peekEntry(node, "variables")?.value, "import"), keys);
  addKeys("export_constants", peekList(peekEntry(node, "constants")?.value, "import"), keys);
}

function addKeys(kind: Parameters<typeof moduleKey>[0], names: readonly Node[], keys: Set<string>): void {
  for (const name of names) {
    const text = textOf(name);
    if (text !== undefined) {
      keys.add(moduleKey(kind, text));
    }
  }
}
