/** compiler/policy/rules/redefined-name.ts */
import { expect, it } from "vitest";
import { check, exported, problems, resourcePolicy } from "../policies.ts";

it("reports a variable with three definitions once, and says where all of them are", () => {
  const body = "  variables:\n    import: [common]\n    local:\n      a: x\n";
  const files = {
    "policy.yaml": `variables: {a: y}\n${resourcePolicy("album", body)}`,
    "common.yaml": exported("exportVariables", "common", "a: z"),
  };
  const { diagnostics } = check(files);
  expect(diagnostics.map(({ code }) => code)).toEqual(["EDICT2203"]);
  expect(diagnostics[0]?.message).toBe(
    "variable `a` has several definitions: import `common` (common.yaml:5:8), local variables (policy.yaml:9:10), top-level variables (policy.yaml:1:16)",
  );
});

it("reports two imports that define the same constant at the import", () => {
  const files = {
    "policy.yaml": resourcePolicy("album", "  constants: {import: [one, two]}\n"),
    "one.yaml": exported("exportConstants", "one", "a: 1"),
    "two.yaml": exported("exportConstants", "two", "a: 1"),
  };
  expect(problems(files)).toEqual(["EDICT2204 policy.yaml:5:29 $.resourcePolicy.constants.import[1]"]);
});

it("lets a variable and a constant have the same name", () => {
  const body = "  variables: {local: {a: x}}\n  constants: {local: {a: 1}}\n";
  expect(problems({ "policy.yaml": resourcePolicy("album", body) })).toEqual([]);
});

it("reports the clash in every policy that has the two imports", () => {
  const imports = "  variables: {import: [one, two]}\n";
  const files = {
    "a.yaml": resourcePolicy("a", imports),
    "b.yaml": resourcePolicy("b", imports),
    "one.yaml": exported("exportVariables", "one", "x: y"),
    "two.yaml": exported("exportVariables", "two", "x: y"),
  };
  expect(problems(files).map((problem) => problem.slice(0, 16))).toEqual([
    "EDICT2203 a.yaml",
    "EDICT2203 b.yaml",
  ]);
});
