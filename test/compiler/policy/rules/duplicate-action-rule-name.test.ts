/** compiler/policy/rules/duplicate-action-rule-name.ts */
import { expect, it } from "vitest";
import { problems } from "../policies.ts";

const policy = (entries: string): string =>
  `apiVersion: api.cerbos.dev/v1\nprincipalPolicy:\n  principal: donald\n  version: default\n  rules:\n${entries}`;
const action = (name: string): string => `        - {action: a, effect: EFFECT_DENY, name: ${name}}\n`;

const entry = (resource: string): string => `    - resource: ${resource}\n      actions:\n${action("x")}`;

it("refuses the same name twice inside one resource entry", () => {
  expect(problems({ "a.yaml": policy(entry("album") + action("x")) })).toEqual([
    "EDICT2102 a.yaml:9:11 $.principalPolicy.rules[0].actions[1]",
  ]);
});

it("allows the same name in different resource entries", () => {
  expect(problems({ "a.yaml": policy(entry("album") + entry("photo")) })).toEqual([]);
});
