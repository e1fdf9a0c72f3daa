/**
 * Variables, constants and globals: what they hold when they are read, one by one and as a whole, on the interpreter and on release WASM. The values are
 * those of the real Cerbos 0.55.0, which keeps variables as native values and leaves out of `V` and `C` what no expression of
 * the policy names.
 */
import { describe, expect, it } from "vitest";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest, OutputEntry } from "./interpreter/request.ts";
import { rowResults } from "./expression-table.ts";

const ERROR = Symbol("an error");

const VARIABLES = {
  none: "R.attr.?missing",
  some: "R.attr.?n",
  twice: "optional.of(optional.of(R.attr.n))",
  first: "R.attr.l[?0]",
  chosen: "R.attr.t ? optional.of(R.attr.n) : optional.none()",
  hidden: "dyn(optional.of(R.attr.n))",
  alias: "V.some",
  nested: "[optional.of(R.attr.n), optional.none()]",
  type: "type(R.attr.n)",
  types: "[type(R.attr.n)]",
  path: "hierarchy(R.attr.h)",
  paths: "[hierarchy(R.attr.h)]",
  spiffe: "spiffeID(R.attr.sp)",
  spiffes: "[spiffeID(R.attr.sp)]",
  address: "ip('10.0.0.1')",
  map: "{1: 2, 'a': 3u}",
  principal: "P",
  failing: "R.attr.missing",
  unused: "1",
};

const ROWS: readonly (readonly [expr: string, value: unknown])[] = [
  ["V.none", null],
  ["V.none == null", true],
  ["V.none.hasValue()", ERROR],
  ["V.none.orValue(3)", ERROR],
  ["has(V.none)", true],
  ["V.some", 5],
  ["V.some + 1.0", 6],
  ["type(V.some) == double", true],
  ["V.some.orValue(3)", ERROR],
  ["V.twice", 5],
  ["V.twice.value()", ERROR],
  ["V.first + 1.0", 2],
  ["V.chosen + 1.0", 6],
  ["V.hidden + 1.0", 6],
  ["V.alias + 1.0", 6],
  ["V.nested[0].hasValue()", true],
  ["V.nested[0]", 5],
  ["V.type == 'double'", true],
  ["V.type == double", false],
  ["V.types[0] == double", true],
  ["V.path == ['a', 'b', 'c']", true],
  ["V.path[0]", "a"],
  ["V.path == hierarchy(R.attr.h)", false],
  ["V.path.ancestorOf(hierarchy('a.b.c.d'))", ERROR],
  ["hierarchy('a.b.c.d').descendentOf(V.path)", ERROR],
  ["V.paths[0] == hierarchy(R.attr.h)", true],
  ["V.spiffe.path()", ERROR],
  ["V.spiffes[0].path()", "/ns/a"],
  ["V.address.family()", 4],
  ["V.map[1]", 2],
  ["type(V.map['a']) == uint", true],
  ["V.principal == P", true],
  ["V.principal.scope", ""],
  ["V.failing", ERROR],
  ["has(V.failing)", false],
];

const WHOLE: readonly (readonly [expr: string, value: unknown])[] = [
  ["V", { a: 5, c: 6 }],
  ["C", { k: 7 }],
  ["V.c + V.failing", ERROR],
  ["V.a + C.k", 12],
  ["V == V", true],
  ["V == C", false],
  ["[V, C].map(v, has(v.a))", [true, false]],
  ["dyn(V).a", 5],
  ["size(dyn(V))", 2],
  ["'unused' in dyn(V)", false],
  ["V.?a.orValue(9.0)", 5],
  ["V.?failing.orValue(3)", 3],
  ["V.?unused.orValue(3)", 3],
  ["V.?nowhere.orValue(3)", 3],
  ["C.?k.orValue(3.0)", 7],
  ["C.?unused.hasValue()", false],
  ["cel.bind(v, V, v.a)", 5],
  ["json.encode(C)", '{"k":7}'],
  ["V.?failing", ERROR],
  ["dyn(V).failing", ERROR],
];

const GLOBALS = { n: 5, f: 2.5, l: [1, 2.5], h: 1e19, big: 1e300, m: { a: -1 } };

const GLOBAL_ROWS: readonly (readonly [expr: string, value: unknown])[] = [
  ["type(G.n) == int", true],
  ["G.n + 1", 6],
  ["G.n + 1.0", ERROR],
  ["G.n / 2", 2],
  ["type(G.f) == double", true],
  ["type(G.l[0]) == int", true],
  ["G.l == [1, 2.5]", true],
  ["type(G.h) == uint", true],
  ["type(G.big) == double", true],
  ["G.m.a", -1],
  ["G.missing", ERROR],
  ["has(G.missing)", false],
];

const CASES = [
  ["variables", { variables: { local: VARIABLES } }, ROWS],
  [
    "all variables and constants",
    {
      variables: { local: { a: "R.attr.n", c: "V.a + 1.0", failing: "R.attr.missing", unused: "1" } },
      constants: { local: { k: 7, unused: "x" } },
    },
    WHOLE,
  ],
  ["globals", {}, GLOBAL_ROWS],
] as const;

const REQUEST: CheckRequest = {
  principal: { id: "p", roles: ["user"] },
  resources: [
    {
      actions: ["ask"],
      resource: {
        kind: "doc",
        id: "d",
        attr: { n: 5, t: true, l: [1, 2], h: "a.b.c", sp: "spiffe://example.org/ns/a" },
      },
    },
  ],
};

function policyOf(definitions: object, rows: readonly (readonly [string, unknown])[]): string {
  const rules = rows.map(([expr], index) => ({
    name: `row-${String(index).padStart(4, "0")}`,
    actions: ["ask"],
    roles: ["user"],
    effect: "EFFECT_ALLOW",
    output: { when: { ruleActivated: expr } },
  }));
  return JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: { resource: "doc", version: "default", ...definitions, rules },
  });
}

function answers(
  rows: readonly (readonly [string, unknown])[],
  outputs: readonly OutputEntry[] | undefined,
): unknown {
  const results = rowResults(outputs ?? []);
  return rows.map(([expr], index) => {
    const { error, val } = results.get(index) ?? {};
    return [expr, error === undefined ? val : ERROR];
  });
}

describe("definitions", () => {
  it.each(CASES)("of %s, on the interpreter", (_, definitions, rows) => {
    const { program } = programOf([{ path: "doc.json", text: policyOf(definitions, rows) }]);
    if (program === undefined) throw new Error("the policy does not compile");
    const response = check(program, REQUEST, { onError: "compatible", now: 0n, globals: GLOBALS });
    expect(answers(rows, response.results[0]?.outputs)).toEqual(rows);
  });

  it.skipIf(!CORE_IS_BUILT).each(CASES)(
    `of %s, on release WASM (${BUILD_CORE})`,
    async (_, definitions, rows) => {
      const text = policyOf(definitions, rows);
      const engine = await engineOf([{ path: "doc.json", text }], {
        onError: "compatible",
        globals: GLOBALS,
      });
      const answer = ask(engine, REQUEST, "json");
      if (!("response" in answer)) throw new Error(answer.failure);
      expect(answers(rows, answer.response.results[0]?.outputs)).toEqual(rows);
    },
  );
});
