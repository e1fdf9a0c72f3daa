/** The schemas that policies attach to requests, each different pair once: equal policies share one entry of the bundle. */
import type { ResourcePolicy, SchemaReference } from "../policy/policy-set.ts";
import type { SchemaSet, SchemaUse } from "./program.ts";

const NONE = -1;

/** The schemas of one policy, and text that is equal for equal ones. */
export interface KeptSchemaSet {
  readonly key: string;
  readonly set: SchemaSet;
}

export class SchemaSets {
  readonly list: SchemaSet[] = [];
  readonly #ids = new Map<string, number>();
  readonly #kept: WeakMap<object, KeptSchemaSet>;

  /** @param kept by policy, from one set of policies to the next */
  constructor(kept = new WeakMap<object, KeptSchemaSet>()) {
    this.#kept = kept;
  }

  /** Index of a policy's schemas, -1 when it has none. */
  id(policy: Pick<ResourcePolicy, "principalSchema" | "resourceSchema">): number {
    const { principalSchema, resourceSchema } = policy;
    if (principalSchema === undefined && resourceSchema === undefined) return NONE;
    let kept = this.#kept.get(policy);
    if (kept === undefined) {
      const set: SchemaSet = {
        ...(principalSchema === undefined ? {} : { principal: use(principalSchema) }),
        ...(resourceSchema === undefined ? {} : { resource: use(resourceSchema) }),
      };
      kept = { key: JSON.stringify(set), set };
      this.#kept.set(policy, kept);
    }
    const known = this.#ids.get(kept.key);
    if (known !== undefined) return known;
    this.#ids.set(kept.key, this.list.length);
    return this.list.push(kept.set) - 1;
  }
}

function use({ ref, ignoreActions }: SchemaReference): SchemaUse {
  return { ref, ignoreActions };
}
