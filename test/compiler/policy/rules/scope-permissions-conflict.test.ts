/** compiler/policy/rules/scope-permissions-conflict.ts */
import { expect, it } from "vitest";
import { check, problems, resourcePolicy } from "../policies.ts";

const OVERRIDE = "SCOPE_PERMISSIONS_OVERRIDE_PARENT";
const CONSENT = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS";
const policy = (name: string, permissions: string): string =>
  resourcePolicy(name, permissions && `  scopePermissions: ${permissions}\n`);

it("reports the policies of a scope that disagree with its first, by key", () => {
  const files = {
    "a.yaml": policy("a", OVERRIDE),
    "b.yaml": policy("b", CONSENT),
    "c.yaml": policy("c", OVERRIDE),
  };
  expect(problems(files)).toEqual(["EDICT2304 b.yaml:2:1 $.resourcePolicy"]);
});

it("takes an absent value for the default", () => {
  expect(problems({ "a.yaml": policy("a", ""), "b.yaml": policy("b", OVERRIDE) })).toEqual([]);
  expect(problems({ "a.yaml": policy("a", ""), "b.yaml": policy("b", CONSENT) })).toHaveLength(1);
});

it("compares resource and principal policies, but not role policies or other scopes", () => {
  const envelope = "apiVersion: api.cerbos.dev/v1\n";
  const files = {
    "a.yaml": policy("a", OVERRIDE),
    "b.yaml": resourcePolicy("a", `  scope: acme\n  scopePermissions: ${CONSENT}\n`),
    "c.yaml": `${envelope}rolePolicy: {role: r, version: v, scopePermissions: ${CONSENT}}\n`,
  };
  const { set, diagnostics } = check(files);
  expect(diagnostics).toEqual([]);
  expect(set.resourcePolicies.map((each) => each.scopePermissions)).toEqual([
    "override-parent",
    "require-parental-consent",
  ]);
  const principal = `${envelope}principalPolicy: {principal: p, version: v, scopePermissions: ${CONSENT}}\n`;
  expect(problems({ ...files, "d.yaml": principal })).toHaveLength(1);
});
