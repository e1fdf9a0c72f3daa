/**
 * Stage 4: checked policies to the decision program.
 *
 * Input: a PolicySet and the typed expression of each of its CEL sources.
 * Output: a Program: rule tables and one shared graph of conditions.
 * Fails with: nothing; it must be called only for sets in which no earlier stage found an error.
 */
import type { CelExpr } from "../cel/expression.ts";
import type { UsedNames } from "../cel/set-checker.ts";
import type { CelSource, Names, PolicySet, ResourcePolicy } from "../policy/policy-set.ts";
import { LowerCache } from "./lower-cache.ts";
import { ProgramAssembly, rootKey } from "./program-assembly.ts";
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
  const roots = new Map<string, ResourcePolicy>();
  for (const policy of set.resourcePolicies) {
    if (policy.scope === "") roots.set(rootKey(policy), policy);
  }
  const assembly = new ProgramAssembly(lowering);
  for (const policy of set.resourcePolicies) assembly.resource(policy, roots);
  for (const policy of set.principalPolicies) assembly.principal(policy);
  for (const policy of set.rolePolicies) assembly.role(policy);
  const program = assembly.program();
  cache.end(program.expressions.length + program.conditions.length + program.derivedRoles.length);
  return program;
}
