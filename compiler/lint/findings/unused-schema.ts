/** A schema that no policy names, directly or through the `$ref` of one that is named. */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { SCHEMA_DIRECTORY } from "../../load/layout.ts";
import type { JsonValue } from "../../policy/policy-set.ts";
import type { Review } from "../review.ts";
import { isObject, schemaId } from "../schemas.ts";

export function unusedSchema({ set }: Review): readonly Diagnostic[] {
  const used = new Set<string>();
  const visit = (id: string): void => {
    const document = set.schemas.get(id);
    if (document === undefined || used.has(id)) return;
    used.add(id);
    for (const reference of referencesOf(document)) visit(target(reference, id));
  };
  for (const { principalSchema, resourceSchema } of set.resourcePolicies) {
    for (const schema of [principalSchema, resourceSchema]) {
      const id = schema === undefined ? undefined : schemaId(schema.ref);
      if (id !== undefined) visit(id);
    }
  }
  return [...set.schemas.keys()]
    .filter((id) => !used.has(id))
    .map((id) => {
      const place = { file: `${SCHEMA_DIRECTORY}/${id}`, line: 1, column: 1, path: "$" };
      return diagnose("EDICT7009", { name: id }, place);
    });
}

/** The id that a `$ref` in the document `base` names. */
function target(reference: string, base: string): string {
  const url = new URL(reference, `cerbos:///${base}`);
  return url.protocol === "cerbos:" ? decodeURI(url.pathname).replace(/^\/+/, "") : "";
}

function* referencesOf(value: JsonValue): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* referencesOf(item);
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === "$ref" && typeof item === "string" && URL.canParse(item, "cerbos:///")) yield item;
    else yield* referencesOf(item);
  }
}
