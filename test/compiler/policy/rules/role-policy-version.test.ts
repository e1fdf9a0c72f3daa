/** compiler/policy/rules/role-policy-version.ts */
import { expect, it } from "vitest";
import { check } from "../policies.ts";

const policy = (line: string): string => `apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: clerk\n${line}`;

it.each(["", '  version: ""\n'])("warns where the version is left out and assumes the default", (line) => {
  const { set, diagnostics } = check({ "a.yaml": policy(line) });
  expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([["EDICT2108", "warning"]]);
  expect(set.rolePolicies[0]?.key).toBe("role.clerk.vdefault");
});

it("says nothing where it is given", () => {
  const { set, diagnostics } = check({ "a.yaml": policy("  version: v2\n") });
  expect(diagnostics).toEqual([]);
  expect(set.rolePolicies[0]?.version).toBe("v2");
});
