/** compiler/policy/rules/rule-without-roles.ts */
import { expect, it } from "vitest";
import { messages, problems, resourcePolicy, resourceRule } from "../policies.ts";

it("refuses a rule that names neither roles nor derived roles", () => {
  const file = resourceRule("");
  expect(problems({ "a.yaml": file })).toEqual(["EDICT2101 a.yaml:6:14 $.resourcePolicy.rules[0]"]);
});

it("calls an unnamed rule by its default name, and counts empty lists as nothing", () => {
  const rules = "  rules:\n    - {actions: [a], effect: EFFECT_DENY, roles: [b]}\n";
  const empty = "    - {actions: [a], effect: EFFECT_DENY, roles: [], derivedRoles: []}\n";
  expect(messages({ "a.yaml": resourcePolicy("album", rules + empty) })).toEqual([
    "rule `rule-002` names no roles and no derived roles, so it matches nobody",
  ]);
});

it("accepts a rule with roles", () => {
  expect(problems({ "a.yaml": resourceRule("      roles: [user]\n") })).toEqual([]);
});
