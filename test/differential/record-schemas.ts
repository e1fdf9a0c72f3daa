/**
 * Rewrites the results in schemas.yaml with what the real Cerbos answers, rows with `differs` excepted. Run with
 * `npx tsx test/differential/record-schemas.ts`; add a row by writing its `attr` alone.
 */
import { writeFile } from "node:fs/promises";
import { withPolicyDirectory } from "../support/cases.ts";
import { startCerbos } from "../support/cerbos.ts";
import {
  readSchemaGroups,
  SCHEMAS,
  type SchemaGroup,
  schemaRequest,
  schemaResult,
  schemaSources,
} from "./schema-table.ts";

const groups = readSchemaGroups();
const recorded = await withPolicyDirectory(schemaSources(groups), async (directory) => {
  const cerbos = await startCerbos(directory, { schema: { enforcement: "reject" } });
  try {
    const out: SchemaGroup[] = [];
    for (const { name, schema, rows } of groups) {
      const answered = [];
      for (const row of rows) {
        const { status, body } = await cerbos.check(schemaRequest(name, row.attr));
        if (row.differs !== undefined) answered.push(row);
        else if (status === 200) answered.push({ attr: row.attr, ...schemaResult(body) });
        else throw new Error(`${name}: status ${status} ${JSON.stringify(body)}`);
      }
      out.push({ name, schema, rows: answered });
    }
    return out;
  } finally {
    await cerbos.stop();
  }
});
// JSON is YAML, too; one row per line keeps the table short.
const text = recorded.map(
  ({ name, schema, rows }) =>
    `- name: ${JSON.stringify(name)}\n  schema: ${JSON.stringify(schema)}\n  rows:\n${rows.map((row) => `    - ${JSON.stringify(row)}\n`).join("")}`,
);
const header = "# JSON schemas, attributes, and what the real Cerbos 0.55.0 answers; see schema-table.ts.\n";
await writeFile(SCHEMAS, header + text.join(""));
