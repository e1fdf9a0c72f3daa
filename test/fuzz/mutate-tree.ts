/**
 * Changes the structure of requests: wrong types, repeated and renamed fields, other attributes, many resources, depth,
 * tokens. What comes out may be a good request, a bad one, or no message at all.
 */
import type { Random } from "../differential/random.ts";
import type { Vocabulary } from "../differential/mutate.ts";
import { oddKey, oddText, oddValue } from "./odd-values.ts";
import { copyOf, isList, isObject, memberOf, type Node, type ObjectNode, setMember, treeOf } from "./tree.ts";

/** Other names that fields have or might be taken for. */
const ALIASES: Readonly<Record<string, string>> = {
  requestId: "request_id",
  includeMeta: "include_meta",
  auxData: "aux_data",
  requestContext: "request_context",
  policyVersion: "policy_version",
  keySetId: "key_set_id",
  request_id: "requestId",
  include_meta: "includeMeta",
  policy_version: "policyVersion",
};

const TOKEN_VALUES: readonly unknown[] = [
  null,
  {},
  { jwt: null },
  { jwt: {} },
  { jwt: { token: "" } },
  { jwt: { token: "a.b.c" } },
  { jwt: { token: "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.AAAA" } },
  { jwt: { token: "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", keySetId: "keys" } },
  { jwt: { token: "x", keySetId: "nothing" } },
  { jwt: { token: "a.b.c" }, jwts: { a: { token: "a.b.c" } } },
  { jwts: {} },
  { jwts: { a: { token: "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.AAAA" }, b: { token: "" } } },
  { jwts: { __proto__x: { token: "a.b.c" } } },
  { jwts: [] },
  { jwt: { token: 1 } },
  [],
];

const CONTEXTS: readonly unknown[] = [
  null,
  {},
  { annotations: null },
  { annotations: { a: [1, { b: null }] } },
  { annotations: [] },
  { other: 1 },
];

/** Lengths of lists around the limits of a request. */
const COUNTS: readonly number[] = [0, 2, 3, 6, 7, 49, 50, 51, 60];

/** The request after one to four changes; `request` stays as it is. */
export function mutateTree(request: Node, vocabulary: Vocabulary, random: Random): Node {
  let tree = copyOf(request);
  for (let left = 1 + random.below(4); left > 0; left -= 1) tree = change(tree, vocabulary, random);
  return tree;
}

function change(tree: Node, vocabulary: Vocabulary, random: Random): Node {
  if (!isObject(tree) || random.chance(0.002)) return oddValue(random);
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      changeMembers(randomObject(tree, random), vocabulary, random);
      break;
    case 3:
    case 4:
      changeAttributes(tree, vocabulary, random);
      break;
    case 5:
      changeNames(tree, vocabulary, random);
      break;
    case 6:
      changeResources(tree, random);
      break;
    case 7:
      changeScalar(tree, random);
      break;
    case 8:
      setMember(tree, "includeMeta", random.chance(0.7) ? random.chance(0.8) : oddValue(random));
      break;
    default:
      if (random.chance(0.6)) setMember(tree, "auxData", treeOf(random.pick(TOKEN_VALUES, null)));
      else setMember(tree, "requestContext", treeOf(random.pick(CONTEXTS, null)));
  }
  return tree;
}

/** Some object of the tree, the root included. */
function randomObject(tree: ObjectNode, random: Random): ObjectNode {
  let found: ObjectNode = tree;
  let node: Node = tree;
  for (let depth = 0; depth < 8 && !random.chance(0.2); depth += 1) {
    const below: readonly Node[] = isList(node)
      ? node
      : isObject(node)
        ? node.members.map(([, value]) => value)
        : [];
    const next: Node | undefined = below[random.below(below.length)];
    if (next === undefined || (!isList(next) && !isObject(next))) break;
    node = next;
    if (isObject(node)) found = node;
  }
  return found;
}

function changeMembers(object: ObjectNode, vocabulary: Vocabulary, random: Random): void {
  const { members } = object;
  const at = random.below(members.length);
  const member = members[at];
  if (member === undefined || random.chance(0.15)) {
    const key = random.chance(0.5) ? random.pick(vocabulary.attributes, "x") : oddKey(random);
    members.splice(random.below(members.length + 1), 0, [key, oddValue(random)]);
    return;
  }
  const [key, value] = member;
  switch (random.below(8)) {
    case 0:
      members.splice(at, 1);
      break;
    case 1: {
      const again = random.chance(0.5) ? copyOf(value) : oddValue(random);
      members.splice(random.below(members.length + 1), 0, [key, again]);
      break;
    }
    case 2: {
      const other = typeof key === "string" && Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
      if (other === undefined) member[0] = oddKey(random);
      else if (random.chance(0.6)) member[0] = other;
      else members.push([other, copyOf(value)]);
      break;
    }
    case 3:
      if (typeof key === "string") {
        member[0] = random.pick(
          [`${key}s`, `${key}\u0000`, key.toUpperCase(), key.slice(0, -1), ` ${key}`],
          key,
        );
      }
      break;
    case 4: {
      const other = members[random.below(members.length)];
      if (other !== undefined) [member[1], other[1]] = [other[1], member[1]];
      break;
    }
    case 5:
      members.sort(() => random.next() - 0.5);
      break;
    default:
      member[1] = random.chance(0.2)
        ? { members: [["a", value]] }
        : random.chance(0.1)
          ? [value]
          : oddValue(random);
  }
}

/** `attr` of the principal or of a resource: names that policies read get other values. */
function changeAttributes(tree: ObjectNode, vocabulary: Vocabulary, random: Random): void {
  const owner = random.chance(0.4)
    ? memberOf(tree, "principal")
    : memberOf(randomEntry(tree, random), "resource");
  if (!isObject(owner)) return;
  let attr = memberOf(owner, "attr");
  if (!isObject(attr)) {
    attr = { members: [] };
    setMember(owner, "attr", attr);
  }
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    const name = random.pick(vocabulary.attributes, "x");
    const others = attr.members.map(([, value]) => value);
    const value = random.chance(0.4)
      ? random.pick<Node>(vocabulary.texts, "x")
      : random.chance(0.3)
        ? copyOf(random.pick<Node>(others, null))
        : oddValue(random);
    if (random.chance(0.9)) setMember(attr, name, value);
    else attr.members.push([name, value]);
  }
}

function randomEntry(tree: ObjectNode, random: Random): Node | undefined {
  const entries = memberOf(tree, "resources");
  return isList(entries) ? entries[random.below(entries.length)] : undefined;
}

/** Roles, actions, kinds, ids, scopes and versions: known ones, odd ones, repeated ones, too many. */
function changeNames(tree: ObjectNode, vocabulary: Vocabulary, random: Random): void {
  const principal = memberOf(tree, "principal");
  const entry = randomEntry(tree, random);
  const name = (known: readonly string[]): Node =>
    random.chance(0.7)
      ? random.pick<Node>(known, "x")
      : random.chance(0.7)
        ? oddText(random)
        : oddValue(random);
  if (random.chance(0.35) && isObject(principal)) {
    if (random.chance(0.6)) changeList(principal, "roles", () => name(vocabulary.roles), random);
    else if (random.chance(0.3)) setMember(principal, "id", name(vocabulary.principals));
    else if (random.chance(0.5)) setMember(principal, "scope", name(vocabulary.scopes));
    else setMember(principal, "policyVersion", name(vocabulary.versions));
    return;
  }
  const resource = memberOf(entry, "resource");
  if (!isObject(entry) || !isObject(resource)) return;
  switch (random.below(8)) {
    case 0:
      setMember(resource, "kind", name(vocabulary.kinds));
      break;
    case 1:
      setMember(resource, "id", name([]));
      break;
    case 2:
      setMember(resource, "scope", name(vocabulary.scopes));
      break;
    case 3:
      setMember(resource, "policyVersion", name(vocabulary.versions));
      break;
    default:
      changeList(entry, "actions", () => name(vocabulary.actions), random);
  }
}

function changeList(owner: ObjectNode, field: string, item: () => Node, random: Random): void {
  const given = memberOf(owner, field);
  const list = isList(given) ? given : [];
  setMember(owner, field, list);
  if (random.chance(0.1)) {
    const count = random.pick(COUNTS, 2);
    list.length = Math.min(list.length, count);
    while (list.length < count) list.push(`n${list.length}`);
    return;
  }
  const at = random.below(list.length + 1);
  if (random.chance(0.5)) list.splice(at, 0, item());
  else list[at] = item();
  if (random.chance(0.1) && list.length > 0) list.push(copyOf(list[random.below(list.length)] ?? null));
}

/** What looks like the resources, or ends like them, in other places: for whoever looks for them without decoding. */
function addDecoy(tree: ObjectNode, entries: Node[], random: Random): void {
  const few = entries.slice(0, 1 + random.below(4)).map(copyOf);
  const decoys: readonly Node[] = [
    few,
    { members: [["resources", few]] },
    JSON.stringify({ resources: [{ actions: ["view"], resource: { kind: "x", id: "1" } }] }),
    '"resources":[{',
    '}},{"actions":["view"],"resource":{"kind":"x","id":"1"',
    '"}]}',
    "},{",
  ];
  const owner = random.chance(0.5)
    ? memberOf(tree, "principal")
    : memberOf(randomEntry(tree, random), "resource");
  const attr = memberOf(owner, "attr");
  const name = random.pick(["resources", "resource", "actions", "x"], "x");
  if (isObject(attr))
    attr.members.splice(random.below(attr.members.length + 1), 0, [name, random.pick(decoys, null)]);
  if (random.chance(0.3)) tree.members.reverse();
}

/** Resources repeated, equal or nearly, as agents ask for many at once. */
function changeResources(tree: ObjectNode, random: Random): void {
  const entries = memberOf(tree, "resources");
  if (!isList(entries) || entries.length === 0) return;
  if (random.chance(0.3)) {
    addDecoy(tree, entries, random);
    return;
  }
  if (random.chance(0.2)) {
    entries.splice(random.below(entries.length), 1);
    return;
  }
  const many = random.chance(0.1) ? random.pick(COUNTS, 2) : 1 + random.below(4);
  for (let left = many; left > 0; left -= 1) {
    const copy = copyOf(entries[random.below(entries.length)] ?? null);
    const resource = memberOf(copy, "resource");
    if (random.chance(0.3) && isObject(resource)) setMember(resource, "id", `copy-${left}`);
    entries.splice(random.below(entries.length + 1), 0, copy);
  }
}

/** One scalar somewhere becomes something else. */
function changeScalar(tree: ObjectNode, random: Random): void {
  const object = randomObject(tree, random);
  const member = object.members[random.below(object.members.length)];
  if (member === undefined) return;
  const [, value] = member;
  if (isList(value) && value.length > 0) value[random.below(value.length)] = oddValue(random);
  else if (typeof value === "string" && random.chance(0.5)) {
    const at = random.below(value.length + 1);
    member[1] = value.slice(0, at) + oddText(random) + value.slice(at);
  } else member[1] = oddValue(random);
}
