/** The schemas that policies attach to requests, each different pair once: equal policies share one entry of the bundle. */
import type { ResourcePolicy, SchemaReference } from "../policy/policy-set.ts";
import { NONE, type SchemaSet, type SchemaUse } from "./program.ts";

/** The schemas of one policy, and text that is equal for equal ones. */
export interface KeptSchemaSet {
  readonly key: string;
  readonly set: SchemaSet;
}

/** The schemas of a policy; undefined when it has none. */
export function keptSchemaSet({
  principalSchema,
  resourceSchema,
}: Pick<ResourcePolicy, "principalSchema" | "resourceSchema">): KeptSchemaSet | undefined {
  if (principalSchema === undefined && resourceSchema === undefined) return undefined;
  const set: SchemaSet = {
    ...(principalSchema === undefined ? {} : { principal: use(principalSchema) }),
    ...(resourceSchema === undefined ? {} : { resource: use(resourceSchema) }),
  };
  return { key: JSON.stringify(set), set };
}

export class SchemaSets {
  readonly list: SchemaSet[] = [];
  readonly #ids = new Map<string, number>();

  /** Index of a policy's schemas, -1 when it has none. */
  id(schemas: KeptSchemaSet | undefined): number {
    if (schemas === undefined) return NONE;
    const known = this.#ids.get(schemas.key);
    if (known !== undefined) return known;
    this.#ids.set(schemas.key, this.list.length);
    return this.list.push(schemas.set) - 1;
  }
}

function use({ ref, ignoreActions }: SchemaReference): SchemaUse {
  return { ref, ignoreActions };
}
