/** Errors of policies in the shape of `cerbos compile --output json`. */
import { expect, it } from "vitest";
import { plan } from "../../../compiler/index.ts";
import { policyErrors } from "../../../runtime/policy-test/policy-errors.ts";

const POLICY = (name: string, body: string): string =>
  `apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: ${name}\n  version: default\n${body}`;

const errorsOf = (files: Readonly<Record<string, string>>): unknown =>
  policyErrors(plan(Object.entries(files).map(([path, text]) => ({ path, text }))).diagnostics);

it("lists what cannot be loaded, and nothing of what compiling would find", () => {
  const rule =
    "  rules:\n    - {actions: [a], effect: EFFECT_ALLOW, roles: [b], condition: {match: {expr: x}}}\n";
  const files = {
    "a.yaml": POLICY("a", rule),
    "b.yaml": POLICY("b", "  importDerivedRoles: [none]\n"),
    "c.yaml": POLICY("c", "  bogus: 1\n"),
    "d.yaml": POLICY("b", "  scope: x.y\n"),
    "e.yaml": POLICY("a", ""),
  };
  expect(errorsOf(files)).toMatchObject({
    lintErrors: {
      load_failures: [
        {
          file: "c.yaml",
          error: "unknown field `bogus`",
          error_details: { kind: 1, position: { line: 5, column: 3, path: "$.resourcePolicy.bogus" } },
        },
      ],
      duplicate_defs: [{ file: "e.yaml", policy: "resource.a.vdefault" }],
      missing_imports: [{ importing_file: "b.yaml", position: { line: 5, column: 24 } }],
      missing_scope_details: [{ missing_policy: "resource.b.vdefault/x" }],
    },
  });
  expect(errorsOf(files)).not.toHaveProperty("compileErrors");
});

it("lists compile errors with their places, and no warnings", () => {
  const rule =
    "  rules:\n    - {actions: [a], effect: EFFECT_ALLOW, roles: [b], condition: {match: {expr: x}}}\n";
  const role = "apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: r\n  rules: []\n";
  expect(errorsOf({ "a.yaml": POLICY("a", rule), "r.yaml": role })).toEqual({
    compileErrors: {
      errors: [
        {
          file: "a.yaml",
          error: "EDICT3020",
          description: "unknown name `x`",
          position: { line: 6, column: 82, path: "$.resourcePolicy.rules[0].condition.match.expr" },
        },
      ],
    },
  });
});
