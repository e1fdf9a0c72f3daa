/**
 * corpus/cel_eval/cerbos_lib_exprs.json: expressions over the Cerbos function library, each of which must be true, or an
 * error. paths.json is run by cel-eval-paths.test.ts.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { EXPRESSION_REQUEST, expressionPolicy, rowResults } from "../differential/expression-table.ts";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { TARGETS } from "./targets.ts";

interface LibraryRow {
  readonly expr: string;
  readonly wantErr?: boolean;
}

function readRows(): readonly LibraryRow[] {
  if (CORPUS === undefined) return [];
  return JSON.parse(readFileSync(corpusPath("cel_eval", "cerbos_lib_exprs.json"), "utf8"));
}

const ROWS = readRows();
const TITLE = CORPUS === undefined ? `corpus/cel_eval (${NO_CORPUS})` : "corpus/cel_eval";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  describe.each(TARGETS)("on $name", (target) => {
    let results: ReturnType<typeof rowResults>;
    beforeAll(async () => {
      const ask = await (await target.prepare([expressionPolicy(ROWS)])).withSettings({});
      results = rowResults(ask(EXPRESSION_REQUEST).results[0]?.outputs ?? []);
    });
    it.each(ROWS.map((row, index) => ({ row, expr: row.expr, index })))("$expr", ({ index, row }) => {
      const { val, error } = results.get(index) ?? {};
      if (row.wantErr === true) expect(error).toBeDefined();
      else expect({ val, error }).toEqual({ val: true, error: undefined });
    });
  });
});
