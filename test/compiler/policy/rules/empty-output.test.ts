/** compiler/policy/rules/empty-output.ts */
import { expect, it } from "vitest";
import { check, problems, resourceRule } from "../policies.ts";

const withOutput = (output: string): Record<string, string> => ({
  "a.yaml": resourceRule(`      roles: [user]\n      output: ${output}\n`),
});

const outputsOf = (output: string): unknown => {
  const { set, diagnostics } = check(withOutput(output));
  expect(diagnostics).toEqual([]);
  const { ruleActivated, conditionNotMet } = set.resourcePolicies[0]?.rules[0]?.outputs ?? {};
  return [ruleActivated?.text, conditionNotMet?.text];
};

it.each(["{}", "{when: {}}", '{expr: ""}', '{when: {ruleActivated: "", conditionNotMet: ""}}'])(
  "refuses the output %s",
  (output) => {
    expect(problems(withOutput(output))).toEqual(["EDICT2107 a.yaml:9:7 $.resourcePolicy.rules[0].output"]);
  },
);

it("takes one expression, also in the deprecated form", () => {
  expect(outputsOf('{expr: "1"}')).toEqual(["1", undefined]);
  expect(outputsOf('{when: {conditionNotMet: "2"}}')).toEqual([undefined, "2"]);
  expect(outputsOf('{when: {ruleActivated: "3"}}')).toEqual(["3", undefined]);
});
