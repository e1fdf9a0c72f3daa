/** compiler/cel/unparse.ts: the printed text means the same and is stable. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkText } from "../../../compiler/cel/checker.ts";
import { unparse } from "../../../compiler/cel/unparse.ts";
import answers from "./cerbos-answers.json" with { type: "json" };
import { anyExpression } from "./random-expressions.ts";
import { meaningOf } from "./syntax-text.ts";

function printed(text: string): string {
  const { expr, problems } = checkText(text);
  return expr === undefined ? problems.map(({ code }) => code).join(" ") : unparse(expr);
}

function expectRoundTrip(text: string): void {
  const first = checkText(text);
  if (first.expr === undefined) return;
  const again = checkText(unparse(first.expr));
  expect([text, unparse(first.expr), meaningOf(again.expr)]).toEqual([
    text,
    unparse(first.expr),
    meaningOf(first.expr),
  ]);
}

describe("printing", () => {
  it.each([
    ["request.principal.attr.a==1", "P.attr.a == 1"],
    ["variables.a&&constants.b||globals.c", "V.a && C.b || G.c"],
    ["(V.a || V.b) && !(V.c)", "(V.a || V.b) && !V.c"],
    ["(V.a || V.b) || V.c", "(V.a || V.b) || V.c"],
    ["1-(2-3)*4", "1 - (2 - 3) * 4"],
    ["(1-2)-3", "1 - 2 - 3"],
    ["-(-P.attr.a)", "-(-P.attr.a)"],
    ["-(1)", "-(1)"],
    ["(-1).a == 2", "EDICT3022"],
    ["(V.a ? 1 : 2) ? 3 : 4", "EDICT3032"],
    ["(V.a ? V.b : V.c) ? 3 : V.d ? 4 : 5", "(V.a ? V.b : V.c) ? 3 : V.d ? 4 : 5"],
    ["P.attr['a'][?0].?b.c.`d-e`.`in`", 'P.attr["a"][?0].?b.c.`d-e`.`in`'],
    ["P.attr.?b.c", "P.attr.?b.c"],
    ["P.attr.a.?b", "P.attr.a.?b"],
    ["has(P.attr.`a b`)", "has(P.attr.`a b`)"],
    ["size('a') == 'a'.size()", '"a".size() == "a".size()'],
    ["timeSince(now())", "now().timeSince()"],
    ["math.greatest(1,2,3)", "math.greatest([1, 2, 3])"],
    [String.raw`"a\"\\\n\u0001\u2028é😀" + 'b'`, String.raw`"a\"\\\n\u0001\u2028é😀" + "b"`],
    [String.raw`b'a"\xff'`, String.raw`b"a\x22\xff"`],
    ["[1.0, -0.0, 1e300, 1u, null, int]", "[1.0, -0.0, 1e+300, 1u, null, int]"],
    ["{'a': 1, ?'b': P.attr.?c}", '{"a": 1, ?"b": P.attr.?c}'],
    ["[1].exists(P, P == 1)", "[1].exists(P_2, P_2 == 1)"],
    ["[1].map(x,x>0,x)", "[1].map(x, x > 0, x)"],
    ["cel.bind(x,1,x+1)", "cel.bind(x, 1, x + 1)"],
    ["1 in [1] == true", "1 in [1] == true"],
    ["1 in [[1] == [2]]", "EDICT3032"],
  ])("%s", (text, expected) => {
    expect(printed(text)).toBe(expected);
  });
});

describe("the printed text", () => {
  it("checks to the same expression, for every expression that Cerbos was asked about", () => {
    for (const [text] of answers) expectRoundTrip(String(text));
  });

  it("checks to the same expression, for random ones", () => {
    fc.assert(fc.property(anyExpression, expectRoundTrip), { numRuns: 2000 });
  });
});
