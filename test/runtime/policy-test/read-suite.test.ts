/** What a suite file may say, and where each fault is reported. The texts are those of Cerbos for the same files. */
import { describe, expect, it } from "vitest";
import { readSuite } from "../../../runtime/policy-test/read-suite.ts";
import { isBlank } from "../../../runtime/policy-test/suite-tree.ts";

const problems = (text: string): string[] =>
  readSuite(text).problems.map(
    ({ place, message }) => `${place === null ? "" : `${place.line}:${place.column} `}${message}`,
  );

const FIXTURES = `name: s
principals: {p: {id: p, roles: [user]}}
resources: {r: {kind: a, id: r}}
`;

/** A suite with one test of this input and expectation. */
const suite = (input: string, expected: string): string =>
  `${FIXTURES}tests:\n  - name: t\n    input: ${input}\n    expected:\n      - ${expected}\n`;

const INPUT = "{principals: [p], resources: [r], actions: [view]}";
const EXPECTED = "{principal: p, resource: r, actions: {view: EFFECT_ALLOW}}";

describe("a suite", () => {
  it("is read with its fixtures, in either spelling of the fields", () => {
    const text = suite("{principals: [p], resource_groups: [g], actions: [view]}", EXPECTED);
    const { suite: read, problems: found } = readSuite(`${text}resource_groups: {g: {resources: [r]}}\n`);
    expect(found).toEqual([]);
    expect(read?.tests[0]?.input.resourceGroups).toEqual(["g"]);
    expect([...(read?.fixtures.resourceGroups ?? [])]).toEqual([["g", ["r"]]]);
  });

  it.each([
    ["name: s\n", ["tests: value is required"]],
    ["bogus: 1\nnope: 2\n", ['1:1 unknown field "bogus"']],
    ["null\n", ["1:1 invalid document: contents are not valid YAML or JSON"]],
    ["name: s\n---\nname: t\n", ["more than one YAML document detected"]],
    ["name: s\nskip: true\nname: t\n", ['3:1 mapping key "name" already defined at [1:1]']],
    ["name: s\ntests:\n", ["2:7 expected sequence got Null"]],
    ["name: s\ntests: {}\n", ["2:8 expected sequence got Mapping"]],
  ])("with faults of form names the first: %j", (text, want) => {
    expect(problems(text)).toEqual(want);
  });

  it.each([
    [
      "{principals: [p, p], resources: [r], actions: [view]}",
      "principals: repeated value must contain unique items",
    ],
    [
      "{principals: [p], resources: [r], actions: [view, view]}",
      "actions: repeated value must contain unique items",
    ],
    ['{principals: [""], resources: [r], actions: [view]}', "principals[0]: must be at least 1 characters"],
    ["{principals: [p], resources: [r]}", "actions: value is required"],
  ])("refuses the input %s", (input, want) => {
    const [found = ""] = problems(suite(input, EXPECTED));
    expect(found.replace(/^\d+:\d+ /u, "")).toBe(`tests[0].input.${want}`);
  });

  it.each([
    [
      "{principal: p, resource: r, actions: {view: 4}}",
      '8:53 tests[0].expected[0].actions["view"]: must be one of [EFFECT_ALLOW, EFFECT_DENY]',
    ],
    ["{principal: p, resource: r, actions: {view: EFFECT_MAYBE}}", '8:53 invalid enum value "EFFECT_MAYBE"'],
    [
      '{principal: p, resource: r, actions: {"": EFFECT_DENY}}',
      '8:51 tests[0].expected[0].actions[""]: must be at least 1 characters',
    ],
    [
      "{principal: p, resource: r, actions: {view: EFFECT_DENY}, outputs: [{action: view}]}",
      "tests[0].expected[0].outputs[0].expected: value is required",
    ],
    [
      "{principal: p, resource: r, actions: {view: EFFECT_DENY}, outputs: [{expected: [{src: a, val: 1}]}]}",
      "tests[0].expected[0].outputs[0].action: value is required",
    ],
  ])("refuses the expectation %s", (expected, want) => {
    const found = problems(suite(INPUT, expected));
    expect(found).toEqual([want]);
  });

  it("reports faults of fixtures at their fields", () => {
    const text = `name: s
principals: {p: {id: "", roles: [user, user]}}
principalGroups: {g: {principals: []}}
tests: [{name: t, input: ${INPUT}, expected: [${EXPECTED}]}]
`;
    expect(problems(text)).toEqual([
      '2:18 principals["p"].id: value is required',
      '2:26 principals["p"].roles: repeated value must contain unique items',
      '3:23 principalGroups["g"].principals: value is required',
    ]);
  });
});

describe("a blank file", () => {
  it.each(["", "\n", "# only a comment\n", "---\n", "--- # x\n"])("is %j", (text) => {
    expect(isBlank(text)).toBe(true);
  });

  it.each(["null\n", "~\n", "{}\n", '""\n', "name: s\n", "a: [\n"])("is not %j", (text) => {
    expect(isBlank(text)).toBe(false);
  });
});
