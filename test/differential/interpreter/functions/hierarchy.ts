/** Hierarchies (COMPAT.md section 7.4): dotted paths and their relations, all strict except `overlaps` and `siblingOf`. */
import { bool, noSuchOverload, type Value } from "../values.ts";
import type { Family, Implementation } from "./family.ts";

type Parts = readonly string[];

function relation(holds: (a: Parts, b: Parts) => boolean): Implementation {
  return (a, b) =>
    a.kind === "hierarchy" && b.kind === "hierarchy" ? bool(holds(a.parts, b.parts)) : noSuchOverload();
}

function startsWith(longer: Parts, shorter: Parts): boolean {
  return shorter.length <= longer.length && shorter.every((part, index) => part === longer[index]);
}

function isAncestor(a: Parts, b: Parts): boolean {
  return a.length < b.length && startsWith(b, a);
}

function isParent(a: Parts, b: Parts): boolean {
  return a.length + 1 === b.length && startsWith(b, a);
}

/** The common leading parts; of two equal ones without the last. */
function common(a: Parts, b: Parts): Parts {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return a.slice(0, count === a.length && count === b.length ? Math.max(0, count - 1) : count);
}

function parse(value: Value, delimiter: string): Value {
  if (value.kind === "string") return { kind: "hierarchy", parts: value.value.split(delimiter) };
  if (value.kind === "hierarchy") return value;
  if (value.kind !== "list") return noSuchOverload();
  const parts: string[] = [];
  for (const item of value.items) {
    if (item.kind !== "string") return noSuchOverload();
    parts.push(item.value);
  }
  return { kind: "hierarchy", parts };
}

export const HIERARCHY: Family<
  | "hierarchy1"
  | "hierarchy2"
  | "ancestorOf"
  | "descendentOf"
  | "immediateChildOf"
  | "immediateParentOf"
  | "overlaps"
  | "siblingOf"
  | "commonAncestors"
> = {
  hierarchy1: (value) => parse(value, "."),
  hierarchy2: (value, delimiter) =>
    value.kind === "string" && delimiter.kind === "string" ? parse(value, delimiter.value) : noSuchOverload(),
  ancestorOf: relation(isAncestor),
  descendentOf: relation((a, b) => isAncestor(b, a)),
  immediateChildOf: relation((a, b) => isParent(b, a)),
  immediateParentOf: relation(isParent),
  overlaps: relation((a, b) => startsWith(a, b) || startsWith(b, a)),
  siblingOf: relation((a, b) => a.length === b.length && startsWith(a, b.slice(0, -1))),
  commonAncestors: (a, b) =>
    a.kind === "hierarchy" && b.kind === "hierarchy"
      ? { kind: "hierarchy", parts: common(a.parts, b.parts) }
      : noSuchOverload(),
};
