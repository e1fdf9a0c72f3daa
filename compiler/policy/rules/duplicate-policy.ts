/** Every policy key is defined once. Of two definitions, the one in the later file (by path) is reported. */
import { keyPlace } from "../decode/spot.ts";
import type { Registry } from "../registry.ts";

export function duplicatePolicy(registry: Registry): void {
  for (const entry of registry.entries) {
    const first = registry.get(entry.key);
    if (first !== undefined && first !== entry) {
      const { file, line } = keyPlace(first.document, first.spot);
      registry.reader(entry).atKey("EDICT2301", { key: entry.key, other: `${file}:${line}` }, entry.spot);
    }
  }
}
