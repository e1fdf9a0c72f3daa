/**
 * Every row of expressions.yaml on the reference interpreter and on the guest, debug and release. Of an error only its being one is compared: cel-go words
 * the same failure in many ways. Rows that edict cannot compile yet must fail to compile, each by itself.
 */
import { describe, expect, it } from "vitest";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf, type Build } from "../support/engines.ts";
import { timesEffort } from "../support/effort.ts";
import { programOf } from "../support/programs.ts";
import {
  EXPRESSION_REQUEST,
  type ExpressionRow,
  expressionPolicy,
  readExpressions,
  rowResults,
} from "./expression-table.ts";
import { check } from "./interpreter/decide.ts";
import type { OutputEntry } from "./interpreter/request.ts";

const NOW_MS = 1_600_000_000_000;
const NOW = BigInt(NOW_MS) * 1_000_000n;
const ALL = readExpressions();
/** So many that the outputs of one request stay within the guest's budgets. */
const ROWS_PER_REQUEST = 100;
/** Every request's rows are a policy set to compile. */
const TIMEOUT_MS = 300_000;
const ROWS = ALL.filter(({ pending }) => pending === undefined);
/** Which rows each build answers: the debug build, which exists for its assertions, a third of them in a usual run. */
const SHARE: Readonly<Record<Build, number>> = { release: 1, debug: Math.min(1, timesEffort(100) / 300) };

describe("the interpreter", () => {
  it("gives for every expression what Cerbos gives", () => {
    const { program, diagnostics } = programOf([expressionPolicy(ROWS)]);
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual(
      [],
    );
    if (program === undefined) throw new Error("the table does not compile");
    const response = check(program, EXPRESSION_REQUEST, { onError: "compatible", now: NOW });
    expect(wrongRows(ROWS, response.results[0]?.outputs ?? [])).toEqual([]);
  });
});

describe.skipIf(!CORE_IS_BUILT)(`the guest${CORE_IS_BUILT ? "" : ` (${BUILD_CORE})`}`, () => {
  it.each(["release", "debug"] satisfies Build[])(
    "gives for the expressions what Cerbos gives, %s build",
    async (build) => {
      const wrong: unknown[] = [];
      const parts = Math.ceil(ROWS.length / ROWS_PER_REQUEST);
      for (let part = 0; part < Math.ceil(parts * SHARE[build]); part++) {
        // Dealt out like cards: rows that need much of one budget stand side by side in the table.
        const rows = ROWS.filter((_, index) => index % parts === part);
        const engine = await engineOf(
          [expressionPolicy(rows)],
          { onError: "compatible", clock: () => NOW_MS },
          build,
        );
        const answer = ask(engine, EXPRESSION_REQUEST, "json");
        if (!("response" in answer)) throw new Error(`part ${part}: ${answer.failure}`);
        wrong.push(...wrongRows(rows, answer.response.results[0]?.outputs ?? []));
        expect(engine.traps).toBe(0);
      }
      expect(wrong).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe("expressions not supported yet", () => {
  it("do not compile", () => {
    const pending = ALL.filter((row) => row.pending !== undefined);
    const compiling = pending.filter((row) =>
      programOf([expressionPolicy([row])]).diagnostics.every(({ severity }) => severity !== "error"),
    );
    expect(compiling).toEqual([]);
  });
});

/** The rows whose result is not the recorded one. */
function wrongRows(rows: readonly ExpressionRow[], outputs: readonly OutputEntry[]): readonly unknown[] {
  const results = rowResults(outputs);
  return rows.flatMap(({ expr, val, error }, index) => {
    const got = comparable(results.get(index) ?? {});
    const want = comparable({
      ...(val === undefined ? {} : { val }),
      ...(error === undefined ? {} : { error }),
    });
    return got === want ? [] : [{ expr, got, want }];
  });
}

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
