/** compiler/policy/rules/missing-ancestor.ts */
import { expect, it } from "vitest";
import { check, messages, problems, resourcePolicy } from "../policies.ts";

const scoped = (scope: string, version = "default"): string =>
  resourcePolicy("album", `  scope: ${scope}\n`, version);
const role = (resource: string): string =>
  `apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: clerk\n  version: default\n  scope: acme\n  rules: [{resource: "${resource}", allowActions: [view]}]\n`;

const children = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.yaml`, scoped(`s${index}`)]));

it("reports each missing scope up to the root", () => {
  expect(messages({ "a.yaml": scoped("acme.hr.uk") }).sort()).toEqual([
    "policy `resource.album.vdefault/acme.hr` is missing; resource.album.vdefault/acme.hr.uk needs every scope above it to have a policy",
    "policy `resource.album.vdefault/acme` is missing; resource.album.vdefault/acme.hr.uk needs every scope above it to have a policy",
    "policy `resource.album.vdefault` is missing; resource.album.vdefault/acme.hr.uk needs every scope above it to have a policy",
  ]);
});

it("reports a missing scope at each of its descendants, but not at thousands of them", () => {
  expect(problems(children(3))).toHaveLength(3);
  expect(problems(children(50))).toHaveLength(20);
});

it("wants ancestors of the same version, and not disabled ones", () => {
  const files = { "a.yaml": scoped("acme"), "b.yaml": resourcePolicy("album", "", "v2"), "c.yaml": "" };
  expect(problems(files)).toEqual(["EDICT2303 a.yaml:2:1 $.resourcePolicy"]);
  expect(problems({ ...files, "c.yaml": `disabled: true\n${resourcePolicy("album")}` })).toHaveLength(1);
  expect(problems({ ...files, "c.yaml": resourcePolicy("album") })).toEqual([]);
});

it("judges principal policies alike, and exempts role policies", () => {
  const principal = `apiVersion: api.cerbos.dev/v1\nprincipalPolicy: {principal: donald, version: v1, scope: a.b}\n`;
  expect(problems({ "a.yaml": principal, "b.yaml": role("album") })).toHaveLength(2);
});

it("takes a role policy that covers the resource for the missing scope, with a warning", () => {
  const files = { "a.yaml": scoped("acme.hr"), "root.yaml": resourcePolicy("album") };
  const standIn = (resource: string): unknown =>
    check({ ...files, "r.yaml": role(resource) }).diagnostics.map(({ code, severity }) => [code, severity]);
  expect(standIn("alb*")).toEqual([["EDICT2307", "warning"]]);
  expect(standIn("*")).toEqual([["EDICT2307", "warning"]]);
  expect(standIn("photo")).toEqual([["EDICT2303", "error"]]);
});
