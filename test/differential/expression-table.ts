/**
 * A table of CEL expressions with what the real Cerbos makes of them (expressions.yaml), and the policy that
 * asks: one rule per expression, the expression as its output. Recorded by record-expressions.ts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { SourceFile } from "../../compiler/load/index.ts";
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import type { CheckRequest, OutputEntry } from "./interpreter/request.ts";

export const EXPRESSIONS = fileURLToPath(new URL("expressions.yaml", import.meta.url));

export interface ExpressionRow {
  readonly expr: string;
  /** The output's value, or the text of its error. */
  readonly val?: JsonValue;
  readonly error?: string;
  /** Why edict gives something else than Cerbos; `val` or `error` is then edict's. */
  readonly differs?: string;
  /** Why edict cannot compile the expression yet. */
  readonly pending?: string;
}

export function readExpressions(): readonly ExpressionRow[] {
  const rows: readonly ExpressionRow[] = parse(readFileSync(EXPRESSIONS, "utf8"));
  return rows;
}

/** The request whose attributes the expressions read. */
export const EXPRESSION_REQUEST: CheckRequest = {
  includeMeta: true,
  principal: { id: "p", roles: ["user"], attr: { a: 1 } },
  resources: [
    {
      actions: ["ask"],
      resource: {
        kind: "doc",
        id: "d",
        attr: { s: "str", n: 5, t: true, nul: null, l: [1, 2], m: { k: "v" }, bad: "bad!", bad2: "(" },
      },
    },
  ],
};

/** A policy with one rule per row. */
export function expressionPolicy(rows: readonly ExpressionRow[]): SourceFile {
  const rules = rows.map(({ expr }, index) => ({
    name: `row-${String(index).padStart(4, "0")}`,
    actions: ["ask"],
    roles: ["user"],
    effect: "EFFECT_ALLOW",
    output: { when: { ruleActivated: expr } },
  }));
  const policy = { resource: "doc", version: "default", rules };
  return {
    path: "expressions.json",
    // On many lines: error contexts of one long line make Cerbos slow to start.
    text: JSON.stringify({ apiVersion: "api.cerbos.dev/v1", resourcePolicy: policy }, null, 1),
  };
}

/** What each row gave, by its index. */
export function rowResults(
  outputs: readonly OutputEntry[],
): ReadonlyMap<number, { val?: JsonValue; error?: string }> {
  return new Map(
    outputs.map(({ src, val, error }) => [
      Number(src.slice(-4)),
      { ...(val === undefined ? {} : { val }), ...(error === undefined ? {} : { error }) },
    ]),
  );
}
