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

const MODULES = {
  derivedRoles: "derived_roles",
  exportVariables: "export_variables",
  exportConstants: "export_constants",
} as const;

/** The names of upstream are the keys with a prefix. */
function fqn({ kind, name, version = "", scope = "" }: PolicyName): string {
  const key = kind === "resource" || kind === "principal" ? policyKey(kind, name, version, scope) : undefined;
  return `cerbos.${key ?? moduleKey(MODULES[kind as keyof typeof MODULES], name)}`;
}

describe.skipIf(!hasCorpus)("corpus names", () => {
  const keys = hasCorpus
    ? (JSON.parse(readText("names", "fqn.json")) as { policy: PolicyName; wantFqn: string }[])
    : [];
  const trees = hasCorpus
    ? (JSON.parse(readText("names", "tree.json")) as { policy: PolicyName; wantTree: string[] }[])
    : [];

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
