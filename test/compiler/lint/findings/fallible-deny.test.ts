/** compiler/lint/findings/fallible-deny.ts */
import { expect, it } from "vitest";
import { resourcePolicy } from "../../policy/policies.ts";
import { messages } from "../reviewing.ts";

const judge = (effect: string, expression: string, required: readonly string[] = []): string[] => {
  const head = "  schemas: {resourceSchema: {ref: 'cerbos:///album.json'}}\n";
  const rule = `    - {actions: [view], roles: [user], effect: ${effect}, condition: {match: {expr: '${expression}'}}}\n`;
  const policy = resourcePolicy("album", `${head}  rules:\n${rule}`);
  return messages({ "a.yaml": policy, "_schemas/album.json": JSON.stringify({ type: "object", required }) });
};

it("reports each attribute that a DENY reads without knowing that it is there", () => {
  expect(judge("EFFECT_DENY", "R.attr.a == 1 && P.attr.b == R.attr.a")).toEqual([
    "the DENY rule `rule-001` also denies where `R.attr.a` is missing",
    "the DENY rule `rule-001` also denies where `P.attr.b` is missing",
  ]);
});

it("says nothing of attributes that are tested, optional or required, nor of ALLOW", () => {
  expect(judge("EFFECT_DENY", "has(R.attr.a) && R.attr.a == 1")).toEqual([]);
  expect(judge("EFFECT_DENY", '"a" in R.attr && R.attr["a"] == 1')).toEqual([]);
  expect(judge("EFFECT_DENY", "R.attr.?a.orValue(0) == 1")).toEqual([]);
  expect(judge("EFFECT_DENY", "R.attr.a == 1", ["a"])).toEqual([]);
  expect(judge("EFFECT_ALLOW", "R.attr.a == 1")).toEqual([]);
});
