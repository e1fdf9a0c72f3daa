/** compiler/lint/findings/overridden-rule.ts */
import { expect, it } from "vitest";
import { resourcePolicy } from "../../policy/policies.ts";
import { findings, messages, rules } from "../reviewing.ts";

const policy = (...lines: string[]): { readonly "a.yaml": string } => ({
  "a.yaml": resourcePolicy("album", rules(...lines)),
});
const IF = "condition: {match: {expr: R.attr.public == true}}";

it("reports an ALLOW that an unconditional DENY covers, wherever the two stand", () => {
  const allow = `actions: [view], roles: [user], effect: EFFECT_ALLOW, ${IF}, name: readers`;
  const deny = 'actions: ["*"], roles: ["*"], effect: EFFECT_DENY, name: closed';
  expect(messages(policy(allow, deny))).toEqual([
    "the rule `readers` never decides: `closed` denies everything that it allows",
  ]);
  expect(findings(policy(deny, allow))).toEqual(["EDICT7002 a.yaml:7:7"]);
});

it("leaves an ALLOW alone that a DENY covers in part, or under a condition", () => {
  const allow = "actions: [view, edit], roles: [user], effect: EFFECT_ALLOW";
  expect(findings(policy(allow, "actions: [view], roles: [user], effect: EFFECT_DENY"))).toEqual([]);
  expect(findings(policy(allow, "actions: [view, edit], roles: [guest], effect: EFFECT_DENY"))).toEqual([]);
  const conditional = `actions: ["*"], roles: ["*"], effect: EFFECT_DENY, condition: {match: {expr: P.id == "x"}}`;
  expect(findings(policy(allow, conditional))).toEqual([]);
});

it("reports a rule that adds nothing to another one, the later of two equal ones", () => {
  const one = "actions: [view], roles: [user], effect: EFFECT_ALLOW";
  expect(findings(policy(one, one))).toEqual(["EDICT7003 a.yaml:7:7"]);
  expect(findings(policy(`${one}, ${IF}`, one))).toEqual(["EDICT7003 a.yaml:6:7"]);
});

it("leaves a rule alone that says something in an output", () => {
  const one = "actions: [view], roles: [user], effect: EFFECT_ALLOW";
  expect(findings(policy(one, `${one}, output: {when: {ruleActivated: '"seen"'}}`))).toEqual([]);
});
