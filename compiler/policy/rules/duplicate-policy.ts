/** Every policy key is defined once. Of two definitions, the one in the later file (by path) is reported. */
import { keyPlace, rootSpot } from "../decode/spot.ts";
import type { Registry } from "../registry.ts";

export function duplicatePolicy(registry: Registry): void {
  for (const entry of registry.entries) {
    const first = registry.get(entry.key);
    if (first !== undefined && first !== entry) {
      const { file, line } = keyPlace(first.document, rootSpot(first.document));
      const params = { key: entry.key, other: `${file}:${line}` };
      registry.reader(entry).atValue("EDICT2301", params, rootSpot(entry.document));
    }
  }
}
