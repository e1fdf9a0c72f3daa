/** compiler/policy/index.ts: what a policy set holds */
import { describe, expect, it } from "vitest";
import type { CelSource, Match } from "../../../compiler/policy/policy-set.ts";
import {
  check,
  derivedRoles,
  exported,
  problems,
  resourcePolicy,
  resourceRule,
  type Files,
} from "./policies.ts";

/** A match without places: `all(x, none(y))`. */
function shape(match: Match | undefined): string | undefined {
  return match === undefined || match.kind === "expr"
    ? match?.expr.text
    : `${match.kind}(${match.of.map(shape).join(", ")})`;
}

const accepted = (files: Files) => {
  const { set, diagnostics } = check(files);
  expect(diagnostics).toEqual([]);
  return set;
};

const snake = (text: string): string =>
  text.replace(/\b[a-z]+(?:[A-Z][a-z]+)+(?=:)/g, (name) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );

const strip = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (name, field: unknown) => (name === "place" ? undefined : field)));

describe("a resource policy", () => {
  const body = `  scope: acme.hr
  scopePermissions: SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS
  importDerivedRoles: [common]
  schemas:
    principalSchema: {ref: "cerbos:///p.json"}
    resourceSchema: {ref: "cerbos:///r.json", ignoreWhen: {actions: [create, "x:*"]}}
  rules:
    - name: named
      actions: [view, edit]
      effect: EFFECT_DENY
      roles: [user, "*"]
      derivedRoles: [owner]
      condition: {match: {all: {of: [{expr: a}, {none: {of: [{expr: b}]}}, {any: {of: [{expr: c}]}}]}}}
      output: {when: {ruleActivated: d, conditionNotMet: e}}
    - {actions: [x], effect: 1, roles: [user]}
`;
  const files = {
    "policy.yaml": `metadata: {annotations: {team: hr}}\n${resourcePolicy('"album:object"', body, "v1")}`,
    "parent.yaml": resourcePolicy('"album:object"', "  scope: acme\n", "v1"),
    "root.yaml": resourcePolicy('"album:object"', "", "v1"),
    "roles.yaml": derivedRoles("common", "owner"),
    "_schemas/p.json": "{}",
    "_schemas/r.json": "{}",
  };

  it("comes with everything it says", () => {
    const policy = accepted(files).resourcePolicies.find(({ scope }) => scope === "acme.hr");
    expect(policy).toMatchObject({
      key: "resource.album_object.vv1/acme.hr",
      resource: "album_object",
      version: "v1",
      scopePermissions: "require-parental-consent",
      annotations: new Map([["team", "hr"]]),
      place: { file: "policy.yaml", line: 3, column: 1, path: "$.resourcePolicy" },
      principalSchema: { ref: "cerbos:///p.json", ignoreActions: [] },
      resourceSchema: { ref: "cerbos:///r.json", ignoreActions: ["create", "x:*"] },
    });
    const [first, second] = policy?.rules ?? [];
    expect(first).toMatchObject({
      name: "named",
      effect: "deny",
      actions: ["view", "edit"],
      roles: ["user", "*"],
      derivedRoles: [{ name: "owner", origin: "common", parentRoles: ["user"] }],
      place: { line: 13, column: 11, path: "$.resourcePolicy.rules[0]" },
    });
    expect(shape(first?.condition)).toBe("all(a, none(b), any(c))");
    expect(first?.outputs.ruleActivated?.text).toBe("d");
    expect(first?.outputs.conditionNotMet?.text).toBe("e");
    expect(second).toMatchObject({ name: "rule-002", effect: "allow", derivedRoles: [], outputs: {} });
    expect(second?.condition).toBeUndefined();
  });

  it("is the same in snake_case", () => {
    const spelled = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, snake(text)]));
    expect(spelled["policy.yaml"]).toContain("import_derived_roles");
    expect(strip(accepted(spelled).resourcePolicies)).toEqual(strip(accepted(files).resourcePolicies));
  });
});

it("holds principal policies, their rules named by resource", () => {
  const text = `apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: donald@duck.com
  version: default
  rules:
    - resource: "album:*"
      actions:
        - {action: view, effect: EFFECT_ALLOW}
        - {action: "*", effect: EFFECT_DENY, name: all, condition: {match: {expr: x}}}
`;
  expect(accepted({ "a.yaml": text }).principalPolicies).toMatchObject([
    {
      key: "principal.donald_duck.com.vdefault",
      principal: "donald@duck.com",
      resources: [
        {
          resource: "album:*",
          rules: [
            { name: "album:*_rule-001", action: "view", effect: "allow" },
            { name: "all", action: "*", effect: "deny", condition: { kind: "expr" } },
          ],
        },
      ],
    },
  ]);
});

it("holds role policies, their rules unnamed unless named", () => {
  const text = `apiVersion: api.cerbos.dev/v1
rolePolicy:
  role: clerk
  version: v1
  scope: acme
  parentRoles: [user]
  constants: {local: {limit: 3}}
  rules:
    - {resource: "al*", allowActions: [view, "edit:*"]}
    - {resource: photo, allowActions: [view], name: some, condition: {match: {expr: C.limit > 1.0}}}
`;
  expect(accepted({ "a.yaml": text }).rolePolicies).toMatchObject([
    {
      key: "role.clerk.vv1/acme",
      role: "clerk",
      parentRoles: ["user"],
      rules: [
        { resource: "al*", allowActions: ["view", "edit:*"], name: "" },
        { resource: "photo", name: "some", condition: { expr: { text: "C.limit > 1.0" } } },
      ],
    },
  ]);
});

const sourceOf = (files: Files): CelSource => {
  const [rule] = accepted(files).resourcePolicies[0]?.rules ?? [];
  if (rule?.condition?.kind !== "expr") {
    throw new Error("the first rule has no expression");
  }
  return rule.condition.expr;
};

const withRule = (body: string): string =>
  resourcePolicy(
    "album",
    `${body}  rules:\n    - actions: [a]\n      effect: EFFECT_DENY\n      roles: [b]\n      condition: {match: {expr: x}}\n`,
  );

describe("names in force", () => {
  it("are the imported, the local and the top-level ones", () => {
    const body =
      "  variables: {import: [v], local: {b: y}}\n  constants: {import: [c], local: {l: [1, ~, {k: 2}]}}\n";
    const { names } = sourceOf({
      "a.yaml": `variables: {c: z}\n${withRule(body)}`,
      "v.yaml": exported("exportVariables", "v", "a: 42"),
      "c.yaml": exported("exportConstants", "c", "k: 1\nf: 1.5"),
    });
    expect([...names.variables].map(([name, { text, place }]) => [name, text, place.file])).toEqual([
      ["a", "42", "v.yaml"],
      ["b", "y", "a.yaml"],
      ["c", "z", "a.yaml"],
    ]);
    expect([...names.constants]).toEqual([
      ["k", 1],
      ["f", 1.5],
      ["l", [1, null, { k: 2 }]],
    ]);
    // A variable sees the names of the policy that it stands in, not those of its own file.
    expect(names.variables.get("a")?.names).toBe(names);
  });

  it("are one object for policies with the same imports and none of their own", () => {
    const body = "  variables: {import: [v]}\n";
    const files = (second: string): Files => ({
      "a.yaml": withRule(body),
      "b.yaml": withRule(second).replace("resource: album", "resource: book"),
      "v.yaml": exported("exportVariables", "v", "a: x"),
    });
    const namesOf = (set: ReturnType<typeof accepted>) =>
      set.resourcePolicies.map(({ rules }) =>
        rules[0]?.condition?.kind === "expr" ? rules[0].condition.expr.names : undefined,
      );
    const [first, second] = namesOf(accepted(files(body)));
    expect(first).toBe(second);
    const [, other] = namesOf(accepted(files("")));
    expect(other).not.toBe(first);
    expect(other?.variables.size).toBe(0);
  });

  it("of a derived role are those of the policy that defines it", () => {
    const roles = `${derivedRoles("common", "owner")}      condition: {match: {expr: V.a}}\n  variables: {local: {a: x}}\n`;
    const policy = resourcePolicy(
      "album",
      "  importDerivedRoles: [common]\n  variables: {local: {b: y}}\n  rules: [{actions: [a], effect: 1, derivedRoles: [owner]}]\n",
    );
    const [rule] = accepted({ "a.yaml": policy, "roles.yaml": roles }).resourcePolicies[0]?.rules ?? [];
    const condition = rule?.derivedRoles[0]?.condition;
    expect(condition?.kind === "expr" && [...condition.expr.names.variables.keys()]).toEqual(["a"]);
  });

  it("keep constants that would change an object's prototype as plain keys", () => {
    const { names } = sourceOf({
      "a.yaml": withRule('  constants: {local: {c: {"__proto__": {admin: true}}}}\n'),
    });
    const value = names.constants.get("c");
    expect(Object.keys(Object(value))).toEqual(["__proto__"]);
    expect("admin" in Object(value)).toBe(false);
  });
});

describe("places of expressions", () => {
  it.each([
    ["expr: x == 1", 11, 15],
    ['expr: "x == 1"', 11, 16],
    ["expr: >-\n            x == 1", 12, 13],
    ["expr: | # why\n\n              x == 1", 13, 15],
  ])("%j", (expression, line, column) => {
    const text = resourceRule(
      `      roles: [user]\n      condition:\n        match:\n        ${expression}\n`,
    );
    // The expression is indented by eight, so it belongs to `match` after this.
    const set = accepted({ "a.yaml": text.replace("match:\n        expr", "match:\n          expr") });
    const condition = set.resourcePolicies[0]?.rules[0]?.condition;
    const place = condition?.kind === "expr" ? condition.expr.place : undefined;
    const shift = expression.includes("\n") ? 0 : 2;
    expect([place?.line, place?.column]).toEqual([line, column + shift]);
    expect(place?.path).toBe("$.resourcePolicy.rules[0].condition.match.expr");
  });
});

it("leaves disabled policies out and checks only their fields", () => {
  const files = {
    "a.yaml": `disabled: true\n${resourceRule("")}`,
    "b.yaml": `disabled: true\n${resourcePolicy("b*")}`,
    "c.yaml": resourcePolicy("c"),
  };
  const { set } = check(files);
  expect(set.resourcePolicies.map(({ key }) => key)).toEqual(["resource.c.vdefault"]);
  expect(problems(files)).toEqual(["EDICT2012 b.yaml:4:3 $.resourcePolicy.resource"]);
});

it("gives the same set and diagnostics whatever the order of the files, sorted by key", () => {
  const files: Record<string, string> = {
    "z.yaml": resourcePolicy("a"),
    "y.yaml": resourcePolicy("b", "  importDerivedRoles: [nowhere]\n"),
    "x.yaml": resourcePolicy("a", "", "v2"),
    "w.yaml": derivedRoles("common", "x", "x"),
    "v.yaml": resourcePolicy("a"),
  };
  const reversed = Object.fromEntries(Object.entries(files).reverse());
  expect(check(reversed)).toEqual(check(files));
  expect(check(files).set.resourcePolicies.map(({ key }) => key)).toEqual([
    "resource.a.vdefault",
    "resource.a.vdefault",
    "resource.a.vv2",
    "resource.b.vdefault",
  ]);
});
