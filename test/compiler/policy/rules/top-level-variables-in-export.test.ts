/** compiler/policy/rules/top-level-variables-in-export.ts */
import { expect, it } from "vitest";
import { exported, problems, resourcePolicy } from "../policies.ts";

const withVariables = (policy: string): string => `variables: {a: "1"}\n${policy}`;

it.each(["exportVariables", "exportConstants"] as const)("refuses top-level variables in %s", (kind) => {
  expect(problems({ "a.yaml": withVariables(exported(kind, "common", "x: y")) })).toEqual([
    "EDICT2105 a.yaml:1:1 $.variables",
  ]);
});

it("still takes them in other policies", () => {
  expect(problems({ "a.yaml": withVariables(resourcePolicy("album")) })).toEqual([]);
});
