/** The names that random policies and requests share: kinds, roles, actions, principals, scopes and versions. */
import type { Random } from "../random.ts";

export const KINDS: readonly string[] = [
  "doc",
  "album:object",
  "leave_request",
  "note",
  "x-ray",
  "arn:aws:s3",
];
export const ROLES: readonly string[] = ["user", "admin", "boss", "guest", "user:ext"];
export const ACTIONS: readonly string[] = ["view", "edit", "view:public", "view:a:b", "delete", "share"];
export const PRINCIPALS: readonly string[] = ["ann", "bob@x.org", "svc-1"];
export const VERSIONS: readonly string[] = ["default", "v2"];

/** Names of tokens, `auxData.jwts`. */
export const TOKENS: readonly string[] = ["a", "b"];

export const ACTION_PATTERNS: readonly string[] = [
  ...ACTIONS,
  "*",
  "view:*",
  "view:**",
  "*e*",
  "{view,edit}*",
  "?",
  "v*",
];
export const ROLE_PATTERNS: readonly string[] = [...ROLES, ...ROLES, "*", "us*", "*r", "user:*"];
export const KIND_GLOBS: readonly string[] = ["*", "album*", "*e*", "doc*", "l*t", "album_*", "arn:*"];

const SCOPE_TREES: readonly (readonly string[])[] = [
  [""],
  ["", "acme"],
  ["", "acme", "acme.hr"],
  ["", "acme", "acme.hr", "acme.hr.uk", "beta"],
  ["", "acme", "beta", "beta.x"],
];

/** What one policy set is about. */
export interface World {
  readonly kinds: readonly string[];
  /** Every scope with its ancestors. */
  readonly scopes: readonly string[];
  readonly versions: readonly string[];
  /** Scopes in which an ALLOW needs the parents' consent; never the root, where Cerbos counts imports as disagreeing. */
  readonly consent: ReadonlySet<string>;
}

export function randomWorld(random: Random): World {
  const scopes = random.pick(SCOPE_TREES, [""]);
  return {
    kinds: some(KINDS, random, 0.7),
    scopes,
    versions: random.chance(0.3) ? VERSIONS : ["default"],
    consent: new Set(scopes.filter((scope) => scope !== "" && random.chance(0.25))),
  };
}

/** Each item with the given probability, at least one. */
export function some<T>(items: readonly T[], random: Random, probability: number): readonly T[] {
  const chosen = items.filter(() => random.chance(probability));
  return chosen.length > 0 ? chosen : items.slice(0, 1);
}

/** One to `most` different items. */
export function few<T>(items: readonly T[], random: Random, most: number): readonly T[] {
  const chosen = new Set<T>();
  const count = 1 + random.below(most);
  for (let turn = 0; turn < count; turn += 1) {
    const item = items[random.below(items.length)];
    if (item !== undefined) chosen.add(item);
  }
  return [...chosen];
}
