/** compiler/policy/rules/invalid-name.ts */
import { expect, it } from "vitest";
import { exported, messages, problems, resourcePolicy } from "../policies.ts";

it("refuses names that no expression could select, wherever they are defined", () => {
  const local =
    '  variables: {import: [v], local: {"why?": a}}\n  constants: {import: [c], local: {"": 1}}\n';
  const files = {
    "a.yaml": `variables: {a-b: x}\n${resourcePolicy("album", local)}`,
    "b.yaml": exported("exportVariables", "v", "a.b.c: x"),
    "c.yaml": exported("exportConstants", "c", "0xAA: x").replace("0xAA", '"0xAA"'),
  };
  expect(problems(files)).toEqual([
    "EDICT2201 a.yaml:1:13 $.variables.a-b",
    "EDICT2201 a.yaml:6:36 $.resourcePolicy.variables.local.why?",
    "EDICT2201 a.yaml:7:36 $.resourcePolicy.constants.local.",
    "EDICT2201 b.yaml:5:5 $.exportVariables.definitions.'a.b.c'",
    "EDICT2201 c.yaml:5:5 $.exportConstants.definitions.0xAA",
  ]);
});

it.each(["false", "in", "null", "true"])("refuses the reserved word %s", (word) => {
  const local = `  constants: {local: {"${word}": 1}}\n`;
  expect(messages({ "a.yaml": resourcePolicy("album", local) })).toEqual([
    `\`${word}\` is a reserved word and cannot name a constant`,
  ]);
});

it("takes identifiers, also those that begin with an underscore", () => {
  const local = "  variables: {local: {_a1: x, B: y}}\n";
  expect(problems({ "a.yaml": resourcePolicy("album", local) })).toEqual([]);
});

it("does not judge an export that nobody imports", () => {
  expect(problems({ "a.yaml": exported("exportVariables", "v", "a-b: x") })).toEqual([]);
});
