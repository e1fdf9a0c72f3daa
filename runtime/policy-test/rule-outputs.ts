/** Finds which outputs the rules of a bundle have, in the policy files themselves: bundles do not say. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RuleIndex, SourcePlace } from "../bundle/rule-index.ts";
import type { RuleOutputs } from "./coverage.ts";
import { parseSuiteText, type SuiteField, type SuiteNode } from "./suite-tree.ts";

const NONE: RuleOutputs = { activated: null, notMet: null };

/** One entry per rule of the index. */
export async function readRuleOutputs(directory: string, index: RuleIndex): Promise<readonly RuleOutputs[]> {
  const trees = new Map<string, SuiteNode | null>();
  for (const { place } of index.rules) {
    if (trees.has(place.file)) continue;
    const text = await readFile(join(directory, place.file), "utf8").catch(() => null);
    trees.set(place.file, text === null ? null : parseSuiteText(text).root);
  }
  return index.rules.map(({ place, yamlPath }) => {
    const root = trees.get(place.file);
    return root == null ? NONE : outputsOf(follow(root, yamlPath), place.file);
  });
}

function outputsOf(rule: SuiteNode | null, file: string): RuleOutputs {
  const output = fieldOf(rule, "output");
  const when = fieldOf(output?.node ?? null, "when");
  const place = (field: SuiteField | null): SourcePlace | null =>
    field === null ? null : { file, ...field.keyPlace };
  return {
    // `expr` is the older form of `when.ruleActivated`.
    activated: place(fieldOf(when?.node ?? null, "ruleActivated") ?? fieldOf(output?.node ?? null, "expr")),
    notMet: place(fieldOf(when?.node ?? null, "conditionNotMet")),
  };
}

/** Follows a path such as `$.resourcePolicy.rules[0]`. */
function follow(root: SuiteNode, path: string): SuiteNode | null {
  let node: SuiteNode | null = root;
  for (const [, name, index] of path.matchAll(/\.([\w]+)|\[(\d+)\]/g)) {
    if (name !== undefined) node = fieldOf(node, name)?.node ?? null;
    else node = node?.kind === "list" ? (node.items[Number(index)] ?? null) : null;
  }
  return node;
}

/** A field under its camelCase or snake_case name. */
function fieldOf(node: SuiteNode | null, name: string): SuiteField | null {
  if (node?.kind !== "map") return null;
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return node.fields.get(name) ?? node.fields.get(snake) ?? null;
}
