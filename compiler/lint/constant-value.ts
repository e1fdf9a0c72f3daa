/**
 * What is known of an expression's value without a request: literals, constants of the policy, comparisons of the two,
 * and contradictions between comparisons. Not an evaluator: whatever is not certain is unknown.
 */
import type { CelConstant, CelExpr } from "../cel/expression.ts";
import { unparse } from "../cel/unparse.ts";
import type { CelSource, JsonValue, Match } from "../policy/policy-set.ts";

type Scalar = boolean | string | number | bigint;
/** Names that are being looked into, against cycles. */
type Lookup = { readonly source: CelSource; readonly expressions: ReadonlyMap<CelSource, CelExpr> };

/** true or false when the condition is that for every request (or fails), undefined when it depends. */
export function constantMatch(
  match: Match,
  expressions: ReadonlyMap<CelSource, CelExpr>,
): boolean | undefined {
  if (match.kind === "expr") return constantSource(match.expr, expressions);
  const members = match.of.map((member) => constantMatch(member, expressions));
  if (match.kind === "all") return conjunction(members);
  const any = disjunction(members);
  if (match.kind === "any" || any === undefined) return any;
  return !any;
}

/** The same for one expression. */
export function constantSource(
  source: CelSource,
  expressions: ReadonlyMap<CelSource, CelExpr>,
): boolean | undefined {
  const expr = expressions.get(source);
  return expr === undefined ? undefined : truth(expr, { source, expressions });
}

function truth(expr: CelExpr, lookup: Lookup): boolean | undefined {
  if (expr.kind === "and") {
    const known = conjunction(expr.args.map((arg) => truth(arg, lookup)));
    return known ?? (contradicts(expr.args, "_==_") ? false : undefined);
  }
  if (expr.kind === "or") {
    const known = disjunction(expr.args.map((arg) => truth(arg, lookup)));
    return known ?? (contradicts(expr.args, "_!=_") ? true : undefined);
  }
  if (expr.kind === "conditional") {
    const chosen = truth(expr.condition, lookup);
    return chosen === undefined ? undefined : truth(chosen ? expr.then : expr.otherwise, lookup);
  }
  if (expr.kind === "variable") {
    const variable = lookup.source.names.variables.get(expr.name);
    return variable === undefined ? undefined : constantSource(variable, lookup.expressions);
  }
  if (expr.kind === "call") return call(expr.function, expr.args, lookup);
  const value = scalar(expr, lookup);
  return typeof value === "boolean" ? value : undefined;
}

function call(name: string, args: readonly CelExpr[], lookup: Lookup): boolean | undefined {
  const [left, right] = args;
  if (left === undefined) return undefined;
  if (name === "!_") {
    const value = truth(left, lookup);
    return value === undefined ? undefined : !value;
  }
  if (right === undefined) return undefined;
  if (name === "@in" && right.kind === "list" && right.items.length === 0) return false;
  const a = scalar(left, lookup);
  const b = scalar(right, lookup);
  if (a !== undefined && b !== undefined) return compare(name, a, b);
  // NaN is the one value that differs from itself; attributes that JSON can carry never are.
  const same = unparse(left) === unparse(right) && left.type.kind !== "double";
  if (!same) return undefined;
  return name === "_==_" || name === "_<=_" || name === "_>=_"
    ? true
    : name === "_!=_" || name === "_<_" || name === "_>_"
      ? false
      : undefined;
}

function compare(name: string, a: Scalar, b: Scalar): boolean | undefined {
  const comparable = typeof a === typeof b || (isNumber(a) && isNumber(b));
  switch (name) {
    case "_==_":
      return comparable ? a == b : false;
    case "_!=_":
      return comparable ? a != b : true;
    case "_<_":
      return comparable ? a < b : undefined;
    case "_<=_":
      return comparable ? a <= b : undefined;
    case "_>_":
      return comparable ? a > b : undefined;
    case "_>=_":
      return comparable ? a >= b : undefined;
    default:
      return undefined;
  }
}

function isNumber(value: Scalar): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

/** The value of a literal or of a constant of the policy. */
export function scalar(expr: CelExpr, { source }: Pick<Lookup, "source">): Scalar | undefined {
  if (expr.kind === "literal") return literal(expr.value);
  if (expr.kind !== "constant") return undefined;
  const value: JsonValue | undefined = source.names.constants.get(expr.name);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

function literal(value: CelConstant): Scalar | undefined {
  switch (value.kind) {
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "string":
      return value.value;
    case "null":
    case "bytes":
    case "type":
      return undefined;
  }
}

function conjunction(members: readonly (boolean | undefined)[]): boolean | undefined {
  if (members.includes(false)) return false;
  return members.includes(undefined) ? undefined : true;
}

function disjunction(members: readonly (boolean | undefined)[]): boolean | undefined {
  if (members.includes(true)) return true;
  return members.includes(undefined) ? undefined : false;
}

/** Whether two of the arguments compare one thing with different literals: `a == 1 && a == 2`, `a != 1 || a != 2`. */
function contradicts(args: readonly CelExpr[], operator: string): boolean {
  const seen = new Map<string, Scalar>();
  for (const arg of args) {
    if (arg.kind !== "call" || arg.function !== operator) continue;
    const [left, right] = arg.args;
    if (left === undefined || right === undefined) continue;
    const [subject, value] = right.kind === "literal" ? [left, right] : [right, left];
    const constant = value.kind === "literal" ? literal(value.value) : undefined;
    if (constant === undefined || subject.kind === "literal") continue;
    const key = unparse(subject);
    const before = seen.get(key);
    if (before === undefined) seen.set(key, constant);
    else if (compare("_!=_", before, constant) === true) return true;
  }
  return false;
}
