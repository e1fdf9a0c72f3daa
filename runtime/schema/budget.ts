/**
 * How much work the schemas of one request may cause. Attributes come from outside, and a schema can make their validation cost
 * more than their size; what exceeds the budget is rejected, never passed.
 */

/** Steps for one request: visits of a value by a schema, comparisons, characters matched against patterns. */
export const MAX_STEPS = 2_000_000;
/** Steps for each resource of a request that has more than the 500 that `MAX_STEPS` is meant for. */
const STEPS_PER_RESOURCE = 4000;
/** Nested visits: deeper ones could exhaust the stack. */
export const MAX_DEPTH = 1000;

/** Most errors of one value: what follows does not help anybody. */
export const MAX_ERRORS = 100;

/** Thrown inside a validation that cannot be finished; the message says why. */
export class Unfinished extends Error {}

/** The steps of a request with so many resources. */
export function stepsFor(resources: number): number {
  return Math.max(MAX_STEPS, resources * STEPS_PER_RESOURCE);
}

export class Budget {
  #left: number;

  constructor(steps: number = MAX_STEPS) {
    this.#left = steps;
  }

  /** Throws `Unfinished` when nothing is left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new Unfinished("validating the attributes takes too many steps");
  }
}
