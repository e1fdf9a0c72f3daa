/**
 * corpus/cel_spec: the conformance suite of CEL on the compiled policy language. Every expression is the output of a rule,
 * wrapped in a condition that compares its result exactly (cel-spec-values.ts); an expected error may come from the
 * compiler or at run time. Cases that no policy can hold are left out, each for one of the reasons of `LeftOut`, and counted.
 */
import { beforeAll, describe, expect, it } from "vitest";
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

/** Why a case cannot be put to a policy. */
type LeftOut =
  | "a message of the suite's own"
  | "a container: policies have none"
  | "macros turned off: policies have them on"
  | "an identifier of several parts, or a reserved one"
  | "a function or name that only the suite declares"
  | "a value of a message type";
/** Rows per module: the results of one module must fit one answer. */
const BATCH = 400;

const CASES = corpusCases<SpecFile>("cel_spec").flatMap(({ name: file, data }) =>
  (data.section ?? []).flatMap((section) =>
    section.test.map((test) => {
      const name = `${file}/${section.name}/${test.name}`;
      return { name, made: rowOf(name, test) };
    }),
  ),
);
/** How many cases of the corpus are left out, by reason. */
const LEFT_OUT: Partial<Record<LeftOut, number>> = {
  "a container: policies have none": 27,
  "a function or name that only the suite declares": 5,
  "an identifier of several parts, or a reserved one": 11,
};
const ROWS = CASES.flatMap(({ made }) => (typeof made === "string" ? [] : [made]));

function rowOf(name: string, test: SpecTest): Row | LeftOut {
  if (/cel\.expr\.conformance|TestAllTypes/u.test(JSON.stringify(test)))
    return "a message of the suite's own";
  if (test.container !== undefined) return "a container: policies have none";
  if (test.disableMacros === true) return "macros turned off: policies have them on";
  const bindings = Object.entries(test.bindings ?? {});
  if ((test.typeEnv ?? []).length > bindings.length) return "a function or name that only the suite declares";
  if (bindings.some(([bound]) => !/^(?!(?:true|false|null|in)$)\w+$/u.test(bound))) {
    return "an identifier of several parts, or a reserved one";
  }
  try {
    return boundRow(name, test) ?? "a value of a message type";
  } catch (error) {
    if (error instanceof NoLiteral) return "a value of a message type";
    throw error;
  }
}

function boundRow(name: string, test: SpecTest): Row | undefined {
  const wanted = test.typedResult?.result ?? test.value;
  const wantsError = test.evalError !== undefined;
  let expr = `(${test.expr}\n)`;
  if (test.checkOnly === true) {
    // That it compiles is all there is to see.
    expr = `cel.bind(edict_result, dyn(${expr}), true)`;
  } else if (!wantsError) {
    if (wanted === undefined) return undefined;
    expr = `cel.bind(edict_result, dyn(${expr}), ${isExactly("edict_result", wanted)})`;
  }
  for (const [bound, { value }] of Object.entries(test.bindings ?? {}).toReversed()) {
    if (value === undefined) return undefined;
    expr = `cel.bind(${bound}, ${literal(value)}, ${expr})`;
  }
  return { name, expr, wantsError };
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
  it("leaves out only what no policy can hold", () => {
    const counts: Partial<Record<string, number>> = {};
    for (const { made } of CASES) if (typeof made === "string") counts[made] = (counts[made] ?? 0) + 1;
    expect(counts).toEqual(LEFT_OUT);
  });

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
    }, 300_000);

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
