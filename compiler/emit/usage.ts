/**
 * What the graph says about each expression before code is written: how often it is used, whether it stands alone
 * (no free locals) and whether it depends on the scope being visited. Decides which expressions become functions of
 * their own with a remembered result.
 */
import { operandsOf } from "../ir/operands.ts";
import type { Condition, Expr, ExprId, Program } from "../ir/program.ts";

export interface Usage {
  /** Per expression: index of its shared function, or -1 when it is written where it is used. */
  readonly shared: readonly number[];
  readonly sharedCount: number;
  /** Per condition: whether its outcome stays the same for a whole resource. */
  readonly memoizable: readonly boolean[];
  /** Expressions of rule outputs, by output index. */
  readonly outputs: readonly ExprId[];
}

/** Analyses a program. Expressions come before their users, so one pass forward is enough. */
export function analyse(program: Program): Usage {
  const outputs = outputExpressions(program);
  const users = countUsers(program, outputs);
  const free: number[] = [];
  const scoped: boolean[] = [];
  const constant: boolean[] = [];
  const shared: number[] = [];
  let sharedCount = 0;
  program.expressions.forEach((expression, id) => {
    const children = operandsOf(expression);
    free[id] = lowestFreeLocal(expression, children, free);
    scoped[id] = dependsOnScope(expression) || children.some((child) => scoped[child] === true);
    const closed = free[id] === Number.POSITIVE_INFINITY;
    constant[id] = isConstant(expression, constant);
    const worthIt = (users[id] ?? 0) > 1 && closed && !scoped[id] && !isTrivial(expression) && !constant[id];
    shared[id] = worthIt ? sharedCount++ : -1;
  });
  const memoizable: boolean[] = [];
  program.conditions.forEach((condition: Condition, id) => {
    memoizable[id] =
      condition.kind === "expr"
        ? scoped[condition.expr] !== true
        : condition.of.every((member) => memoizable[member] === true);
  });
  return { shared, sharedCount, memoizable, outputs };
}

function outputExpressions(program: Program): ExprId[] {
  const ids = new Set<ExprId>();
  for (const block of [...program.resources, ...program.principals, ...program.roles]) {
    for (const id of block.outputs) ids.add(id);
  }
  return [...ids];
}

function countUsers(program: Program, outputs: readonly ExprId[]): number[] {
  const users = Array.from({ length: program.expressions.length }, () => 0);
  const use = (id: ExprId): void => {
    users[id] = (users[id] ?? 0) + 1;
  };
  for (const expression of program.expressions) operandsOf(expression).forEach(use);
  for (const condition of program.conditions) if (condition.kind === "expr") use(condition.expr);
  outputs.forEach(use);
  return users;
}

/** The lowest binding depth that an expression uses without binding it; infinity when it is closed. */
function lowestFreeLocal(expression: Expr, children: readonly ExprId[], free: readonly number[]): number {
  if (expression.op === "local") return expression.depth;
  const lowest = (ids: readonly ExprId[]): number =>
    Math.min(Number.POSITIVE_INFINITY, ...ids.map((id) => free[id] ?? Number.POSITIVE_INFINITY));
  if (expression.op === "macro")
    return Math.min(lowest([expression.range]), outside(lowest(children), expression.depth));
  if (expression.op === "bind")
    return Math.min(lowest([expression.value]), outside(lowest(children), expression.depth));
  return lowest(children);
}

function outside(lowest: number, depth: number): number {
  return lowest < depth ? lowest : Number.POSITIVE_INFINITY;
}

function dependsOnScope(expression: Expr): boolean {
  return (
    expression.op === "input" &&
    (expression.input === "runtime" || expression.input === "runtime.effectiveDerivedRoles")
  );
}

/** Literals and lists of them lie in the image; remembering them would cost more than naming them. */
function isConstant(expression: Expr, constant: readonly boolean[]): boolean {
  if (expression.op === "list") {
    return expression.items.every((item) => !item.optional && constant[item.value] === true);
  }
  return expression.op === "literal" || expression.op === "json";
}

function isTrivial(expression: Expr): boolean {
  return ["literal", "json", "input", "attribute", "hasAttribute", "local"].includes(expression.op);
}
