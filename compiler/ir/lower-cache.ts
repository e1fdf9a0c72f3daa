/**
 * Policies lowered before, for the next time. A policy comes to the same rows when it is the same object, whatever stands around it, because
 * its rows name nodes of a graph that is kept as well. Changes the time that `lower` takes, never what it returns.
 */
import type { CelExpr } from "../cel/expression.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import type { CelSource, Names } from "../policy/policy-set.ts";
import { PolicyLowering } from "./policy-lowering.ts";

/** Nodes that the graph may have beyond twice those of the last program before everything is dropped. */
const MAX_DEAD_NODES = 50_000;

/** Sets lowered after which everything is dropped. */
const MAX_GENERATIONS = 1000;

export class LowerCache {
  #lowering = new PolicyLowering();
  #generation = 0;
  #live = 0;

  /** What lowers the policies of the next set. */
  begin(expressions: ReadonlyMap<CelSource, CelExpr>, used: ReadonlyMap<Names, UsedNames>): PolicyLowering {
    const isFull = this.#lowering.nodes > 2 * this.#live + MAX_DEAD_NODES;
    // What `V` and `C` as a whole come to depends on more than their own policy.
    if (isFull || this.#lowering.hasWholes || ++this.#generation > MAX_GENERATIONS) {
      this.#lowering = new PolicyLowering();
      this.#generation = 0;
    }
    this.#lowering.begin(expressions, used);
    return this.#lowering;
  }

  /** Told how many nodes the program has. */
  end(nodes: number): void {
    this.#live = nodes;
  }
}
