/** compiler/lint/findings/unused-derived-role.ts, unused-name.ts, unused-import.ts, unused-schema.ts */
import { expect, it } from "vitest";
import { derivedRoles, exported, resourcePolicy } from "../../policy/policies.ts";
import { findings, messages } from "../reviewing.ts";

const RULE = "    - {actions: [view], roles: [user], effect: EFFECT_ALLOW}\n";

it("reports derived roles that no rule names, imported or not", () => {
  const rule = "    - {actions: [view], derivedRoles: [owner], effect: EFFECT_ALLOW}\n";
  const policy = resourcePolicy("album", `  importDerivedRoles: [roles]\n  rules:\n${rule}`);
  const files = {
    "a.yaml": policy,
    "r.yaml": derivedRoles("roles", "owner", "reader"),
    "s.yaml": derivedRoles("spare", "x"),
  };
  expect(findings(files)).toEqual(["EDICT7006 r.yaml:7:11", "EDICT7006 s.yaml:5:11"]);
});

it("takes all derived roles for used where effective ones are read", () => {
  const rule = `    - {actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: {match: {expr: '"owner" in runtime.effectiveDerivedRoles'}}}\n`;
  const policy = resourcePolicy("album", `  importDerivedRoles: [roles]\n  rules:\n${rule}`);
  expect(findings({ "a.yaml": policy, "r.yaml": derivedRoles("roles", "owner", "reader") })).toEqual([]);
});

it("reports variables and constants that no expression reaches", () => {
  const names =
    "  variables:\n    local:\n      used: V.inner\n      inner: R.attr.a\n      spare: R.attr.b\n  constants:\n    local:\n      one: 1\n      two: 2\n";
  const rule =
    "    - {actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: {match: {expr: V.used == C.one}}}\n";
  expect(findings({ "a.yaml": resourcePolicy("album", `${names}  rules:\n${rule}`) })).toEqual([
    "EDICT7007 a.yaml:9:7",
    "EDICT7008 a.yaml:13:7",
  ]);
});

it("reports exports and imports that nobody uses", () => {
  const rule =
    "    - {actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: {match: {expr: V.a}}}\n";
  const policy = resourcePolicy("album", `  variables: {import: [facts, more]}\n  rules:\n${rule}`);
  const files = {
    "a.yaml": policy,
    "f.yaml": exported("exportVariables", "facts", "a: R.attr.a\nb: R.attr.b"),
    "m.yaml": exported("exportVariables", "more", "c: R.attr.c"),
    "n.yaml": exported("exportConstants", "numbers", "one: 1"),
  };
  expect(messages(files)).toEqual([
    "the import of `more` is not used",
    "no expression uses the variable `b`",
    "no expression uses the variable `c`",
    "no expression uses the constant `one`",
  ]);
});

it("reports schemas that nobody names, directly or from another schema", () => {
  const schemas = "  schemas: {resourceSchema: {ref: 'cerbos:///album.json'}}\n";
  expect(
    findings({
      "a.yaml": resourcePolicy("album", `${schemas}  rules:\n${RULE}`),
      "_schemas/album.json":
        '{"properties": {"by": {"$ref": "cerbos:///parts/user.json"}, "at": {"$ref": "parts/place.json"}}}',
      "_schemas/parts/user.json": "{}",
      "_schemas/parts/place.json": "{}",
      "_schemas/spare.json": "{}",
    }),
  ).toEqual(["EDICT7009 _schemas/spare.json:1:1"]);
});
