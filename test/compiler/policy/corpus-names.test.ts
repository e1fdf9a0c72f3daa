/** Policy keys and scope chains of the corpus `names`. */
import { describe, expect, it } from "vitest";
import { moduleKey, policyKey, scopeAncestors } from "../../../compiler/policy/names.ts";
import { hasCorpus, readText } from "./corpus.ts";

interface PolicyName {
  readonly kind: "resource" | "principal" | "derivedRoles" | "exportVariables" | "exportConstants";
  readonly name: string;
  readonly version?: string;
  readonly scope?: string;
}

const KINDS = {
  resource: "resource",
  principal: "principal",
  derivedRoles: "derived_roles",
  exportVariables: "export_variables",
  exportConstants: "export_constants",
} as const;

/** The names of upstream are the keys with a prefix. */
function fqn({ kind, name, version = "", scope = "" }: PolicyName): string {
  const own = KINDS[kind];
  return own === "resource" || own === "principal"
    ? `cerbos.${policyKey(own, name, version, scope)}`
    : `cerbos.${moduleKey(own, name)}`;
}

const read = (file: string) => (hasCorpus ? JSON.parse(readText("names", file)) : []);

describe.skipIf(!hasCorpus)("corpus names", () => {
  const keys: { policy: PolicyName; wantFqn: string }[] = read("fqn.json");
  const trees: { policy: PolicyName; wantTree: string[] }[] = read("tree.json");

  it("has its cases", () => {
    expect(keys.length + trees.length).toBeGreaterThan(10);
  });

  it.each(keys)("names $policy.name: $wantFqn", ({ policy, wantFqn }) => {
    expect(fqn(policy)).toBe(wantFqn);
  });

  it.each(trees)("finds the ancestors of $policy.name", ({ policy, wantTree }) => {
    const ancestors = scopeAncestors(policy.scope ?? "").map((scope) => fqn({ ...policy, scope }));
    expect([fqn(policy), ...ancestors]).toEqual(wantTree);
  });
});
