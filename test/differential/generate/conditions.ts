/** Conditions and outputs made from a pool's expressions: single ones, and trees of `all`, `any` and `none`. */
import type { Random } from "../random.ts";
import type { ExpressionPool } from "./expression-pool.ts";

export type Match =
  | { readonly expr: string }
  | { readonly all: { readonly of: readonly Match[] } }
  | { readonly any: { readonly of: readonly Match[] } }
  | { readonly none: { readonly of: readonly Match[] } };

export interface Pools {
  /** Expressions of type bool, or of no known type. */
  readonly conditions: ExpressionPool;
  /** Expressions of any type. */
  readonly outputs: ExpressionPool;
}

/** `condition: {...}` now and then, otherwise nothing. */
export function condition(pools: Pools, random: Random, probability: number): object {
  if (!random.chance(probability)) return {};
  const match = matchOf(pools, random, 2);
  return match === undefined ? {} : { condition: { match } };
}

function matchOf(pools: Pools, random: Random, depth: number): Match | undefined {
  if (depth === 0 || random.chance(0.5)) {
    const expr = pools.conditions.take();
    return expr === undefined ? undefined : { expr };
  }
  const of = Array.from({ length: 1 + random.below(3) }, () => matchOf(pools, random, depth - 1)).filter(
    (each) => each !== undefined,
  );
  if (of.length === 0) return undefined;
  const operator = random.below(3);
  return operator === 0 ? { all: { of } } : operator === 1 ? { any: { of } } : { none: { of } };
}

/** `output: {...}` now and then; without `conditionNotMet` where asked. */
export function output(pools: Pools, random: Random, probability: number, onlyActivated = false): object {
  if (!random.chance(probability)) return {};
  const activated = pools.outputs.take();
  if (activated === undefined) return {};
  if (random.chance(0.2)) return { output: { expr: activated } };
  const notMet = onlyActivated || random.chance(0.4) ? undefined : pools.outputs.take();
  return {
    output: {
      when: { ruleActivated: activated, ...(notMet === undefined ? {} : { conditionNotMet: notMet }) },
    },
  };
}
