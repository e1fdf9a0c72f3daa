/**
 * corpus/cel_spec: the conformance suite of CEL on the compiled policy language. Every expression is the output of a rule,
 * wrapped in a condition that compares its result exactly (cel-spec-values.ts); an expected error may come from the
 * compiler or at run time. Left out: bindings to names that CEL cannot bind locally, declarations without a value, containers,
 * disabled macros, cases that are only checked, expectations that are messages, and language that edict refuses by name.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { UNSUPPORTED_YET } from "../../compiler/cel/builtins/unsupported-yet.ts";
import { EXPRESSION_REQUEST, expressionPolicy, rowResults } from "../differential/expression-table.ts";
import { CORPUS, corpusCases, NO_CORPUS } from "../support/corpus.ts";
import { programOf } from "../support/programs.ts";
import { CEL_SPEC_KNOWN } from "./cel-spec-known.ts";
import { isExactly, literal, NoLiteral, type SpecValue } from "./cel-spec-values.ts";
import { TARGETS, unlessKnown } from "./targets.ts";

interface SpecTest {
  readonly name: string;
  readonly expr: string;
  readonly disableMacros?: boolean;
  readonly checkOnly?: boolean;
  readonly container?: string;
  readonly typeEnv?: readonly unknown[];
  readonly bindings?: Readonly<Record<string, { readonly value?: SpecValue }>>;
  readonly value?: SpecValue;
  readonly typedResult?: { readonly result?: SpecValue };
  readonly evalError?: unknown;
}
interface SpecFile {
  readonly section?: readonly { readonly name: string; readonly test: readonly SpecTest[] }[];
}
interface Row {
  readonly name: string;
  readonly expr: string;
  readonly wantsError: boolean;
}

/** Language that edict refuses by name for now: message literals and zones of the IANA database. */
const NOT_YET = /google\.protobuf\.\w+\s*\{|\.get\w+\(\s*['"][A-Za-z]+\/\w+['"]\s*\)|\.sortBy\(/u;
/** Rows per module: the results of one module must fit one answer. */
const BATCH = 400;

const ROWS = corpusCases<SpecFile>("cel_spec").flatMap(({ name: file, data }) =>
  (data.section ?? []).flatMap((section) =>
    section.test.flatMap((test) => rowOf(`${file}/${section.name}/${test.name}`, test) ?? []),
  ),
);

function rowOf(name: string, test: SpecTest): Row | undefined {
  if (test.disableMacros === true || test.checkOnly === true || test.container !== undefined)
    return undefined;
  if (NOT_YET.test(test.expr) || usesUnsupported(test.expr)) return undefined;
  const bindings = Object.entries(test.bindings ?? {});
  // Declared without a value, or with a name that is qualified or reserved: nothing in a policy is like it.
  if ((test.typeEnv ?? []).length > bindings.length) return undefined;
  if (bindings.some(([bound]) => !/^(?!(?:true|false|null|in)$)\w+$/u.test(bound))) return undefined;
  const wanted = test.typedResult?.result ?? test.value;
  const wantsError = test.evalError !== undefined;
  try {
    let expr = `(${test.expr}\n)`;
    if (!wantsError) {
      if (wanted === undefined) return undefined;
      expr = `cel.bind(edict_result, dyn(${expr}), ${isExactly("edict_result", wanted)})`;
    }
    for (const [bound, { value }] of bindings.reverse()) {
      if (value === undefined) return undefined;
      expr = `cel.bind(${bound}, ${literal(value)}, ${expr})`;
    }
    return { name, expr, wantsError };
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

function usesUnsupported(expr: string): boolean {
  return [...UNSUPPORTED_YET.keys()].some((name) => new RegExp(`\\b${name}\\(`, "u").test(expr));
}

/** The compiler's first error, for the rows that do not compile. */
function compileErrors(): ReadonlyMap<string, string> {
  return new Map(
    ROWS.flatMap((row): [string, string][] => {
      const error = programOf([expressionPolicy([row])]).diagnostics.find(
        ({ severity }) => severity === "error",
      );
      return error === undefined ? [] : [[row.name, error.message]];
    }),
  );
}

const TITLE = CORPUS === undefined ? `corpus/cel_spec (${NO_CORPUS})` : "corpus/cel_spec";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  const refused = compileErrors();
  const compiled = ROWS.filter(({ name }) => !refused.has(name));

  describe.each(TARGETS)("on $name", (target) => {
    const results = new Map<string, { val?: unknown; error?: string }>();
    beforeAll(async () => {
      for (let start = 0; start < compiled.length; start += BATCH) {
        const batch = compiled.slice(start, start + BATCH);
        const ask = await (await target.prepare([expressionPolicy(batch)])).withSettings({});
        const answers = rowResults(ask(EXPRESSION_REQUEST).results[0]?.outputs ?? []);
        for (const [index, { name }] of batch.entries()) results.set(name, answers.get(index) ?? {});
      }
    }, 120_000);

    it.each(ROWS.map((row) => [row.name, row] as const))("%s", (name, { wantsError }) =>
      unlessKnown(CEL_SPEC_KNOWN, name, async () => {
        const problem = refused.get(name);
        const result = problem === undefined ? results.get(name) : { error: problem };
        if (wantsError) expect(result?.error).toBeDefined();
        else expect(result).toEqual({ val: true });
      }),
    );
  });
});
