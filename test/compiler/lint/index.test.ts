/** compiler/lint/index.ts */
import { expect, it } from "vitest";
import { lint } from "../../../compiler/lint/index.ts";
import { resourcePolicy } from "../policy/policies.ts";
import { findings, rules } from "./reviewing.ts";

it("says nothing of a policy that is fine", () => {
  const text = resourcePolicy("album", rules("actions: [view], roles: [user], effect: EFFECT_ALLOW"));
  expect(findings({ "a.yaml": text })).toEqual([]);
});

it("gives the errors of policies that do not compile, and reviews nothing", () => {
  const text = resourcePolicy("album", rules('actions: ["*"], roles: ["*"], effect: EFFECT_MAYBE'));
  const found = lint([{ path: "a.yaml", text }]);
  expect(found.map(({ severity }) => severity)).toEqual(["error"]);
});

it("says the same whatever the order of the files", () => {
  const files = ["album", "comment", "photo"].map((name) => ({
    path: `${name}.yaml`,
    text: resourcePolicy(name, rules('actions: ["*"], roles: ["*"], effect: EFFECT_ALLOW')),
  }));
  expect(lint(files.toReversed())).toEqual(lint(files));
  expect(lint(files)).toHaveLength(3);
});
