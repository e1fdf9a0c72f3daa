/**
 * What the findings look at: the checked policy set, its typed expressions, and the policies as they were decoded (which
 * alone know what was declared and is not used). Gathers; judges nothing.
 */
import type { CelExpr } from "../cel/expression.ts";
import { childrenOf } from "../ir/expression-children.ts";
import type { Loaded } from "../load/index.ts";
import { decodePolicy } from "../policy/decode/policy-message.ts";
import { Reader, rootSpot } from "../policy/decode/spot.ts";
import { moduleKey } from "../policy/names.ts";
import type { CelSource, DerivedRole, Match, Outputs, PolicySet } from "../policy/policy-set.ts";
import { identify, isDisabled, type Definition } from "../policy/registry.ts";

export interface Review {
  readonly set: PolicySet;
  readonly expressions: ReadonlyMap<CelSource, CelExpr>;
  /** Enabled policies as decoded, in the order of their files. */
  readonly definitions: readonly Definition[];
}

/** The effect, condition and outputs of a rule of any kind, and the key of its policy. */
export interface AnyRule {
  readonly policy: string;
  readonly effect: "allow" | "deny";
  readonly name: string;
  readonly condition?: Match;
  readonly outputs: Outputs;
}

/** Gathers what the findings need. `loaded` is what `set` was made of, without errors. */
export function reviewOf(
  loaded: Loaded,
  set: PolicySet,
  expressions: ReadonlyMap<CelSource, CelExpr>,
): Review {
  const definitions: Definition[] = [];
  for (const document of loaded.documents) {
    const entry = identify(document);
    if (entry === undefined || isDisabled(document)) continue;
    const reader = new Reader(document, []);
    const message = decodePolicy(rootSpot(document), reader);
    if (message !== undefined) definitions.push({ ...entry, message, reader });
  }
  return { set, expressions, definitions };
}

/** All rules of all policies that decide. */
export function* rulesOf({ set }: Review): Generator<AnyRule> {
  for (const { key, rules } of set.resourcePolicies) for (const rule of rules) yield { policy: key, ...rule };
  for (const { key, resources } of set.principalPolicies) {
    for (const { rules } of resources) for (const rule of rules) yield { policy: key, ...rule };
  }
  for (const { key, rules } of set.rolePolicies) {
    for (const rule of rules) yield { policy: key, effect: "allow", ...rule };
  }
}

/** The derived roles that rules use, each once, with the key of the policy that defines it. */
export function derivedRolesOf({ set }: Review): ReadonlyMap<DerivedRole, string> {
  const roles = new Map<DerivedRole, string>();
  for (const { rules } of set.resourcePolicies) {
    for (const { derivedRoles } of rules) {
      for (const role of derivedRoles) roles.set(role, moduleKey("derived_roles", role.origin));
    }
  }
  return roles;
}

/** The expressions of a condition, in source order. */
export function* sourcesOf(match: Match | undefined): Generator<CelSource> {
  if (match === undefined) return;
  if (match.kind === "expr") yield match.expr;
  else for (const member of match.of) yield* sourcesOf(member);
}

/** An expression and everything in it. */
export function* nodesOf(expr: CelExpr): Generator<CelExpr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* nodesOf(child);
}
