/** The schemas that a resource policy names can be loaded. */
import type { Definition, Registry } from "../registry.ts";

export function invalidSchema({ message, reader }: Definition, { schemas }: Registry): void {
  const { principalSchema, resourceSchema } = message.resourcePolicy?.schemas ?? {};
  for (const [role, schema] of [
    ["principal", principalSchema],
    ["resource", resourceSchema],
  ] as const) {
    const ref = schema?.ref;
    const problem = ref === undefined ? undefined : schemas.problem(ref.value);
    if (ref !== undefined && problem !== undefined) {
      reader.atKey("EDICT2308", { role, ref: ref.value, problem }, ref.spot);
    }
  }
}
