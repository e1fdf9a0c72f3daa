/** compiler/lint/findings/open-allow.ts */
import { expect, it } from "vitest";
import { resourcePolicy } from "../../policy/policies.ts";
import { findings, rules } from "../reviewing.ts";

const text = (line: string): { readonly "a.yaml": string } => ({
  "a.yaml": resourcePolicy("album", rules(line)),
});

it("reports an unconditional ALLOW of everything to everybody, and nothing less", () => {
  const open = 'actions: ["*"], roles: ["*"], effect: EFFECT_ALLOW';
  expect(findings(text(open))).toEqual(["EDICT7001 a.yaml:6:7"]);
  expect(findings(text(`${open}, condition: {match: {expr: R.attr.public == true}}`))).toEqual([]);
  expect(findings(text('actions: ["*"], roles: [admin], effect: EFFECT_ALLOW'))).toEqual([]);
  expect(findings(text('actions: ["*"], roles: ["*"], effect: EFFECT_DENY'))).toEqual([]);
});
