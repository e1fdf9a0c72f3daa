/**
 * Stage 4: checked policies to the decision program.
 *
 * Input: a PolicySet and the typed expression of each of its CEL sources.
 * Output: a Program: rule tables and one shared graph of conditions.
 * Fails with: nothing; it must be called only for sets in which no earlier stage found an error.
 */
import type { CelExpr } from "../cel/expression.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import type { CelSource, Names, PolicySet } from "../policy/policy-set.ts";
import { LowerCache } from "./lower-cache.ts";
import { LoweredSet } from "./lowered-set.ts";
import { assembleProgram } from "./program-assembly.ts";
import type { Program } from "./program.ts";

/**
 * Lowers a whole policy set. Blocks come out in the set's order, which is sorted by policy key.
 * @param cache kept by a caller that lowers again after edits; changes nothing but the time it takes
 */
export function lower(
  set: PolicySet,
  expressions: ReadonlyMap<CelSource, CelExpr>,
  used: ReadonlyMap<Names, UsedNames>,
  cache = new LowerCache(),
): Program {
  const lowering = cache.begin(expressions, used);
  const { last } = cache;
  const lowered = new LoweredSet(set, lowering, last?.lowered);
  const assembled = assembleProgram(lowering, lowered, last);
  cache.end(assembled);
  return assembled.program;
}
