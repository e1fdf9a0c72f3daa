/** The direct operands of an expression of a decision program; what every walk over its graph needs. */
import { type Expr, type ExprId, NONE } from "./program.ts";

export function operandsOf(expr: Expr): readonly ExprId[] {
  switch (expr.op) {
    case "literal":
    case "json":
    case "input":
    case "attribute":
    case "hasAttribute":
    case "local":
      return [];
    case "select":
    case "optionalSelect":
    case "has":
      return [expr.operand];
    case "and":
    case "or":
    case "call":
      return expr.args;
    case "conditional":
      return [expr.condition, expr.then, expr.otherwise];
    case "list":
      return expr.items.map(({ value }) => value);
    case "map":
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case "macro":
      return expr.filter === NONE ? [expr.range, expr.body] : [expr.range, expr.filter, expr.body];
    case "bind":
      return [expr.value, expr.body];
  }
}
