/** Which variables and constants the expressions of each policy reach, directly or through other variables. */
import type { CelSource } from "../policy/policy-set.ts";
import { derivedRolesOf, nodesOf, type Review, rulesOf, sourcesOf } from "./review.ts";

export interface UsedNames {
  readonly variables: ReadonlySet<string>;
  readonly constants: ReadonlySet<string>;
}

const NOTHING: UsedNames = { variables: new Set(), constants: new Set() };

export class NameUsage {
  readonly #byPolicy = new Map<string, { variables: Set<string>; constants: Set<string> }>();
  readonly #review: Review;

  constructor(review: Review) {
    this.#review = review;
    for (const { policy, condition, outputs } of rulesOf(review)) {
      for (const source of sourcesOf(condition)) this.#visit(policy, source);
      if (outputs.ruleActivated !== undefined) this.#visit(policy, outputs.ruleActivated);
      if (outputs.conditionNotMet !== undefined) this.#visit(policy, outputs.conditionNotMet);
    }
    for (const [{ condition }, module] of derivedRolesOf(review)) {
      for (const source of sourcesOf(condition)) this.#visit(module, source);
    }
  }

  /** What the policy with this key uses. */
  of(policy: string): UsedNames {
    return this.#byPolicy.get(policy) ?? NOTHING;
  }

  #visit(policy: string, source: CelSource): void {
    const expr = this.#review.expressions.get(source);
    if (expr === undefined) return;
    let used = this.#byPolicy.get(policy);
    if (used === undefined) {
      used = { variables: new Set(), constants: new Set() };
      this.#byPolicy.set(policy, used);
    }
    for (const node of nodesOf(expr)) {
      if (node.kind === "constant") used.constants.add(node.name);
      if (node.kind !== "variable" || used.variables.has(node.name)) continue;
      used.variables.add(node.name);
      const variable = source.names.variables.get(node.name);
      if (variable !== undefined) this.#visit(policy, variable);
    }
  }
}
