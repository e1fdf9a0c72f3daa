/**
 * Seeded mutations of CheckResources requests: what a client might get wrong or an attacker might try, all of it valid
 * as a message. Malformed bodies are not made here.
 */
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import type { Attributes, CheckRequest, Principal, Resource, ResourceEntry } from "./interpreter/request.ts";
import type { Random } from "./random.ts";

/** Names that the policies under test know; mutations mix them with unknown ones. */
export interface Vocabulary {
  readonly roles: readonly string[];
  readonly actions: readonly string[];
  readonly kinds: readonly string[];
  readonly principals: readonly string[];
  readonly versions: readonly string[];
  readonly scopes: readonly string[];
  readonly attributes: readonly string[];
  /** Texts that attributes are compared with. */
  readonly texts: readonly string[];
}

const ODD_ACTIONS = [
  "*",
  "view:x:y",
  "view:",
  "VIEW",
  "view",
  "a b",
  "view:*",
  "\u00fcber",
  "{a,b}",
  "[x]",
  "?",
];
const ODD_ROLES = ["*", "nobody", "EMPLOYEE", "emp*", "admin ", "r\u00f4le"];
const ODD_KINDS = ["nothing", "leave:request", "x y", "a:b:c", "arn:aws:x:1", "*"];
const ODD_SCOPES = ["", ".", "acme", "acme.hr", "acme.hr.uk.london", "nowhere", "acme.nowhere", "acme-x"];
const ODD_VERSIONS = ["", "default", "v9", "20210210"];
const ODD_VALUES: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e300,
  "",
  "x",
  "10.20.0.1",
  "10.20.0.1/16",
  "::ffff:10.20.0.1",
  "not an address",
  [],
  ["x", 1, null],
  {},
  { a: { b: [1] } },
];

/** One to four random changes of a request; `includeMeta` is always on. */
export function mutate(request: CheckRequest, vocabulary: Vocabulary, random: Random): CheckRequest {
  let mutated: CheckRequest = { ...request, includeMeta: true };
  const changes = 1 + random.below(4);
  for (let change = 0; change < changes; change += 1) {
    mutated = random.chance(0.4)
      ? { ...mutated, principal: mutatePrincipal(mutated.principal, vocabulary, random) }
      : { ...mutated, resources: mutateResources(mutated.resources, vocabulary, random) };
  }
  return mutated;
}

function mutatePrincipal(principal: Principal, vocabulary: Vocabulary, random: Random): Principal {
  switch (random.below(6)) {
    case 0:
    case 1:
      return { ...principal, roles: mutateRoles(principal.roles, vocabulary, random) };
    case 2:
    case 3:
      return { ...principal, attr: mutateAttributes(principal.attr ?? {}, vocabulary, random) };
    case 4:
      return { ...principal, id: random.pick([...vocabulary.principals, "john", "somebody else"], "john") };
    default:
      return mutateTarget(principal, vocabulary, random);
  }
}

function mutateRoles(roles: readonly string[], vocabulary: Vocabulary, random: Random): readonly string[] {
  const known = random.chance(0.8) ? vocabulary.roles : ODD_ROLES;
  const role = random.pick(known, "nobody");
  const changed = [...roles];
  if (random.chance(0.5)) changed.splice(random.below(changed.length + 1), 0, role);
  else changed[random.below(changed.length)] = role;
  if (random.chance(0.3) && changed.length > 1) changed.splice(random.below(changed.length), 1);
  if (random.chance(0.2)) changed.reverse();
  return unique(changed);
}

function mutateTarget<T extends Principal | Resource>(target: T, vocabulary: Vocabulary, random: Random): T {
  if (random.chance(0.5)) {
    return { ...target, scope: random.pick([...vocabulary.scopes, ...vocabulary.scopes, ...ODD_SCOPES], "") };
  }
  return { ...target, policyVersion: random.pick([...vocabulary.versions, ...ODD_VERSIONS], "") };
}

function mutateAttributes(attributes: Attributes, vocabulary: Vocabulary, random: Random): Attributes {
  const name = random.pick([...vocabulary.attributes, ...Object.keys(attributes)], "x");
  const changed: Record<string, JsonValue> = { ...attributes };
  switch (random.below(4)) {
    case 0:
      delete changed[name];
      return changed;
    case 1:
      changed[name] = random.pick(ODD_VALUES, null);
      return changed;
    case 2:
      changed[name] = random.pick(vocabulary.texts, "x");
      return changed;
    default:
      changed[name] = random.pick(Object.values(attributes), null);
      return changed;
  }
}

function mutateResources(
  entries: readonly ResourceEntry[],
  vocabulary: Vocabulary,
  random: Random,
): readonly ResourceEntry[] {
  const at = random.below(entries.length);
  const entry = entries[at];
  if (entry === undefined) return entries;
  if (random.chance(0.1)) return [...entries, mutateEntry(entry, vocabulary, random)];
  if (random.chance(0.1) && entries.length > 1) return entries.filter((_, index) => index !== at);
  return entries.map((each, index) => (index === at ? mutateEntry(each, vocabulary, random) : each));
}

function mutateEntry(entry: ResourceEntry, vocabulary: Vocabulary, random: Random): ResourceEntry {
  const { resource } = entry;
  switch (random.below(6)) {
    case 0:
    case 1:
      return { ...entry, actions: mutateActions(entry.actions, vocabulary, random) };
    case 2:
    case 3:
      return {
        ...entry,
        resource: { ...resource, attr: mutateAttributes(resource.attr ?? {}, vocabulary, random) },
      };
    case 4:
      return {
        ...entry,
        resource: {
          ...resource,
          kind: random.pick(random.chance(0.7) ? vocabulary.kinds : ODD_KINDS, "nothing"),
        },
      };
    default:
      return { ...entry, resource: mutateTarget(resource, vocabulary, random) };
  }
}

function mutateActions(
  actions: readonly string[],
  vocabulary: Vocabulary,
  random: Random,
): readonly string[] {
  const action = random.pick(random.chance(0.7) ? vocabulary.actions : ODD_ACTIONS, "view");
  const changed = [...actions];
  if (random.chance(0.6)) changed.splice(random.below(changed.length + 1), 0, action);
  else changed[random.below(changed.length)] = action;
  return unique(changed);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
