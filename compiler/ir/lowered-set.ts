/**
 * The lowered policies of one set, in its order. What stood in the same place the last time is taken over without being looked up, so that
 * an edit of one policy costs a comparison for each of the others.
 */
import type { PolicySet, PrincipalPolicy, ResourcePolicy, RolePolicy } from "../policy/policy-set.ts";
import type { AnyRow, LoweredPolicy, Use } from "./lowered.ts";
import type { PolicyLowering } from "./policy-lowering.ts";
import type { PrincipalRow, ResourceRow, RoleRow } from "./program.ts";
import { type KeptSchemaSet, keptSchemaSet } from "./schema-sets.ts";

/** A policy and what it was lowered to. */
export interface Entry<Policy = object, Row extends AnyRow = AnyRow> {
  readonly policy: Policy;
  readonly lowered: LoweredPolicy<Row>;
}

export interface ResourceEntry extends Entry<ResourcePolicy, ResourceRow> {
  /** Of the policy at the root of its scopes, whose schemas count (COMPAT.md section 4); undefined for none. */
  readonly schemas: KeptSchemaSet | undefined;
}

export class LoweredSet {
  readonly resources: readonly ResourceEntry[];
  readonly principals: readonly Entry<PrincipalPolicy, PrincipalRow>[];
  readonly roles: readonly Entry<RolePolicy, RoleRow>[];
  readonly #policies: readonly ResourcePolicy[];
  readonly #roots: Roots;

  /** @param last lowered over the same graph */
  constructor(set: PolicySet, lowering: PolicyLowering, last?: LoweredSet) {
    const policies = set.resourcePolicies;
    const edited = last === undefined ? undefined : editedIndices(last.#policies, policies);
    this.#policies = policies;
    this.#roots = last !== undefined && edited !== undefined ? last.#roots : rootsOf(policies);
    const entry = (policy: ResourcePolicy): ResourceEntry => ({
      policy,
      lowered: lowering.resource(policy),
      schemas: keptSchemaSet(rootOf(policy, policies, this.#roots)),
    });
    const resources = last !== undefined && edited !== undefined ? [...last.resources] : policies.map(entry);
    for (const index of edited ?? []) {
      const policy = policies[index];
      if (policy !== undefined) resources[index] = entry(policy);
    }
    const isShown =
      edited?.some((index) => changesSchemas(last?.resources[index], resources[index])) === true;
    this.resources = isShown ? policies.map(entry) : resources;
    this.principals = set.principalPolicies.map((policy, index) =>
      keptOr(last?.principals[index], policy, () => lowering.principal(policy)),
    );
    this.roles = set.rolePolicies.map((policy, index) =>
      keptOr(last?.roles[index], policy, () => lowering.role(policy)),
    );
  }

  /** Whether the policies use the same expressions, conditions and derived roles, in the same order and places, as those of `other`. */
  usesWhat(other: LoweredSet): boolean {
    return (
      isEveryUseSame(this.resources, other.resources) &&
      isEveryUseSame(this.principals, other.principals) &&
      isEveryUseSame(this.roles, other.roles)
    );
  }
}

function keptOr<Policy, Row extends AnyRow>(
  before: Entry<Policy, Row> | undefined,
  policy: Policy,
  lower: () => LoweredPolicy<Row>,
): Entry<Policy, Row> {
  return before?.policy === policy ? before : { policy, lowered: lower() };
}

/** Where resource policies of the root scope stand in the list, by version and resource. */
type Roots = ReadonlyMap<string, ReadonlyMap<string, number>>;

function rootsOf(policies: readonly ResourcePolicy[]): Roots {
  const roots = new Map<string, Map<string, number>>();
  for (const [index, policy] of policies.entries()) {
    if (policy.scope !== "") continue;
    const ofVersion = roots.get(policy.version) ?? new Map<string, number>();
    roots.set(policy.version, ofVersion.set(policy.resource, index));
  }
  return roots;
}

function rootOf(policy: ResourcePolicy, policies: readonly ResourcePolicy[], roots: Roots): ResourcePolicy {
  return policies[roots.get(policy.version)?.get(policy.resource) ?? -1] ?? policy;
}

/** Where the lists differ, when that is only in policies that are called as before; nothing otherwise. */
function editedIndices(
  before: readonly ResourcePolicy[],
  after: readonly ResourcePolicy[],
): readonly number[] | undefined {
  if (before.length !== after.length) return undefined;
  const edited: number[] = [];
  for (let index = 0; index < after.length; index++) {
    const policy = after[index];
    const former = before[index];
    if (policy === former) continue;
    const isCalledTheSame =
      policy?.scope === former?.scope &&
      policy?.version === former?.version &&
      policy?.resource === former?.resource;
    if (!isCalledTheSame) return undefined;
    edited.push(index);
  }
  return edited;
}

/** Whether an edit can be seen in the schemas of policies below this one. */
function changesSchemas(before: ResourceEntry | undefined, after: ResourceEntry | undefined): boolean {
  return after?.policy.scope === "" && before?.schemas?.key !== after.schemas?.key;
}

function isEveryUseSame(left: readonly Entry[], right: readonly Entry[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    const one = left[index];
    const other = right[index];
    if (one === other || one === undefined || other === undefined) continue;
    if (one.lowered !== other.lowered && !hasSameUses(one.lowered, other.lowered)) return false;
  }
  return true;
}

function hasSameUses(left: LoweredPolicy, right: LoweredPolicy): boolean {
  return (
    left.uses.length === right.uses.length &&
    left.uses.every((use, index) => isSameUse(use, right.uses[index])) &&
    left.derivedRoles.length === right.derivedRoles.length &&
    left.derivedRoles.every((role, index) => role === right.derivedRoles[index])
  );
}

function isSameUse(left: Use, right: Use | undefined): boolean {
  if (typeof left === "number" || typeof right === "number" || right === undefined) return left === right;
  return (
    left.condition === right.condition &&
    left.text === right.text &&
    left.place.file === right.place.file &&
    left.place.line === right.place.line &&
    left.place.column === right.place.column &&
    left.place.path === right.place.path
  );
}
