/** compiler/policy/rules/duplicate-derived-role.ts */
import { expect, it } from "vitest";
import { derivedRoles, problems } from "../policies.ts";

it("refuses two definitions of a role in one policy", () => {
  expect(problems({ "a.yaml": derivedRoles("common", "owner", "admin", "owner") })).toEqual([
    "EDICT2104 a.yaml:9:11 $.derivedRoles.definitions[2]",
  ]);
});

it("allows the same role in two policies that nobody imports together", () => {
  const files = { "a.yaml": derivedRoles("one", "owner"), "b.yaml": derivedRoles("two", "owner") };
  expect(problems(files)).toEqual([]);
});
