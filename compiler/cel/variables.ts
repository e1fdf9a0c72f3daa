/**
 * Variables and constants of one policy: uses of undefined ones, and variables that need their own value. Looks at
 * checked texts only; what a variable's value is, is decided later.
 */
import type { CelSource, Names } from "../policy/policy-set.ts";
import type { Reference } from "./check-context.ts";

/** Names that a source uses, looked up by the caller. */
export type ReferencesOf = (source: CelSource) => readonly Reference[];

/** References of `source` that `names` does not define, each name once. */
export function undefinedReferences(references: readonly Reference[], names: Names): readonly Reference[] {
  if (references.length === 0) return references;
  const seen = new Set<string>();
  return references.filter(({ kind, name }) => {
    const defined = kind === "variable" ? names.variables.has(name) : names.constants.has(name);
    const key = `${kind} ${name}`;
    if (defined || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/**
 * Groups of variables that need each other's values, each in the order of definition; a variable that uses itself is a
 * group of one. Strongly connected components after Tarjan, with a stack of its own because chains can be long.
 */
export function variableCycles(names: Names, referencesOf: ReferencesOf): readonly (readonly string[])[] {
  const edges = new Map<string, readonly string[]>();
  for (const [name, source] of names.variables) {
    const used = referencesOf(source)
      .filter((reference) => reference.kind === "variable" && names.variables.has(reference.name))
      .map((reference) => reference.name);
    if (used.length > 0) edges.set(name, [...new Set(used)]);
  }
  if (edges.size === 0) return [];
  const order = new Map([...names.variables.keys()].map((name, index) => [name, index]));
  const position = (name: string): number => order.get(name) ?? 0;
  return components(edges)
    .filter(
      (members) => members.length > 1 || edges.get(members[0] ?? "")?.includes(members[0] ?? "") === true,
    )
    .map((members) => members.sort((a, b) => position(a) - position(b)))
    .sort((a, b) => position(a[0] ?? "") - position(b[0] ?? ""));
}

interface Visit {
  readonly name: string;
  next: number;
}

function components(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const pending: string[] = [];
  const isPending = new Set<string>();
  const found: string[][] = [];
  const lower = (name: string, value: number): void => {
    low.set(name, Math.min(low.get(name) ?? value, value));
  };
  const enter = (name: string): Visit => {
    index.set(name, index.size);
    low.set(name, index.size - 1);
    pending.push(name);
    isPending.add(name);
    return { name, next: 0 };
  };
  const leave = (name: string): void => {
    if (low.get(name) !== index.get(name)) return;
    const members = pending.splice(pending.lastIndexOf(name));
    for (const member of members) isPending.delete(member);
    found.push(members);
  };
  for (const start of edges.keys()) {
    const stack: Visit[] = index.has(start) ? [] : [enter(start)];
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const target = edges.get(visit.name)?.[visit.next++];
      if (target === undefined) {
        stack.pop();
        leave(visit.name);
        const parent = stack.at(-1);
        if (parent !== undefined) lower(parent.name, low.get(visit.name) ?? 0);
      } else if (!index.has(target)) {
        stack.push(enter(target));
      } else if (isPending.has(target)) {
        lower(visit.name, index.get(target) ?? 0);
      }
    }
  }
  return found;
}
