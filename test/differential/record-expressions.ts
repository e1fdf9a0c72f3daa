/**
 * Rewrites the results in expressions.yaml with what the real Cerbos answers, rows with `differs` excepted. Run with
 * `npx tsx test/differential/record-expressions.ts`; add a row by writing its `expr` alone.
 */
import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { startCerbos } from "../support/cerbos.ts";
import { withPolicyDirectory } from "../support/cases.ts";
import {
  EXPRESSION_REQUEST,
  EXPRESSIONS,
  expressionPolicy,
  readExpressions,
  rowResults,
  type ExpressionRow,
} from "./expression-table.ts";

const rows = readExpressions();
const results = await withPolicyDirectory([expressionPolicy(rows)], async (directory) => {
  const cerbos = await startCerbos(directory);
  try {
    const { body } = await cerbos.check(EXPRESSION_REQUEST);
    return rowResults(body.results[0]?.outputs ?? []);
  } finally {
    await cerbos.stop();
  }
});
const recorded: ExpressionRow[] = [];
for (const [index, row] of rows.entries()) {
  const { expr, pending } = row;
  const result = results.get(index);
  if (row.differs === undefined)
    recorded.push({ expr, ...result, ...(pending === undefined ? {} : { pending }) });
  else recorded.push(row);
}
const header = "# Expressions and their results on the real Cerbos 0.55.0; see expression-table.ts.\n";
await writeFile(EXPRESSIONS, header + stringify(recorded, { lineWidth: 120 }));
