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
import type { CheckResponse } from "./interpreter/request.ts";

const rows = readExpressions();
const results = await withPolicyDirectory([expressionPolicy(rows)], async (directory) => {
  const cerbos = await startCerbos(directory);
  try {
    const { body } = await cerbos.check(EXPRESSION_REQUEST);
    return rowResults((body as CheckResponse).results[0]?.outputs ?? []);
  } finally {
    await cerbos.stop();
  }
});
const recorded = rows.map(
  (row, index): ExpressionRow => {
    if (row.differs !== undefined) return row;
    return { expr: row.expr, ...results.get(index), ...(row.pending === undefined ? {} : { pending: row.pending }) };
  },
);
const header = "# Expressions and their results on the real Cerbos 0.55.0; see expression-table.ts.\n";
await writeFile(EXPRESSIONS, header + stringify(recorded, { lineWidth: 120 }));
