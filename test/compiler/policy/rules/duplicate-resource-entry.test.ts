/** compiler/policy/rules/duplicate-resource-entry.ts */
import { expect, it } from "vitest";
import { problems } from "../policies.ts";

const entry = (resource: string): string =>
  `    - resource: ${resource}\n      actions: [{action: a, effect: EFFECT_DENY}]\n`;
const policy = (...resources: string[]): string =>
  `apiVersion: api.cerbos.dev/v1\nprincipalPolicy:\n  principal: donald\n  version: default\n  rules:\n${resources.map(entry).join("")}`;

it("refuses two entries for one resource", () => {
  expect(problems({ "a.yaml": policy("album", "photo", "album") })).toEqual([
    "EDICT2103 a.yaml:10:15 $.principalPolicy.rules[2]",
  ]);
});

it("compares resources as written, so that a pattern may stand beside a name that it covers", () => {
  expect(problems({ "a.yaml": policy("album", "album*", '"*"') })).toEqual([]);
});
