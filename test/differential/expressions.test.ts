/** Every row of expressions.yaml on the reference interpreter; how an error is worded is compared only with `differs` absent. */
import { describe, expect, it } from "vitest";
import { programOf } from "../support/programs.ts";
import { EXPRESSION_REQUEST, expressionPolicy, readExpressions, rowResults } from "./expression-table.ts";
import { check } from "./interpreter/decide.ts";

const NOW = 1_600_000_000_000_000_000n;

describe("expressions", () => {
  it("give what Cerbos gives", () => {
    const rows = readExpressions();
    const { program, diagnostics } = programOf([expressionPolicy(rows)]);
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([]);
    if (program === undefined) throw new Error("the table does not compile");
    const response = check(program, EXPRESSION_REQUEST, { onError: "compatible", now: NOW });
    const results = rowResults(response.results[0]?.outputs ?? []);
    const wrong = rows.flatMap(({ expr, differs: _, ...want }, index) => {
      const got = results.get(index) ?? {};
      return JSON.stringify(sortKeys(got)) === JSON.stringify(sortKeys(want)) ? [] : [{ expr, got, want }];
    });
    expect(wrong).toEqual([]);
  });
});

/** Key order of maps is free. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value === 0 ? 0 : value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}
