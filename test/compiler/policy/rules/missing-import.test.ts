/** compiler/policy/rules/missing-import.ts */
import { expect, it } from "vitest";
import { derivedRoles, messages, problems, resourcePolicy } from "../policies.ts";

const importer = resourcePolicy(
  "album",
  "  importDerivedRoles: [roles]\n  variables: {import: [names]}\n  constants: {import: [numbers]}\n",
);

it("reports each import that nobody defines", () => {
  expect(problems({ "a.yaml": importer })).toEqual([
    "EDICT2302 a.yaml:5:24 $.resourcePolicy.importDerivedRoles[0]",
    "EDICT2302 a.yaml:6:24 $.resourcePolicy.variables.import[0]",
    "EDICT2302 a.yaml:7:24 $.resourcePolicy.constants.import[0]",
  ]);
  expect(messages({ "a.yaml": importer })[0]).toBe(
    "cannot find derived roles `roles`, imported by resource.album.vdefault",
  );
});

it("treats a disabled policy as absent", () => {
  const files = {
    "a.yaml": resourcePolicy("album", "  importDerivedRoles: [roles]\n"),
    "roles.yaml": `disabled: true\n${derivedRoles("roles", "x")}`,
  };
  expect(problems(files)).toEqual(["EDICT2302 a.yaml:5:24 $.resourcePolicy.importDerivedRoles[0]"]);
});

it("does not report again what a broken file may define", () => {
  const files = {
    "a.yaml": resourcePolicy("album", "  importDerivedRoles: [roles, others]\n"),
    "roles.yaml": `${derivedRoles("roles", "x")}  oops\n`,
  };
  expect(problems(files).map((problem) => problem.slice(0, 9))).toEqual(["EDICT1101", "EDICT2302"]);
});
