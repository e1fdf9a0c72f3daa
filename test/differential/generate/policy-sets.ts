/**
 * Random policy sets, valid by construction: every kind of policy, in scopes and versions, with conditions and outputs
 * from a pool. Left out because the real Cerbos answers differently from start to start or against its documentation
 * (COMPAT.md 5.5, 6.2, 6.5, 6.6): scopes that disagree about consent, missing ancestors, rules of one name (or index) that
 * match a resource twice, `conditionNotMet` outputs of rules via derived roles, parent roles that differ between the
 * versions of a role policy.
 */
import type { Random } from "../random.ts";
import { condition, output, type Pools } from "./conditions.ts";
import { schemasOf } from "./schemas.ts";
import {
  ACTION_PATTERNS,
  few,
  KIND_GLOBS,
  PRINCIPALS,
  ROLE_PATTERNS,
  ROLES,
  some,
  type World,
} from "./world.ts";

const API = "api.cerbos.dev/v1";
const CONSENT = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS";
const EFFECTS = ["EFFECT_ALLOW", "EFFECT_ALLOW", "EFFECT_DENY"];

/**
 * Pools for places that may read `runtime` and for those that may not. Conditions of derived roles read no variables: where
 * one fails, Cerbos takes it for null in its list of derived roles and for an error elsewhere (docs/differences.md).
 */
export interface PoolsByPlace {
  readonly derivedRoles: Pools;
  readonly rules: Pools;
  readonly elsewhere: Pools;
}

/** The policies of a set, as documents; `imports` gives the variables and constants of one policy. */
export function policySet(
  world: World,
  pools: PoolsByPlace,
  imports: () => object,
  random: Random,
): readonly object[] {
  const maker = new Maker(world, pools, imports, random);
  return [
    ...maker.derivedRoles(),
    ...world.kinds.flatMap((kind) => maker.resourcePolicies(kind)),
    ...maker.rolePolicies(),
    ...maker.principalPolicies(),
  ].map((policy) => document(policy));
}

function document(policy: object): object {
  return { apiVersion: API, ...policy };
}

class Maker {
  readonly #world: World;
  readonly #pools: PoolsByPlace;
  readonly #imports: () => object;
  readonly #random: Random;
  #derived: readonly string[] = [];
  #names = 0;

  constructor(world: World, pools: PoolsByPlace, imports: () => object, random: Random) {
    this.#world = world;
    this.#pools = pools;
    this.#imports = imports;
    this.#random = random;
  }

  #definition(name: string): { readonly name: string; readonly parentRoles: readonly string[] } {
    return {
      name,
      parentRoles: few(ROLE_PATTERNS, this.#random, 2),
      ...condition(this.#pools.derivedRoles, this.#random, 0.8),
    };
  }

  derivedRoles(): readonly object[] {
    const definitions = ["owner", "peer", "late", "odd", "any"].map((name) => this.#definition(name));
    this.#derived = definitions.map(({ name }) => name);
    return [{ derivedRoles: { name: "derived", ...this.#imports(), definitions } }];
  }

  /** A chain of scopes, complete up to the root, for every version of a kind. */
  resourcePolicies(kind: string): readonly object[] {
    const { scopes, versions } = this.#world;
    return some(versions, this.#random, 0.7).flatMap((version) =>
      withAncestors(some(scopes, this.#random, 0.6)).map((scope) => ({
        resourcePolicy: {
          resource: kind,
          version,
          ...this.#scoped(scope),
          ...schemasOf(this.#random),
          importDerivedRoles: ["derived"],
          ...this.#imports(),
          rules: Array.from({ length: this.#random.below(6) }, () => this.#resourceRule()),
        },
      })),
    );
  }

  #resourceRule(): object {
    const random = this.#random;
    const derived = random.chance(0.3);
    return {
      ...(random.chance(0.8) ? { name: this.#name() } : {}),
      actions: few(ACTION_PATTERNS, random, 3),
      effect: random.pick(EFFECTS, ""),
      ...(derived ? { derivedRoles: few(this.#derived, random, 2) } : {}),
      ...(!derived || random.chance(0.2) ? { roles: few(ROLE_PATTERNS, random, 3) } : {}),
      ...condition(this.#pools.rules, random, 0.65),
      ...output(this.#pools.rules, random, 0.35, derived),
    };
  }

  rolePolicies(): readonly object[] {
    const random = this.#random;
    if (random.chance(0.3)) return [];
    const { consent, versions, kinds } = this.#world;
    // Whether Cerbos takes a role policy in a consent scope depends on the order of loading.
    const scopes = this.#world.scopes.filter((scope) => !consent.has(scope));
    return some(scopes, random, 0.5).flatMap((scope) =>
      some(ROLES, random, 0.3).flatMap((role) => {
        // The same for every version: of several lists Cerbos takes the one loaded last.
        const parents = this.#parents(role);
        return some(versions, random, 0.5).map((version) => ({
          rolePolicy: {
            role,
            version,
            ...(scope === "" ? {} : { scope }),
            ...parents,
            ...this.#imports(),
            rules: random.chance(0.1) ? [] : this.#roleRules(kinds),
          },
        }));
      }),
    );
  }

  /** Roles further down the list, so that no role is its own parent: Cerbos counts that one twice. */
  #parents(role: string): object {
    const others = ROLES.slice(ROLES.indexOf(role) + 1);
    return others.length > 0 && this.#random.chance(0.4) ? { parentRoles: few(others, this.#random, 2) } : {};
  }

  /** One entry per kind, or a single glob, so that no two entries meet one resource. */
  #roleRules(kinds: readonly string[]): readonly object[] {
    const random = this.#random;
    const resources = random.chance(0.3) ? few(KIND_GLOBS, random, 1) : some(kinds, random, 0.7);
    return resources.map((resource) => this.#roleRule(resource));
  }

  #roleRule(resource: string): object {
    const random = this.#random;
    return {
      resource,
      allowActions: few([...ACTION_PATTERNS, "*", "view"], random, 4),
      ...condition(this.#pools.rules, random, 0.3),
      ...(random.chance(0.5) ? { name: this.#name() } : {}),
      ...output(this.#pools.elsewhere, random, 0.3),
    };
  }

  principalPolicies(): readonly object[] {
    const random = this.#random;
    return some(PRINCIPALS, random, 0.4).flatMap((principal) =>
      some(this.#world.versions, random, 0.5).flatMap((version) =>
        withAncestors(some(this.#world.scopes, random, 0.3)).map((scope) => ({
          principalPolicy: {
            principal,
            version,
            ...this.#scoped(scope),
            ...this.#imports(),
            rules: this.#principalRules(),
          },
        })),
      ),
    );
  }

  #principalRules(): readonly object[] {
    const random = this.#random;
    return few([...this.#world.kinds, ...KIND_GLOBS], random, 3).map((resource) => ({
      resource,
      actions: Array.from({ length: 1 + random.below(2) }, () => ({
        name: this.#name(),
        action: random.pick(ACTION_PATTERNS, "view"),
        effect: random.pick(EFFECTS, ""),
        ...condition(this.#pools.elsewhere, random, 0.7),
        ...output(this.#pools.elsewhere, random, 0.3),
      })),
    }));
  }

  /** Cerbos wants all policies of a scope, of whatever kind, to say the same about consent. */
  #scoped(scope: string): object {
    return {
      ...(scope === "" ? {} : { scope }),
      ...(this.#world.consent.has(scope) ? { scopePermissions: CONSENT } : {}),
    };
  }

  #name(): string {
    this.#names += 1;
    return `r${this.#names}`;
  }
}

function withAncestors(scopes: readonly string[]): readonly string[] {
  const all = new Set([""]);
  for (const scope of scopes) {
    const parts = scope.split(".");
    for (let length = 1; length <= parts.length; length += 1) all.add(parts.slice(0, length).join("."));
  }
  return [...all].sort();
}
