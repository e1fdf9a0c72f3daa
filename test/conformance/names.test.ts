/** corpus/names: fully qualified names and scope chains. Module ids are left out: edict has none. */
import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { moduleKey, normaliseScope, policyKey, scopeAncestors } from "../../compiler/policy/names.ts";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";

interface Coordinates {
  readonly kind: string;
  readonly name: string;
  readonly version?: string;
  readonly scope?: string;
}

const MODULES = {
  derivedRoles: "derived_roles",
  exportConstants: "export_constants",
  exportVariables: "export_variables",
} as const;

interface NameCase {
  readonly policy: Coordinates;
  readonly wantFqn: string;
  readonly wantTree: readonly string[];
}

/** Cases of a file; `fqn.json` has no trees and `tree.json` no names. */
function read(file: string): readonly NameCase[] {
  if (CORPUS === undefined) return [];
  const cases: readonly NameCase[] = JSON.parse(readFileSync(corpusPath("names", file), "utf8"));
  return cases;
}

function fqn({ kind, name, version = "default", scope = "" }: Coordinates): string {
  switch (kind) {
    case "derivedRoles":
    case "exportConstants":
    case "exportVariables":
      return `cerbos.${moduleKey(MODULES[kind], name)}`;
    case "resource":
    case "principal":
    case "role":
      return `cerbos.${policyKey(kind, name, version, normaliseScope(scope))}`;
    default:
      throw new Error(`unknown kind \`${kind}\``);
  }
}

const TITLE = CORPUS === undefined ? `corpus/names (${NO_CORPUS})` : "corpus/names";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it.each(read("fqn.json"))("$wantFqn", ({ policy, wantFqn }) => {
    expect(fqn(policy)).toBe(wantFqn);
  });
  it.each(read("tree.json"))("chain of $wantTree", ({ policy, wantTree }) => {
    const scope = normaliseScope(policy.scope ?? "");
    const chain = policy.version === undefined ? [] : scopeAncestors(scope);
    expect([fqn(policy), ...chain.map((above) => fqn({ ...policy, scope: above }))]).toEqual(wantTree);
  });
});
