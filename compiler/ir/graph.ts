/**
 * The hash-consed graph of expressions and conditions: equal nodes get equal ids, however many policies use them, so
 * code size follows distinct logic and not policy count. Pure bookkeeping; what the nodes mean is in lower-*.ts.
 */
import type { CelConstant } from "../cel/expression.ts";
import type { Place } from "../diagnostics/diagnostic.ts";
import type { Use } from "./lowered.ts";
import type { Condition, ConditionId, Expr, ExprId } from "./program.ts";

/** Collects distinct expressions and conditions. Ids are assigned in order of first use. */
export class Graph {
  readonly expressions: Expr[] = [];
  readonly conditions: Condition[] = [];
  readonly #expressionIds = new Map<string, ExprId>();
  readonly #conditionIds = new Map<string, ConditionId>();
  /** What was asked for since somebody emptied it, in order. */
  uses: Use[] = [];

  /** The id of an expression equal to `expression`, adding it when it is new. */
  expression(expression: Expr): ExprId {
    const key = expressionKey(expression);
    const known = this.#expressionIds.get(key);
    if (known !== undefined) {
      this.uses.push(known);
      return known;
    }
    const id = this.expressions.length;
    this.expressions.push(expression);
    this.#expressionIds.set(key, id);
    this.uses.push(id);
    return id;
  }

  /** The condition "`expr` is true". Text and place of the first use stand for all equal ones. */
  leaf(expr: ExprId, text: string, place: Place): ConditionId {
    return this.#condition(`e${expr}`, { kind: "expr", expr, text, place });
  }

  /** A tree of conditions; a tree of one member under `all` or `any` is that member. */
  tree(kind: "all" | "any" | "none", of: readonly ConditionId[], place: Place): ConditionId {
    const [only] = of;
    if (of.length === 1 && only !== undefined && kind !== "none") return only;
    return this.#condition(`${kind}:${of.join(",")}`, { kind, of, place });
  }

  #condition(key: string, condition: Condition): ConditionId {
    let id = this.#conditionIds.get(key);
    if (id === undefined) {
      id = this.conditions.length;
      this.conditions.push(condition);
      this.#conditionIds.set(key, id);
    }
    const text = condition.kind === "expr" ? condition.text : "";
    this.uses.push({ condition: id, text, place: condition.place });
    return id;
  }
}

function expressionKey(expression: Expr): string {
  if (expression.op === "literal") return `literal:${constantKey(expression.value)}`;
  return JSON.stringify(expression);
}

function constantKey(value: CelConstant): string {
  switch (value.kind) {
    case "null":
      return "null";
    case "double":
      // -0 and 0 are different doubles with one decimal text.
      return `double:${Object.is(value.value, -0) ? "-0" : String(value.value)}`;
    case "bytes":
      return `bytes:${Buffer.from(value.value).toString("hex")}`;
    case "type":
      return `type:${value.name}`;
    case "bool":
    case "int":
    case "uint":
    case "string":
      return `${value.kind}:${String(value.value)}`;
  }
}
