/** The direct operands of a typed expression, in evaluation order; what every walk over expressions needs. */
import type { CelExpr } from "../cel/expression.ts";

export function childrenOf(node: CelExpr): readonly CelExpr[] {
  switch (node.kind) {
    case "literal":
    case "input":
    case "variable":
    case "constant":
    case "definitions":
    case "local":
      return [];
    case "select":
    case "has":
      return [node.operand];
    case "and":
    case "or":
    case "call":
      return node.args;
    case "conditional":
      return [node.condition, node.then, node.otherwise];
    case "list":
      return node.items.map((item) => item.value);
    case "map":
      return node.entries.flatMap((entry) => [entry.key, entry.value]);
    case "macro":
      return node.filter === undefined ? [node.range, node.body] : [node.range, node.filter, node.body];
    case "bind":
      return [node.value, node.body];
  }
}
