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
export function importedKeys(
  { entries }: Registry,
  keysOf: (entry: Entry) => readonly string[] = importsOf,
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const entry of entries) {
    if (!isModule(entry)) {
      for (const key of keysOf(entry)) keys.add(key);
    }
  }
  for (const entry of entries) {
    if (entry.kind === "derived_roles" && keys.has(entry.key)) {
      for (const key of keysOf(entry)) keys.add(key);
    }
  }
  return keys;
}

/** Keys of the modules that one policy imports itself; exports import nothing. */
export function importsOf({ kind, spot: { node } }: Entry): readonly string[] {
  const keys = new Set<string>();
  if (kind === "export_variables" || kind === "export_constants") return [];
  if (kind !== "derived_roles") addKeys("derived_roles", peekList(node, "importDerivedRoles"), keys);
  addKeys("export_variables", peekList(peekEntry(node, "variables")?.value, "import"), keys);
  addKeys("export_constants", peekList(peekEntry(node, "constants")?.value, "import"), keys);
  return [...keys];
}

function addKeys(kind: Parameters<typeof moduleKey>[0], names: readonly Node[], keys: Set<string>): void {
  for (const name of names) {
    const text = textOf(name);
    if (text !== undefined) {
      keys.add(moduleKey(kind, text));
    }
  }
}
