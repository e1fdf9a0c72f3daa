/** compiler/policy/decode: which fields there are and what may stand in them (each tried on Cerbos 0.55) */
import { describe, expect, it } from "vitest";
import { check, messages, problems, resourcePolicy, resourceRule } from "../policies.ts";

const problem = (text: string): string[] =>
  problems({ "a.yaml": text }).map((each) => each.replace(" a.yaml:", " "));
const ENVELOPE = "apiVersion: api.cerbos.dev/v1\n";

describe("fields", () => {
  it("are refused when unknown, with the one that was meant", () => {
    expect(problem(resourcePolicy("album", "  scop: acme\n"))).toEqual([
      "EDICT2001 5:3 $.resourcePolicy.scop",
    ]);
    const { diagnostics } = check({
      "a.yaml": resourcePolicy("album", "  importDerivedRole: []\n  zzz: 1\n"),
    });
    expect(diagnostics.map(({ help }) => help)).toEqual([
      "did you mean `importDerivedRoles`?",
      expect.stringMatching(/^the fields here are `resource`, `version`/),
    ]);
  });

  it("are not also reported as missing beside an unknown one", () => {
    expect(problem(`${ENVELOPE}resourcePolicy: {resorce: a, version: v}\n`)).toHaveLength(1);
  });

  it("cannot be given in both spellings", () => {
    expect(problem(`${resourcePolicy("album")}api_version: api.cerbos.dev/v1\n`)).toEqual([
      "EDICT2003 5:1 $.api_version",
    ]);
  });

  it("let `$schema` stand at the root only", () => {
    expect(problem(`$schema: x\n${resourcePolicy("album")}`)).toEqual([]);
    expect(problem(resourcePolicy("album", "  $schema: x\n"))).toEqual([
      "EDICT2001 5:3 $.resourcePolicy.'$schema'",
    ]);
  });

  it("of one choice exclude each other", () => {
    expect(problem(`${resourcePolicy("album")}principalPolicy: {principal: x, version: v}\n`)).toEqual([
      "EDICT2004 5:1 $.principalPolicy",
    ]);
    expect(
      problem(
        resourceRule("      roles: [u]\n      condition: {match: {expr: x, all: {of: [{expr: y}]}}}\n"),
      ),
    ).toEqual(["EDICT2004 9:36 $.resourcePolicy.rules[0].condition.match.all"]);
  });

  it("of one choice must be given", () => {
    expect(problem(ENVELOPE)).toEqual(["EDICT2016 1:11 $"]);
    expect(problem(resourceRule("      roles: [u]\n      condition: {}\n"))).toEqual([
      "EDICT2017 9:7 $.resourcePolicy.rules[0].condition",
    ]);
    expect(problem(resourceRule("      roles: [u]\n      condition: {match: {any: {of: []}}}\n"))).toEqual([
      "EDICT2013 9:33 $.resourcePolicy.rules[0].condition.match.any.of",
    ]);
  });

  it("that are required must be given and say something", () => {
    expect(problem(`apiVersion: ""\nresourcePolicy: {resource: ""}\n`)).toEqual([
      "EDICT2011 1:1 $.apiVersion",
      "EDICT2011 2:1 $.resourcePolicy",
      "EDICT2011 2:18 $.resourcePolicy.resource",
    ]);
    expect(
      problem(resourcePolicy("album", "  rules: [{actions: [], effect: EFFECT_UNSPECIFIED, roles: [u]}]\n")),
    ).toEqual([
      "EDICT2013 5:12 $.resourcePolicy.rules[0].actions",
      "EDICT2011 5:25 $.resourcePolicy.rules[0].effect",
    ]);
  });
});

describe("a map where a text belongs", () => {
  it.each([
    ["block", "    kind: test\n", "EDICT2002 4:9"],
    ["with a quoted key and blanks", "    'kind'  : test\n", "EDICT2002 4:13"],
    ["with an anchor", "    &a\n    kind: test\n", "EDICT2002 5:9"],
    ["in braces", "    { kind: test }\n", "EDICT2002 4:5"],
  ])("is placed as Cerbos places it: %s", (_, map, place) => {
    const policy = `apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource:\n${map}  version: v\n`;
    expect(problem(policy)).toEqual([`${place} $.resourcePolicy.resource`]);
  });
});

describe("a file of several documents", () => {
  it("is refused, and what is wrong with each is reported too", () => {
    expect(
      problem(`${ENVELOPE}wibble: 1\n---\n${resourcePolicy("album")}---\n${ENVELOPE}wobble: 1\n`),
    ).toEqual(["EDICT1104 4:1 $", "EDICT2001 2:1 $.wibble", "EDICT2001 10:1 $.wobble"]);
  });
});

describe("texts", () => {
  it("take whole numbers, booleans and null, but not floats, lists and maps", () => {
    expect(problem(resourcePolicy("017", "  scope: ~\n", "20210210"))).toEqual([]);
    expect(check({ "a.yaml": resourcePolicy("017", "", "True") }).set.resourcePolicies[0]?.key).toBe(
      "resource.15.vTrue",
    );
    expect(problem(resourcePolicy("1.5"))).toEqual(["EDICT2002 3:13 $.resourcePolicy.resource"]);
    expect(problem(resourcePolicy("[a]"))).toEqual(["EDICT2002 3:13 $.resourcePolicy.resource"]);
    expect(messages({ "a.yaml": resourcePolicy("\n    kind: test") })).toEqual([
      "expected a string, got a map",
    ]);
  });

  it.each([
    ["resource", `${ENVELOPE}resourcePolicy: {resource: "a*", version: v}\n`],
    ["version", `${ENVELOPE}resourcePolicy: {resource: a, version: v-1}\n`],
    ["scope", `${ENVELOPE}resourcePolicy: {resource: a, version: v, scope: .acme}\n`],
    ["scope", `${ENVELOPE}resourcePolicy: {resource: a, version: v, scope: acme..hr}\n`],
    ["principal", `${ENVELOPE}principalPolicy: {principal: "a?", version: v}\n`],
    ["role", `${ENVELOPE}rolePolicy: {role: "{a}", version: v}\n`],
    ["name", `${ENVELOPE}exportVariables: {name: a b}\n`],
    ["apiVersion", `apiVersion: api.cerbos.dev/v2\nexportVariables: {name: a}\n`],
  ])("must look right: %s", (field, text) => {
    const [found = "", ...rest] = problem(text);
    expect(found).toMatch(/^EDICT2012 /);
    expect(found.endsWith(`.${field}`)).toBe(true);
    expect(rest).toEqual([]);
  });

  it("that are rule names are checked in linear time", () => {
    const name = `${"a".repeat(50_000)}!`;
    expect(problem(resourceRule(`      roles: [u]\n      name: ${name}\n`))).toEqual([
      "EDICT2012 9:7 $.resourcePolicy.rules[0].name",
    ]);
  });
});

const constants = (value: string): string => resourcePolicy("album", `  constants: {local: {c: ${value}}}\n`);

describe("lists and maps", () => {
  it("are not made of single values, nor of nothing", () => {
    expect(problem(resourceRule("      roles: user\n"))).toContain(
      "EDICT2002 8:14 $.resourcePolicy.rules[0].roles",
    );
    expect(problem(resourcePolicy("album", "  rules: ~\n"))).toEqual([
      "EDICT2002 5:10 $.resourcePolicy.rules",
    ]);
    expect(problem(resourcePolicy("album", "  variables: ~\n"))).toEqual([
      "EDICT2002 5:14 $.resourcePolicy.variables",
    ]);
    expect(problem(resourceRule("      roles: [u]\n      condition: ~\n"))).toEqual([
      "EDICT2002 9:18 $.resourcePolicy.rules[0].condition",
    ]);
  });

  it("hold no entry twice and no empty one", () => {
    expect(problem(resourceRule('      roles: [a, b, a, ""]\n'))).toEqual([
      "EDICT2014 8:7 $.resourcePolicy.rules[0].roles",
      "EDICT2015 8:24 $.resourcePolicy.rules[0].roles[3]",
    ]);
  });

  it("have strings as keys", () => {
    expect(problem(`variables: {1: x, true: y, "2": z}\n${resourcePolicy("album")}`)).toEqual([
      "EDICT2002 1:13 $.variables.1",
      "EDICT2201 1:13 $.variables.1",
      "EDICT2002 1:19 $.variables.true",
      "EDICT2202 1:19 $.variables.true",
      "EDICT2201 1:28 $.variables.2",
    ]);
  });

  it("of free-form values hold no infinities and only string keys", () => {
    expect(problem(constants(".inf"))).toEqual(["EDICT2002 5:26 $.resourcePolicy.constants.local.c"]);
    expect(problem(constants("[{a: -.inf, 1: b}]"))).toEqual([
      "EDICT2002 5:31 $.resourcePolicy.constants.local.c[0].a",
      "EDICT2002 5:38 $.resourcePolicy.constants.local.c[0].1",
    ]);
  });
});

describe("flags and enumerations", () => {
  it("take booleans without quotes only", () => {
    expect(problem(`disabled: "true"\n${resourcePolicy("album")}`)).toEqual(["EDICT2002 1:11 $.disabled"]);
    expect(problem(`disabled: yes\n${resourcePolicy("album")}`)).toEqual(["EDICT2002 1:11 $.disabled"]);
  });

  it.each([
    ["1", []],
    ["EFFECT_ALLOW", []],
    ["~", ["EDICT2011"]],
    ["0", ["EDICT2011"]],
    ["3", ["EDICT2005"]],
    ["1.0", ["EDICT2005"]],
    ["-1", ["EDICT2005"]],
    ['"1"', ["EDICT2005"]],
    ["allow", ["EDICT2005"]],
    ["true", ["EDICT2002"]],
  ])("take a name or its number: effect %s", (effect, codes) => {
    const rules = `  rules: [{actions: [a], roles: [u], effect: ${effect}}]\n`;
    expect(problem(resourcePolicy("album", rules)).map((each) => each.slice(0, 9))).toEqual(codes);
  });
});

it("reports every problem of a file in one run", () => {
  const text = `apiVersion: v1\ndisabled: 1\nresourcePolicy:\n  resource: "*"\n  version: []\n  rules: [{actions: a, effect: x}]\n`;
  expect(
    problem(text)
      .map((each) => each.slice(0, 9))
      .sort(),
  ).toEqual("EDICT2002 EDICT2002 EDICT2002 EDICT2005 EDICT2012 EDICT2012 EDICT2101".split(" "));
});
