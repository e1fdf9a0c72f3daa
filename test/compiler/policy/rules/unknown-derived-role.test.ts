/** compiler/policy/rules/unknown-derived-role.ts */
import { expect, it } from "vitest";
import { derivedRoles, problems, resourcePolicy } from "../policies.ts";

const policy = (imports: string, role: string): string =>
  resourcePolicy(
    "album",
    `  importDerivedRoles: ${imports}\n  rules:\n    - {actions: [a], effect: EFFECT_DENY, derivedRoles: [${role}]}\n`,
  );

it("reports a role that no import defines, even if a policy that is not imported does", () => {
  const files = { "one.yaml": derivedRoles("one", "owner"), "two.yaml": derivedRoles("two", "reader") };
  expect(problems({ ...files, "a.yaml": policy("[one]", "reader") })).toEqual([
    "EDICT2305 a.yaml:7:58 $.resourcePolicy.rules[0].derivedRoles[0]",
  ]);
  expect(problems({ ...files, "a.yaml": policy("[one, two]", "reader") })).toEqual([]);
});

it("reports a missing import only once, not also the roles that it would define", () => {
  expect(problems({ "a.yaml": policy("[one]", "owner") })).toEqual([
    "EDICT2302 a.yaml:5:24 $.resourcePolicy.importDerivedRoles[0]",
  ]);
});
