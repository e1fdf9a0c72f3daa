/** compiler/policy/rules/role-policy-scope-permissions.ts */
import { expect, it } from "vitest";
import { problems } from "../policies.ts";

const policy = (field: string, value: string): string =>
  `apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: clerk\n  version: v1\n  ${field}: ${value}\n`;

it.each(["scopePermissions", "scope_permissions"])(
  "refuses a role policy that overrides its parent (%s)",
  (field) => {
    expect(problems({ "a.yaml": policy(field, "SCOPE_PERMISSIONS_OVERRIDE_PARENT") })).toEqual([
      `EDICT2109 a.yaml:5:3 $.rolePolicy.${field}`,
    ]);
  },
);

it("accepts the only other value, which changes nothing", () => {
  const value = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS";
  expect(problems({ "a.yaml": policy("scopePermissions", value) })).toEqual([]);
});
