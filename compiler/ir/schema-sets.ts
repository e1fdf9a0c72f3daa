/** The schemas that policies attach to requests, each different pair once: equal policies share one entry of the bundle. */
import type { ResourcePolicy, SchemaReference } from "../policy/policy-set.ts";
import type { SchemaSet, SchemaUse } from "./program.ts";

const NONE = -1;

export class SchemaSets {
  readonly list: SchemaSet[] = [];
  readonly #ids = new Map<string, number>();

  /** Index of a policy's schemas, -1 when it has none. */
  id({
    principalSchema,
    resourceSchema,
  }: Pick<ResourcePolicy, "principalSchema" | "resourceSchema">): number {
    if (principalSchema === undefined && resourceSchema === undefined) return NONE;
    const set: SchemaSet = {
      ...(principalSchema === undefined ? {} : { principal: use(principalSchema) }),
      ...(resourceSchema === undefined ? {} : { resource: use(resourceSchema) }),
    };
    const key = JSON.stringify(set);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.list.length);
    return this.list.push(set) - 1;
  }
}

function use({ ref, ignoreActions }: SchemaReference): SchemaUse {
  return { ref, ignoreActions };
}
