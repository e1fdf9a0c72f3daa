/** Hash-consing: equal expressions and conditions are one node, different ones are not. */
import { describe, expect, test } from "vitest";
import type { CelConstant } from "../../../compiler/cel/expression.ts";
import { Graph } from "../../../compiler/ir/graph.ts";

const place = { file: "a.yaml", line: 1, column: 1, path: "$" };

describe("the graph", () => {
  test("gives equal expressions one id", () => {
    const graph = new Graph();
    const first = graph.expression({ op: "attribute", slot: 3 });
    const other = graph.expression({ op: "attribute", slot: 4 });
    expect(graph.expression({ op: "attribute", slot: 3 })).toBe(first);
    expect(other).not.toBe(first);
  });

  test("keeps literals of different types or signs apart", () => {
    const constants: CelConstant[] = [
      { kind: "int", value: 1n },
      { kind: "uint", value: 1n },
      { kind: "double", value: 1 },
      { kind: "double", value: 0 },
      { kind: "double", value: -0 },
      { kind: "string", value: "1" },
      { kind: "bytes", value: Uint8Array.of(1) },
      { kind: "type", name: "int" },
      { kind: "bool", value: true },
      { kind: "string", value: "true" },
      { kind: "null" },
    ];
    const graph = new Graph();
    const ids = constants.map((value) => graph.expression({ op: "literal", value }));
    expect(new Set(ids).size).toBe(constants.length);
  });

  test("drops a tree of one member, but not the negation of one", () => {
    const graph = new Graph();
    const leaf = graph.leaf(graph.expression({ op: "attribute", slot: 0 }), "R.attr.a", place);
    expect(graph.tree("all", [leaf], place)).toBe(leaf);
    expect(graph.tree("any", [leaf], place)).toBe(leaf);
    expect(graph.tree("none", [leaf], place)).not.toBe(leaf);
  });

  test("tells trees apart that differ only in kind", () => {
    // The real Cerbos 0.55 conflates these (COMPAT.md section 6, defect 1).
    const graph = new Graph();
    const members = [0, 1].map((slot) =>
      graph.leaf(graph.expression({ op: "attribute", slot }), `R.attr.${slot}`, place),
    );
    const ids = (["all", "any", "none"] as const).map((kind) => graph.tree(kind, members, place));
    expect(new Set(ids).size).toBe(3);
  });
});
