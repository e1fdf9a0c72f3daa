/** compiler/policy/rules/ambiguous-derived-role.ts */
import { expect, it } from "vitest";
import { check, derivedRoles, problems, resourcePolicy } from "../policies.ts";

const files = {
  "one.yaml": derivedRoles("one", "owner", "x"),
  "two.yaml": derivedRoles("two", "owner", "y"),
};
const policy = (role: string): string =>
  resourcePolicy(
    "album",
    `  importDerivedRoles: [one, two]\n  rules:\n    - {actions: [a], effect: EFFECT_DENY, derivedRoles: [${role}]}\n`,
  );

it("reports a role that two imports define, where a rule names it", () => {
  const { diagnostics } = check({ ...files, "a.yaml": policy("owner") });
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ["EDICT2306", "derived role `owner` is ambiguous: it is defined in the imports `one`, `two`"],
  ]);
});

it("does not mind roles that no rule names", () => {
  expect(problems({ ...files, "a.yaml": policy("x, y") })).toEqual([]);
});
