/**
 * Breaks a policy document as a tree and writes it again: keys and values are taken out, renamed, doubled, exchanged and
 * given other types, forms, anchors and tags. Works on the YAML library's documents, so that what is left alone keeps
 * its form.
 */
import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  visit,
} from "yaml";
import type { Random } from "../random.ts";
import { mutateExpression } from "./mutate-cel.ts";

const KEYS = [
  "apiVersion",
  "api_version",
  "disabled",
  "description",
  "metadata",
  "annotations",
  "sourceFile",
  "hash",
  "storeIdentifier",
  "variables",
  "constants",
  "resourcePolicy",
  "resource_policy",
  "principalPolicy",
  "rolePolicy",
  "derivedRoles",
  "exportVariables",
  "exportConstants",
  "resource",
  "principal",
  "role",
  "name",
  "version",
  "scope",
  "rules",
  "actions",
  "effect",
  "roles",
  "importDerivedRoles",
  "schemas",
  "principalSchema",
  "resourceSchema",
  "ref",
  "ignoreWhen",
  "condition",
  "match",
  "script",
  "all",
  "any",
  "none",
  "of",
  "expr",
  "output",
  "when",
  "ruleActivated",
  "conditionNotMet",
  "definitions",
  "parentRoles",
  "allowActions",
  "action",
  "local",
  "import",
  "scopePermissions",
  "jsonSchema",
  "$schema",
  "nope",
  "",
  "Rules",
  "x y",
  "é",
  "1",
  "~",
  "<<",
];

const VALUES: readonly unknown[] = [
  null,
  "",
  " ",
  "x",
  "X y",
  "é",
  "\u{1f600}",
  "a.b",
  "a..b",
  ".a",
  "a.",
  ".",
  "A_b-c",
  "a/b",
  "*",
  "a*",
  "a:b",
  "a@b",
  "[",
  "{a",
  "-",
  "_",
  "0",
  0,
  1,
  2,
  3,
  -1,
  1.5,
  1e300,
  true,
  false,
  [],
  {},
  [""],
  ["x"],
  ["x", "x"],
  [null],
  [[]],
  [{}],
  { a: 1 },
  { "": "" },
  { x: "true" },
  "EFFECT_ALLOW",
  "EFFECT_DENY",
  "EFFECT_NO_MATCH",
  "EFFECT_UNSPECIFIED",
  "effect_allow",
  "ALLOW",
  "SCOPE_PERMISSIONS_OVERRIDE_PARENT",
  "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
  "SCOPE_PERMISSIONS_UNSPECIFIED",
  "SCOPE_PERMISSIONS",
  "api.cerbos.dev/v1",
  "api.cerbos.dev/v2",
  "default",
  "acme",
  "acme.hr",
  "cerbos:///nope.json",
  "nope.json",
  { expr: "true" },
  { all: { of: [] } },
  { match: { expr: "true" } },
  { script: "true" },
  { any: { of: [{ expr: "1" }] } },
  { expr: "" },
  { when: {} },
  { when: { ruleActivated: "1 +" } },
  "x".repeat(300),
  "a\nb",
  "a\tb",
  "true",
  "null",
  "1",
  "1.0",
  "~",
  "yes",
  "0x1F",
  "017",
  "1_000",
  ".inf",
  "2020-01-01",
  { expr: "V.a" },
  { expr: "P.id == R.id", any: { of: [{ expr: "true" }] } },
];

const POLICY_WORDS: Vocabulary = { keys: KEYS, values: VALUES };

const EXPRESSION_KEYS = new Set(["expr", "ruleActivated", "conditionNotMet"]);

interface Spot {
  /** The key's text when it is a member of a map. */
  readonly key: string | undefined;
  readonly value: unknown;
  put(value: unknown): void;
  remove(): void;
  /** Puts in another member or item beside it. */
  add(key: string, value: unknown): void;
  rename(key: string): void;
}

/** All members and items of a document. */
function spotsOf(document: Document): Spot[] {
  const spots: Spot[] = [];
  visit(document, {
    Map(_, map) {
      for (const pair of map.items) {
        if (!isPair(pair)) continue;
        const member: Pair = pair;
        spots.push({
          key: isScalar(member.key) ? String(member.key.value) : undefined,
          value: member.value,
          put: (value) => void (member.value = value),
          remove: () => void map.items.splice(map.items.indexOf(pair), 1),
          add: (key, value) => void map.items.push(new Pair(new Scalar(key), value)),
          rename: (key) => void (member.key = new Scalar(key)),
        });
      }
    },
    Seq(_, seq) {
      for (const [index, item] of seq.items.entries()) {
        spots.push({
          key: undefined,
          value: item,
          put: (value) => void (seq.items[index] = value),
          remove: () => void seq.items.splice(index, 1),
          add: (_key, value) => void seq.items.splice(index, 0, value),
          rename: () => undefined,
        });
      }
    },
  });
  return spots;
}

function isExpression(spot: Spot, all: readonly Spot[]): boolean {
  if (!isScalar(spot.value) || typeof spot.value.value !== "string") return false;
  if (spot.key !== undefined && EXPRESSION_KEYS.has(spot.key)) return true;
  const holder = all.find(
    ({ key, value }) =>
      (key === "local" || key === "definitions" || key === "variables") &&
      isMap(value) &&
      value.items.some((pair) => pair.value === spot.value),
  );
  return holder !== undefined;
}

/** What is put in. */
export interface Vocabulary {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

type Change = (
  spot: Spot,
  all: readonly Spot[],
  document: Document,
  random: Random,
  words: Vocabulary,
) => void;

const copyOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "clone" in value ? (value as Node).clone() : value;

const CHANGES: readonly Change[] = [
  (spot) => spot.remove(),
  (spot) => spot.remove(),
  (spot, _, document, random, words) => spot.put(document.createNode(random.pick(words.values, 1))),
  (spot, _, document, random, words) => spot.put(document.createNode(random.pick(words.values, 1))),
  (spot, _, document, random, words) => spot.put(document.createNode(random.pick(words.values, 1))),
  (spot, _, __, random, words) => spot.rename(random.pick(words.keys, "x")),
  (spot, _, document, random, words) =>
    spot.add(random.pick(words.keys, "x"), document.createNode(random.pick(words.values, 1))),
  (spot) => spot.add(spot.key ?? "x", copyOf(spot.value)),
  (spot, all, _, random) => spot.put(copyOf(random.pick(all, spot).value)),
  (spot, all, _, random) => {
    const other = random.pick(
      all.filter(({ key, value }) => key === spot.key && isScalar(value) === isScalar(spot.value)),
      spot,
    );
    spot.put(copyOf(other.value));
  },
  (spot, _, document) => spot.put(document.createNode([copyOf(spot.value)])),
  (spot, _, document) => spot.put(document.createNode({ x: copyOf(spot.value) })),
  (spot, _, __, random) => {
    if (isScalar(spot.value)) {
      spot.value.type = random.pick(
        ["PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_LITERAL", "BLOCK_FOLDED"] as const,
        "PLAIN",
      );
    } else if (isMap(spot.value) || isSeq(spot.value)) spot.value.flow = spot.value.flow !== true;
  },
  (spot, _, __, random) => {
    if (isScalar(spot.value)) {
      spot.value.tag = random.pick(["!!str", "!!int", "!!null", "!x", "!!binary", "!!map"], "!!str");
    }
  },
  (spot, all, document, random, words) => {
    // Anchor here, alias at another place.
    const { value } = spot;
    if (!isScalar(value) && !isMap(value) && !isSeq(value)) return;
    value.anchor = "a";
    random.pick(all, spot).add(random.pick(words.keys, "x"), document.createAlias(value, "a"));
  },
  (spot, all, document, random) => {
    const { value } = spot;
    if (!isScalar(value) && !isMap(value) && !isSeq(value)) return;
    value.anchor = "a";
    const other = random.pick(all, spot);
    if (other.value !== value) other.put(document.createAlias(value, "a"));
  },
];

/** A changed copy of a document's text; the text itself where it is not YAML. */
export function mutateTree(text: string, random: Random, words: Vocabulary = POLICY_WORDS): string {
  const document = parseDocument(text, { keepSourceTokens: false, logLevel: "silent", uniqueKeys: false });
  if (document.errors.length > 0) return text;
  const all = spotsOf(document);
  const expressions = all.filter((spot) => isExpression(spot, all));
  if (expressions.length > 0 && random.chance(0.45)) {
    const spot = random.pick(expressions, expressions[0]);
    if (spot !== undefined && isScalar(spot.value)) {
      spot.value.value = mutateExpression(String(spot.value.value), random);
    }
  } else {
    const spot = random.pick(all, undefined);
    if (spot === undefined) return text;
    random.pick(CHANGES, CHANGES[0])?.(spot, all, document, random, words);
  }
  try {
    return document.toString({ lineWidth: 0, verifyAliasOrder: false });
  } catch {
    // An alias ended up before its anchor, or a tag on what has none.
    return text;
  }
}
