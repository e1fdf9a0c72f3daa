/** schemas.yaml: effect and validation errors of every row, on release WASM, asked in JSON and in msgpack. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/index.ts";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf } from "../support/engines.ts";
import { readSchemaGroups, schemaRequest, schemaResult, schemaSources } from "./schema-table.ts";

const groups = readSchemaGroups();

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "schemas.yaml" : BUILD_CORE, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await engineOf(schemaSources(groups), { schemaEnforcement: "reject" });
  }, 120_000);

  it.each(groups.map(({ name, rows }) => [name, rows] as const))("%s", (name, rows) => {
    for (const { attr, effect, errors } of rows) {
      for (const format of ["json", "msgpack"] as const) {
        const answer = ask(engine, schemaRequest(name, attr), format);
        if ("failure" in answer) throw new Error(answer.failure);
        expect({ attr, ...schemaResult(answer.response) }).toEqual({ attr, effect, errors });
      }
    }
  });
});
