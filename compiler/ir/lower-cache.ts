/**
 * Policies lowered before, for the next time. A policy comes to the same rows when it is the same object, whatever stands around it, because
 * its rows name nodes of a graph that is kept as well. Changes the time that `lower` takes, never what it returns.
 */
import type { CelExpr } from "../cel/expression.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import type { CelSource, Names } from "../policy/policy-set.ts";
import { PolicyLowering } from "./policy-lowering.ts";
import type { Assembled } from "./program-assembly.ts";

/** Nodes that the graph may have beyond twice those of the last program before everything is dropped. */
const MAX_DEAD_NODES = 50_000;

/** Sets lowered after which everything is dropped. */
const MAX_GENERATIONS = 1000;

export class LowerCache {
  #lowering = new PolicyLowering();
  #generation = 0;
  #live = 0;
  /** The last program, over the graph that is lowered to now. */
  last: Assembled | undefined;

  /** What lowers the policies of the next set. */
  begin(expressions: ReadonlyMap<CelSource, CelExpr>, used: ReadonlyMap<Names, UsedNames>): PolicyLowering {
    const isFull = this.#lowering.nodes > 2 * this.#live + MAX_DEAD_NODES;
    // What `V` and `C` as a whole come to depends on more than their own policy.
    if (isFull || this.#lowering.hasWholes || ++this.#generation > MAX_GENERATIONS) {
      this.#lowering = new PolicyLowering();
      this.#generation = 0;
      this.last = undefined;
    }
    this.#lowering.begin(expressions, used);
    return this.#lowering;
  }

  /** Told what the set came to. */
  end(assembled: Assembled): void {
    const { expressions, conditions, derivedRoles } = assembled.program;
    this.#live = expressions.length + conditions.length + derivedRoles.length;
    this.last = assembled;
  }
}
