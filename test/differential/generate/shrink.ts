/**
 * Makes a difference small: takes parts out of the request and the policies as long as it stays. Knows nothing of what a
 * policy is; a trial that no longer compiles simply does not show the difference. Gives a case for test/cases/.
 */
import { stringify } from "yaml";
import type { CaseEngine } from "../../support/cases.ts";
import { normalise } from "../compare.ts";
import type { CheckRequest, CheckResponse } from "../interpreter/request.ts";

export interface Finding {
  readonly policies: readonly object[];
  readonly settings: CaseEngine;
  readonly request: CheckRequest;
}

type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree };
type Path = readonly (string | number)[];

/** The smallest finding met within `trials` trials for which `differs` stays true. */
export async function shrink(
  finding: Finding,
  differs: (finding: Finding) => Promise<boolean>,
  trials = 400,
): Promise<Finding> {
  let best: Tree = JSON.parse(JSON.stringify(finding));
  let left = trials;
  const attempt = async (smaller: Tree): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    // The tree has the shape of a finding, minus parts; what is missing too much fails in `differs`.
    const candidate: Finding = JSON.parse(JSON.stringify(smaller));
    if (!(await differs(candidate).catch(() => false))) return false;
    best = smaller;
    return true;
  };
  best = await halves(best, ["policies"], attempt);
  for (let removed = true; removed;) {
    removed = false;
    for (const path of removable(best)) {
      if (read(best, path) === undefined) continue;
      removed = (await attempt(without(best, path))) || removed;
    }
  }
  const found: Finding = JSON.parse(JSON.stringify(best));
  return found;
}

/** Removes ever smaller runs of a list's items. */
async function halves(start: Tree, path: Path, attempt: (smaller: Tree) => Promise<boolean>): Promise<Tree> {
  let tree = start;
  const list = read(tree, path);
  for (
    let size = Math.ceil((Array.isArray(list) ? list.length : 0) / 2);
    size >= 1;
    size = Math.floor(size / 2)
  ) {
    for (let at = 0; ;) {
      const items = read(tree, path);
      if (!Array.isArray(items) || at >= items.length) break;
      const smaller = replaced(tree, path, items.toSpliced(at, size));
      if (await attempt(smaller)) tree = smaller;
      else at += size;
    }
  }
  return tree;
}

/** Every part that can be tried without, large ones first; requests before policies. */
function removable(tree: Tree): readonly Path[] {
  const paths: Path[] = [];
  const visit = (node: Tree, path: Path): void => {
    if (node === null || typeof node !== "object") return;
    const keys = Array.isArray(node) ? node.map((_, index) => index).toReversed() : Object.keys(node);
    for (const key of keys) {
      const child = [...path, key];
      paths.push(child);
      const value = read(node, [key]);
      if (value !== undefined) visit(value, child);
    }
  };
  for (const part of ["request", "settings", "policies"]) {
    const value = read(tree, [part]);
    if (value !== undefined) visit(value, [part]);
  }
  const first = (path: Path): number => (path[0] === "policies" ? 1 : 0);
  return paths.sort((a, b) => first(a) - first(b) || a.length - b.length);
}

function read(tree: Tree, path: Path): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const key of path) {
    if (node === null || typeof node !== "object") return undefined;
    node = Array.isArray(node) ? node[Number(key)] : node[String(key)];
    if (node === undefined) return undefined;
  }
  return node;
}

function without(tree: Tree, path: Path): Tree {
  const parent = read(tree, path.slice(0, -1));
  const key = path.at(-1);
  if (Array.isArray(parent)) return replaced(tree, path.slice(0, -1), parent.toSpliced(Number(key), 1));
  if (parent === null || typeof parent !== "object") return tree;
  return replaced(
    tree,
    path.slice(0, -1),
    Object.fromEntries(Object.entries(parent ?? {}).filter(([name]) => name !== key)),
  );
}

function replaced(tree: Tree, path: Path, value: Tree): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(tree))
    return tree.map((item, index) => (index === key ? replaced(item, rest, value) : item));
  if (tree === null || typeof tree !== "object") return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([name, item]) => [name, name === key ? replaced(item, rest, value) : item]),
  );
}

/** The finding as a decision case, ready for test/cases/. */
export function caseOf(finding: Finding, want: CheckResponse, description: string): string {
  const check = { request: finding.request, want: normalise(want, { errorTexts: true }) };
  const data = { description, engine: finding.settings, policies: finding.policies, checks: [check] };
  return stringify(JSON.parse(JSON.stringify(data)), { lineWidth: 120 });
}
