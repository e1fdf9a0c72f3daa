/** compiler/cel on the corpora of CEL expressions: what must parse, check and have which type. */
import {
  getCheckingSuite,
  getComprehensionSuite,
  getConformanceSuite,
  getParsingSuite,
} from "@bufbuild/cel-spec/testdata/tests.js";
import type { IncrementalTest, IncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import { describe, expect, it } from "vitest";
import { checkText } from "../../../compiler/cel/checker.ts";
import { parse } from "../../../compiler/cel/parser.ts";
import { typeText } from "../../../compiler/cel/types.ts";
import { CORPUS, NO_CORPUS, corpusCases } from "../../support/corpus.ts";

interface SpecTest {
  readonly name: string;
  readonly expr: string;
  readonly typeEnv?: unknown;
  readonly container?: unknown;
  readonly disableCheck?: boolean;
  readonly disableMacros?: boolean;
  readonly evalError?: unknown;
}

interface SpecFile {
  readonly section: readonly { readonly name: string; readonly test: readonly SpecTest[] }[];
}

interface Named {
  readonly name: string;
  readonly test: SpecTest;
}

/** Expressions that must not check though the conformance tests want a value, and why. */
const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map(
  [
    "int_add",
    "size_1",
    "size_2",
    "size_3",
    "size_4",
    "timestamp",
    "map_index",
    "nested_map_construction",
  ].map((name) => [`block_ext/basic/${name}`, "cel.block is not in Cerbos's environment"] as const),
);

function codesOf(text: string): string[] {
  return checkText(text).problems.map(({ code }) => code);
}

describe.skipIf(CORPUS === undefined)("the conformance tests of cel-spec", () => {
  const named: Named[] = corpusCases<SpecFile>("cel_spec").flatMap(({ name: file, data }) =>
    file === "cerbos_deviations"
      ? []
      : data.section.flatMap((section) =>
          section.test.map((test) => ({ name: `${file}/${section.name}/${test.name}`, test })),
        ),
  );

  it("all parse", () => {
    expect(named.length).toBeGreaterThan(1000);
    expect(named.filter(({ test }) => !parse(test.expr).ok).map(({ name }) => name)).toEqual([]);
  });

  /** Expressions that need no declarations, want a value and are not about cel.block. */
  const closed = named.filter(
    ({ name, test }) =>
      test.typeEnv === undefined &&
      test.container === undefined &&
      test.disableCheck !== true &&
      test.disableMacros !== true &&
      test.evalError === undefined &&
      (!name.startsWith("block_ext/") || KNOWN_FAILURES.has(name)),
  );

  it("check where they need no declarations", () => {
    const refused = closed
      .filter(({ name }) => !KNOWN_FAILURES.has(name))
      .map(({ name, test }) => ({ name, codes: codesOf(test.expr) }))
      .filter(({ codes }) => codes.length > 0);
    expect(refused.filter(({ name }) => !isIpv4Mapped(name))).toEqual([]);
  });

  it("fail where they are known to", () => {
    const passing = closed.filter(
      ({ name, test }) => KNOWN_FAILURES.has(name) && codesOf(test.expr).length === 0,
    );
    expect(passing.map(({ name }) => name)).toEqual([]);
  });
});

/** Literal IPv4-mapped addresses, refused by Cerbos too. */
function isIpv4Mapped(name: string): boolean {
  return name.startsWith("network_ext/ipv4/");
}

describe.skipIf(CORPUS === undefined)("the expressions of Cerbos's own tests", () => {
  it("check", () => {
    const library = corpusCases<readonly { readonly expr: string }[]>("cel_eval").find(
      ({ name }) => name === "cerbos_lib_exprs",
    );
    const conditions = corpusCases<unknown>("cel_eval", "conditions").flatMap(({ data }) =>
      expressionsIn(data),
    );
    const all = [...(library?.data ?? []).map(({ expr }) => expr), ...conditions];
    expect(all.length).toBeGreaterThan(100);
    const refused = all.filter((text) => codesOf(text).length > 0);
    expect(refused).toEqual([]);
  });

  it("refuse unknown fields of the request", () => {
    interface FieldCase {
      readonly name: string;
      readonly expr: string;
      readonly wantCompileErr?: string;
    }
    const cases =
      corpusCases<readonly FieldCase[]>("cel_eval").find(({ name }) => name === "registry")?.data ?? [];
    expect(cases.length).toBeGreaterThan(10);
    for (const { name, expr, wantCompileErr } of cases) {
      expect([name, codesOf(expr)]).toEqual([name, wantCompileErr === undefined ? [] : ["EDICT3021"]]);
    }
  });
});

describe.skipIf(CORPUS !== undefined)("the corpora", () => {
  it.skip(NO_CORPUS, () => {});
});

function expressionsIn(data: unknown): string[] {
  if (typeof data !== "object" || data === null) return [];
  return Object.entries(data).flatMap(([key, value]) =>
    key === "expr" && typeof value === "string" ? [value] : expressionsIn(value),
  );
}

function allTests(suite: IncrementalTestSuite): IncrementalTest[] {
  return [...suite.tests, ...suite.suites.flatMap(allTests)];
}

/** Reasons for which cel-go, as that test data was made, refused syntax that Cerbos's configuration of it takes. */
const OTHER_CONFIGURATION = /unsupported syntax|recursion|argument|overwrites accumulator/;

describe("the parsing tests of cel-go", () => {
  it.each([
    ["parsing", getParsingSuite()],
    ["comprehension", getComprehensionSuite()],
    ["checking", getCheckingSuite()],
    ["conformance", getConformanceSuite()],
  ])("%s: parse exactly where cel-go does", (_, suite) => {
    const tests = allTests(suite).filter(
      ({ error, ast }) => ast !== undefined || !OTHER_CONFIGURATION.test(error ?? ""),
    );
    expect(tests.length).toBeGreaterThan(50);
    const differing = tests
      .filter(
        ({ original, error, ast }) => parse(original.expr).ok !== (ast !== undefined || error === undefined),
      )
      .map(({ original }) => original.expr);
    expect(differing).toEqual([]);
  });
});

describe("the types that cel-go infers", () => {
  it.each([
    ["checking", getCheckingSuite(), 20],
    ["conformance", getConformanceSuite(), 800],
  ])("%s: are those that we infer", (_, suite, least) => {
    let compared = 0;
    const differing: string[] = [];
    for (const { original, type } of allTests(suite)) {
      // Our type of types has no parameter.
      if (type === undefined || type.includes("type(") || original.expr.includes("type(")) continue;
      const { expr } = checkText(original.expr);
      if (expr === undefined || expr.type.kind === "type") continue;
      compared++;
      // Nor do we tell wrappers from what they hold.
      const wanted = /^wrapper\((\w+)\)$/u.exec(type)?.[1] ?? type;
      const ours = typeText(expr.type);
      if (ours !== wanted) differing.push(`${original.expr}: ${ours} instead of ${type}`);
    }
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(least);
  });
});
