/**
 * Policies that a stage has dealt with for good, from one set to the next. What stands in the same place as the last time is known without
 * being looked up, so that passing over 40,000 policies takes no time.
 */
import type { PolicySet } from "./policy-set.ts";

/** The lists of a set. */
export type PolicyList = "resourcePolicies" | "principalPolicies" | "rolePolicies";

type Lists = Pick<PolicySet, PolicyList>;

const NO_POLICIES: Lists = { resourcePolicies: [], principalPolicies: [], rolePolicies: [] };

export class SeenPolicies {
  #seen = new WeakSet<object>();
  /** All of these are seen. */
  #last: Lists = NO_POLICIES;

  /** The policies of a list that are not seen, in its order. */
  unseen<List extends PolicyList>(set: Lists, list: List): readonly Lists[List][number][] {
    const last: readonly object[] = this.#last[list];
    const policies: readonly Lists[List][number][] = set[list];
    return policies.filter((policy, index) => policy !== last[index] && !this.#seen.has(policy));
  }

  add(policy: object): void {
    this.#seen.add(policy);
  }

  /** Told that every policy of a set has been added. */
  settle({ resourcePolicies, principalPolicies, rolePolicies }: Lists): void {
    this.#last = { resourcePolicies, principalPolicies, rolePolicies };
  }

  forget(): void {
    this.#seen = new WeakSet();
    this.#last = NO_POLICIES;
  }
}
