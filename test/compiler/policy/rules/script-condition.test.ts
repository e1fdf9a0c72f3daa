/** compiler/policy/rules/script-condition.ts */
import { expect, it } from "vitest";
import { derivedRoles, problems, resourceRule } from "../policies.ts";

const SCRIPT = "      condition:\n        script: x == 1\n";

const importer = (name: string): string =>
  `apiVersion: api.cerbos.dev/v1\nresourcePolicy: {resource: ${name}, version: v1, importDerivedRoles: [common]}\n`;

it("refuses a script in a rule, at the condition", () => {
  expect(problems({ "a.yaml": resourceRule(`      roles: [user]\n${SCRIPT}`) })).toEqual([
    "EDICT2106 a.yaml:9:7 $.resourcePolicy.rules[0].condition",
  ]);
});

it("refuses a script in a derived role once, however many policies import it", () => {
  const files = {
    "a.yaml": importer("a"),
    "b.yaml": importer("b"),
    "roles.yaml": derivedRoles("common", "owner") + SCRIPT,
  };
  expect(problems(files)).toEqual(["EDICT2106 roles.yaml:7:7 $.derivedRoles.definitions[0].condition"]);
});
