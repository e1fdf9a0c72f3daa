/** Every policy key is defined once. Of two definitions, the one in the later file (by path) is reported. */
import { keyPlace } from "../decode/spot.ts";
import type { Registry } from "../registry.ts";

export function duplicatePolicy(registry: Registry): void {
  for (const definition of registry.definitions) {
    const first = registry.get(definition.key);
    if (first !== undefined && first !== definition) {
      const { file, line } = keyPlace(first.reader.document, first.spot);
      definition.reader.atKey("EDICT2301", { key: definition.key, other: `${file}:${line}` }, definition.spot);
    }
  }
}
