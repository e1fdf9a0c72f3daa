/** compiler/policy/rules/duplicate-policy.ts */
import { expect, it } from "vitest";
import { check, derivedRoles, problems, resourcePolicy } from "../policies.ts";

it("reports the policy in the later file, and names the earlier one", () => {
  const files = { "b.yaml": derivedRoles("common", "x"), "a.yaml": derivedRoles("common", "y") };
  expect(problems(files)).toEqual(["EDICT2301 b.yaml:1:11 $"]);
  expect(check(files).diagnostics[0]?.message).toBe(
    "policy `derived_roles.common` is already defined in a.yaml:1",
  );
});

it("compares sanitised names", () => {
  const files = { "a.yaml": resourcePolicy('"album:object"'), "b.yaml": resourcePolicy("album_object") };
  expect(problems(files)).toHaveLength(1);
});

it("tells versions, scopes and kinds apart, and ignores disabled policies", () => {
  const files = {
    "a.yaml": resourcePolicy("album"),
    "b.yaml": resourcePolicy("album", "", "v2"),
    "c.yaml": resourcePolicy("album", "  scope: acme\n"),
    "d.yaml": `disabled: true\n${resourcePolicy("album")}`,
    "e.yaml": derivedRoles("album", "x"),
  };
  expect(problems(files)).toEqual([]);
});
