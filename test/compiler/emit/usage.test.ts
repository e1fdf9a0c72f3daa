/** Which expressions become shared functions: closed, repeated, worth it, and the same for the whole resource. */
import { describe, expect, test } from "vitest";
import { plan } from "../../../compiler/index.ts";
import { analyse } from "../../../compiler/emit/usage.ts";

function policy(...conditions: readonly string[]): string {
  const rules = conditions.map(
    (text, index) => `
    - actions: ["a${index}"]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: ${JSON.stringify(text)}`,
  );
  return `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: thing
  version: default
  rules:${rules.join("")}
`;
}

function sharedTexts(...conditions: readonly string[]): number {
  const { program } = plan([{ path: "a.yaml", text: policy(...conditions) }]);
  if (program === undefined) throw new Error("the policy does not compile");
  return analyse(program).sharedCount;
}

describe("shared expressions", () => {
  test("are those used by several conditions", () => {
    expect(sharedTexts("size(R.attr.tags) == 1", "size(R.attr.tags) == 2")).toBe(1);
  });

  test("are not attributes, literals or lists of literals", () => {
    expect(sharedTexts('R.attr.a in ["x", "y"]', 'R.attr.b in ["x", "y"]')).toBe(0);
  });

  test("are not parts that read a macro's variable", () => {
    expect(sharedTexts("R.attr.l.exists(x, size(x) == 1)", "R.attr.m.exists(x, size(x) == 2)")).toBe(0);
  });

  test("are not parts that depend on the scope being visited", () => {
    const roles = "size(runtime.effectiveDerivedRoles)";
    expect(sharedTexts(`${roles} == 1`, `${roles} == 2`)).toBe(0);
    const { program } = plan([{ path: "a.yaml", text: policy(`${roles} == 1`, "R.attr.a == 1") }]);
    expect(program && analyse(program).memoizable).toEqual([false, true]);
  });
});
