/**
 * corpus/cel_eval/paths.json: calls of the path functions with the result each must have, or an error. Every row runs twice
 * per target: with the arguments as literals, and with them read from the resource's attributes.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import { EXPRESSION_REQUEST, expressionPolicy, rowResults } from "../differential/expression-table.ts";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { TARGETS } from "./targets.ts";

interface PathRow {
  readonly fn: string;
  readonly args: readonly JsonValue[];
  readonly want?: JsonValue;
  readonly wantErr?: boolean;
}

function readRows(): readonly PathRow[] {
  if (CORPUS === undefined) return [];
  return JSON.parse(readFileSync(corpusPath("cel_eval", "paths.json"), "utf8"));
}

/** A call with literal arguments; JSON texts are CEL literals. */
function literalCall({ fn, args }: PathRow): string {
  return `${fn}(${args.map((argument) => JSON.stringify(argument)).join(", ")})`;
}

/** The same call with arguments out of `R.attr.paths`, a list of each row's arguments. */
function attributeCall({ fn, args }: PathRow, row: number): string {
  return `${fn}(${args.map((_, argument) => `R.attr.paths[${row}][${argument}]`).join(", ")})`;
}

const ROWS = readRows();
const CALLS = [...ROWS.map(literalCall), ...ROWS.map(attributeCall)];
const EXPECTED = [...ROWS, ...ROWS];
/** The request of the expression table with the arguments of all rows among its attributes. */
const REQUEST = structuredClone(EXPRESSION_REQUEST);
for (const { resource } of REQUEST.resources) {
  Object.assign(resource, { attr: { ...resource.attr, paths: ROWS.map(({ args }) => args) } });
}
const TITLE = CORPUS === undefined ? `corpus/cel_eval (${NO_CORPUS})` : "corpus/cel_eval";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  describe.each(TARGETS)("on $name", (target) => {
    let results: ReturnType<typeof rowResults>;
    beforeAll(async () => {
      const policy = expressionPolicy(CALLS.map((expr) => ({ expr })));
      const ask = await (await target.prepare([policy])).withSettings({});
      results = rowResults(ask(REQUEST).results[0]?.outputs ?? []);
    });
    it.each(EXPECTED.map((row, index) => ({ call: `${CALLS[index]} of ${literalCall(row)}`, index, row })))(
      "$call",
      ({ index, row }) => {
        const { val, error } = results.get(index) ?? {};
        if (row.wantErr === true) expect(error).toBeDefined();
        else expect({ val, error }).toEqual({ val: row.want, error: undefined });
      },
    );
  });
});
