/**
 * Every row of expressions.yaml on the reference interpreter. Of an error only its being one is compared: cel-go words
 * the same failure in many ways. Rows that edict cannot compile yet must fail to compile, each by itself.
 */
import { describe, expect, it } from "vitest";
import { programOf } from "../support/programs.ts";
import { EXPRESSION_REQUEST, expressionPolicy, readExpressions, rowResults } from "./expression-table.ts";
import { check } from "./interpreter/decide.ts";

const NOW = 1_600_000_000_000_000_000n;
const ALL = readExpressions();
const ROWS = ALL.filter(({ pending }) => pending === undefined);

describe("the interpreter", () => {
  it("gives for every expression what Cerbos gives", () => {
    const { program, diagnostics } = programOf([expressionPolicy(ROWS)]);
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual(
      [],
    );
    if (program === undefined) throw new Error("the table does not compile");
    const response = check(program, EXPRESSION_REQUEST, { onError: "compatible", now: NOW });
    const results = rowResults(response.results[0]?.outputs ?? []);
    const wrong = ROWS.flatMap(({ expr, val, error }, index) => {
      const got = comparable(results.get(index) ?? {});
      const want = comparable({
        ...(val === undefined ? {} : { val }),
        ...(error === undefined ? {} : { error }),
      });
      return got === want ? [] : [{ expr, got, want }];
    });
    expect(wrong).toEqual([]);
  });
});

describe("expressions not supported yet", () => {
  it.each(ALL.filter(({ pending }) => pending !== undefined))("$expr", (row) => {
    const { diagnostics } = programOf([expressionPolicy([row])]);
    expect(diagnostics.map(({ severity }) => severity)).toContain("error");
  });
});

/** Text that is equal for equal results: key order of maps, the sign of zero and the words of errors are free. */
function comparable({ val, error }: { readonly val?: unknown; readonly error?: string }): string {
  return error === undefined ? JSON.stringify(sortKeys(val)) : "an error";
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value === 0 ? 0 : value;
  const entries = Object.entries(value).map(([key, item]) => [key, sortKeys(item)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
