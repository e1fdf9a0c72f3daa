/** compiler/policy/rules/duplicate-rule-name.ts */
import { expect, it } from "vitest";
import { check, problems, resourcePolicy } from "../policies.ts";

const rule = (name: string): string => `    - {actions: [a], effect: EFFECT_DENY, roles: [b]${name}}\n`;
const policy = (...names: string[]): string =>
  resourcePolicy("album", `  rules:\n${names.map((name) => rule(name && `, name: ${name}`)).join("")}`);

it("reports each later use of a name at its rule, with the line of the first", () => {
  const files = { "a.yaml": policy("x", "y", "x", "x") };
  expect(problems(files)).toEqual([
    "EDICT2102 a.yaml:8:7 $.resourcePolicy.rules[2]",
    "EDICT2102 a.yaml:9:7 $.resourcePolicy.rules[3]",
  ]);
  expect(check(files).diagnostics[1]?.message).toBe("rule name `x` is used twice, first on line 6");
});

it("lets several rules go without a name", () => {
  expect(problems({ "a.yaml": policy("", "", "x") })).toEqual([]);
});
