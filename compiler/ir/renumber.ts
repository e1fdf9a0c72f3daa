/** Expressions of the graph with the ids and slots of one program. */
import { NONE, type Attribute, type Expr, type ExprId } from "./program.ts";

/** Slots are numbered by first use, in the order in which expressions come. */
export class Slots {
  readonly list: Attribute[] = [];
  readonly #graphSlots: readonly Attribute[];
  readonly #known = new Map<number, number>();

  constructor(graphSlots: readonly Attribute[]) {
    this.#graphSlots = graphSlots;
  }

  slot(graphSlot: number): number {
    const known = this.#known.get(graphSlot);
    if (known !== undefined) return known;
    const attribute = this.#graphSlots[graphSlot];
    if (attribute === undefined) return NONE;
    const slot = this.list.push(attribute) - 1;
    this.#known.set(graphSlot, slot);
    return slot;
  }
}

/** The same expression, whose operands and slot are named by `id` and `slots`. */
export function renumber(expr: Expr, id: (operand: ExprId) => ExprId, slots: Slots): Expr {
  switch (expr.op) {
    case "literal":
    case "json":
    case "input":
    case "local":
      return expr;
    case "attribute":
    case "hasAttribute":
      return { ...expr, slot: slots.slot(expr.slot) };
    case "select":
    case "optionalSelect":
    case "has":
      return { ...expr, operand: id(expr.operand) };
    case "and":
    case "or":
    case "call":
      return { ...expr, args: expr.args.map(id) };
    case "conditional":
      return {
        ...expr,
        condition: id(expr.condition),
        then: id(expr.then),
        otherwise: id(expr.otherwise),
      };
    case "list":
      return { ...expr, items: expr.items.map((item) => ({ ...item, value: id(item.value) })) };
    case "map":
      return {
        ...expr,
        entries: expr.entries.map((entry) => ({ ...entry, key: id(entry.key), value: id(entry.value) })),
      };
    case "macro":
      return {
        ...expr,
        range: id(expr.range),
        filter: expr.filter === NONE ? NONE : id(expr.filter),
        body: id(expr.body),
      };
    case "bind":
      return { ...expr, value: id(expr.value), body: id(expr.body) };
  }
}
