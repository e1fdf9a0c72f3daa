/**
 * Expressions checked before, for the next time. A text is checked by itself, so its result is kept; a policy is not visited again when
 * it is the same object and nothing at all was wrong with the set it was in. Changes the time that `check` takes, never its result.
 */
import type { CelSource, PolicySet } from "../policy/policy-set.ts";
import { type PolicyList, SeenPolicies } from "../policy/seen-policies.ts";
import type { CheckedText } from "./checker.ts";
import type { CelExpr } from "./expression.ts";

/** Texts kept; beyond this all are dropped, and checked again when they are met. */
const MAX_TEXTS = 500_000;

/** Checks after which everything is dropped, so that sources of policies long gone do not stay for ever. */
const MAX_GENERATIONS = 1000;

export class CheckCache {
  readonly texts = new Map<string, CheckedText>();
  expressions = new Map<CelSource, CelExpr>();
  readonly #policies = new SeenPolicies();
  #generation = 0;

  /** Begins a check. */
  begin(): void {
    if (++this.#generation > MAX_GENERATIONS || this.texts.size > MAX_TEXTS) {
      this.#generation = 0;
      this.texts.clear();
      this.#forget();
    }
  }

  /** The policies of a list that were not visited before, in a set without problems. */
  unvisited<List extends PolicyList>(set: PolicySet, list: List): readonly PolicySet[List][number][] {
    return this.#policies.unseen(set, list);
  }

  /**
   * Ends a check. With a problem somewhere, or with `V` or `C` as a whole, what a policy comes to depends on what was visited before it:
   * then every policy is visited again the next time.
   */
  end(set: PolicySet, visited: readonly object[], isClean: boolean): void {
    if (!isClean) {
      this.#forget();
      return;
    }
    for (const policy of visited) this.#policies.add(policy);
    this.#policies.settle(set);
  }

  #forget(): void {
    this.expressions = new Map();
    this.#policies.forget();
  }
}
