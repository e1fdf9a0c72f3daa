/** Policies that were dealt with are known wherever they stand, and the others are found. */
import { describe, expect, it } from "vitest";
import type { PolicySet, PrincipalPolicy } from "../../../compiler/policy/policy-set.ts";
import { SeenPolicies } from "../../../compiler/policy/seen-policies.ts";

function setOf(principalPolicies: readonly PrincipalPolicy[]): PolicySet {
  return { resourcePolicies: [], principalPolicies, rolePolicies: [], schemas: new Map() };
}

const [ann, bob, cy] = ["ann", "bob", "cy"].map((principal) => ({ principal }) as PrincipalPolicy) as [
  PrincipalPolicy,
  PrincipalPolicy,
  PrincipalPolicy,
];

describe("SeenPolicies", () => {
  it("finds what was not added, in the same places and in others", () => {
    const seen = new SeenPolicies();
    const first = setOf([ann, bob]);
    expect(seen.unseen(first, "principalPolicies")).toEqual([ann, bob]);
    seen.add(ann);
    expect(seen.unseen(first, "principalPolicies")).toEqual([bob]);
    seen.add(bob);
    seen.settle(first);
    expect(seen.unseen(first, "principalPolicies")).toEqual([]);
    expect(seen.unseen(setOf([cy, bob, ann]), "principalPolicies")).toEqual([cy]);
  });

  it("forgets", () => {
    const seen = new SeenPolicies();
    seen.add(ann);
    seen.settle(setOf([ann]));
    seen.forget();
    expect(seen.unseen(setOf([ann]), "principalPolicies")).toEqual([ann]);
  });
});
