/**
 * Macros (cel-spec langdef, "Macros", and the comprehension, binding, optional and math macros of cel-go). They stay
 * nodes of their own. A call that has a macro's name but not its number of arguments is an ordinary call.
 */
import { conditional, type CheckContext } from "./check-context.ts";
import { fieldTarget, hasField } from "./check-fields.ts";
import { SORTABLE } from "./builtins/lists.ts";
import { DEFINITIONS } from "./environment.ts";
import type { CelExpr, CelType, MacroName, Span } from "./expression.ts";
import { findLocal, type Scope } from "./scope.ts";
import type { Syntax } from "./syntax.ts";
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, typeText } from "./types.ts";

export type CallSyntax = Syntax & { readonly kind: "call" };

/** How a comprehension is written: `receiver.name(variables..., [filter,] body)`. */
interface Comprehension {
  readonly macro: MacroName;
  readonly variables: 1 | 2;
  readonly filter: boolean;
}

/** By name and number of arguments. */
const COMPREHENSIONS: ReadonlyMap<string, Comprehension> = new Map<string, Comprehension>([
  ["all/2", { macro: "all", variables: 1, filter: false }],
  ["all/3", { macro: "all", variables: 2, filter: false }],
  ["exists/2", { macro: "exists", variables: 1, filter: false }],
  ["exists/3", { macro: "exists", variables: 2, filter: false }],
  ["exists_one/2", { macro: "existsOne", variables: 1, filter: false }],
  ["exists_one/3", { macro: "existsOne", variables: 2, filter: false }],
  // The camelCase spelling came with the two-variable form and has only that.
  ["existsOne/3", { macro: "existsOne", variables: 2, filter: false }],
  ["map/2", { macro: "map", variables: 1, filter: false }],
  ["map/3", { macro: "map", variables: 1, filter: true }],
  ["filter/2", { macro: "filter", variables: 1, filter: false }],
  ["transformList/3", { macro: "transformList", variables: 2, filter: false }],
  ["transformList/4", { macro: "transformList", variables: 2, filter: true }],
  ["transformMap/3", { macro: "transformMap", variables: 2, filter: false }],
  ["transformMap/4", { macro: "transformMap", variables: 2, filter: true }],
  ["transformMapEntry/3", { macro: "transformMapEntry", variables: 2, filter: false }],
  ["transformMapEntry/4", { macro: "transformMapEntry", variables: 2, filter: true }],
  ["sortBy/2", { macro: "sortBy", variables: 1, filter: false }],
]);

/** The node of a macro call, or undefined if `syntax` is not one. */
export function checkMacro(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: CallSyntax,
): CelExpr | undefined {
  const { name, target, args } = syntax;
  if (target === undefined)
    return name === "has" && args.length === 1 ? checkHas(context, scope, syntax) : undefined;
  if (isNamespace(target, "cel") && name === "bind" && args.length === 3)
    return checkBind(context, scope, syntax);
  if (isNamespace(target, "math") && (name === "greatest" || name === "least")) {
    return checkExtremeArguments(context, syntax);
  }
  const comprehension = COMPREHENSIONS.get(`${name}/${args.length}`);
  if (comprehension !== undefined) return checkComprehension(context, scope, syntax, target, comprehension);
  if ((name === "optMap" || name === "optFlatMap") && args.length === 2) {
    return checkOptionalMap(context, scope, syntax, target);
  }
  return undefined;
}

function isNamespace(target: Syntax, name: string): boolean {
  return target.kind === "identifier" && target.name === name;
}

/** `has(a.b)`. */
function checkHas(context: CheckContext, scope: Scope | undefined, syntax: CallSyntax): CelExpr {
  const [selection] = syntax.args;
  const { span } = syntax;
  if (selection?.kind !== "select" || selection.optional) {
    context.report("EDICT3041", {}, selection?.span ?? span);
    return context.placeholder(span);
  }
  const { operand: object, field } = selection;
  if (object.kind === "identifier" && (object.root || findLocal(scope, object.name) === undefined)) {
    const definitions = DEFINITIONS.get(object.name);
    if (definitions !== undefined) context.reference(definitions, field, selection.span);
    // A constant that the policy defines is always there.
    if (definitions === "constant") {
      return context.node(span, BOOL, { kind: "literal", value: { kind: "bool", value: true } });
    }
    // A variable is there unless its expression fails.
    if (definitions === "variable") {
      const variable = context.node(selection.span, DYN, { kind: "variable", name: field });
      return context.node(span, BOOL, { kind: "call", function: "has", guest: "succeeds", args: [variable] });
    }
  }
  const operand = context.check(scope, object);
  const found = fieldTarget(context, operand, selection);
  if (found === undefined) return context.placeholder(span);
  const declared = found.field?.input !== undefined || found.field?.name === "claims";
  if (found.field !== undefined && declared && !found.optional) {
    return hasField(context, operand, found.field, span);
  }
  return context.node(span, BOOL, { kind: "has", operand, field: found.field?.name ?? field });
}

/** The name of a macro variable, or undefined after reporting that it is not one. */
function variableName(
  context: CheckContext,
  syntax: Syntax | undefined,
  macro: string,
  span: Span,
): string | undefined {
  if (syntax?.kind !== "identifier") {
    context.report("EDICT3040", { macro }, syntax?.span ?? span);
    return undefined;
  }
  if (syntax.name === "__result__") {
    context.report("EDICT3043", { name: syntax.name, macro }, syntax.span);
    return undefined;
  }
  return syntax.name;
}

/** `cel.bind(name, value, body)`. */
function checkBind(context: CheckContext, scope: Scope | undefined, syntax: CallSyntax): CelExpr {
  const { args, span } = syntax;
  const [variable, init, result] = args;
  const name = variableName(context, variable, "cel.bind", span);
  if (name === undefined || init === undefined || result === undefined) return context.placeholder(span);
  const value = context.check(scope, init);
  const inner = context.declare(scope, name, value.type);
  const body = context.check(inner.scope, result);
  return context.node(span, body.type, { kind: "bind", name: inner.unique, value, body });
}

/** Refuses literals that `math.greatest` and `math.least` can make nothing of; the call itself is an ordinary one. */
function checkExtremeArguments(context: CheckContext, syntax: CallSyntax): CelExpr | undefined {
  const { args, name, span } = syntax;
  const [only] = args;
  const numbers =
    args.length === 1 && only?.kind === "list" && only.items.length > 0
      ? only.items.map((item) => item.value)
      : args;
  if (args.length > 0 && numbers.every(canBeNumber)) return undefined;
  context.report(
    "EDICT3044",
    { macro: `math.${name}` },
    numbers.find((arg) => !canBeNumber(arg))?.span ?? span,
  );
  return context.placeholder(span);
}

function canBeNumber(syntax: Syntax): boolean {
  if (syntax.kind === "literal") return ["int", "uint", "double"].includes(syntax.value.kind);
  return syntax.kind !== "list" && syntax.kind !== "map" && syntax.kind !== "message";
}

/** Types of the variables of a comprehension over `range`, or undefined after reporting that it is not possible. */
function variableTypes(
  context: CheckContext,
  range: CelExpr,
  count: 1 | 2,
  macro: string,
): CelType[] | undefined {
  const type = context.types.substitute(range.type);
  if (type.kind === "list") return count === 1 ? [type.element] : [INT, type.element];
  if (type.kind === "map") return count === 1 ? [type.key] : [type.key, type.value];
  if (type.kind === "parameter") context.types.assign(DYN, type);
  if (type.kind === "parameter" || type.kind === "dyn") return count === 1 ? [DYN] : [DYN, DYN];
  context.report("EDICT3036", { macro, type: typeText(type) }, range.span);
  return undefined;
}

function checkComprehension(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: CallSyntax,
  target: Syntax,
  { macro, variables: count, filter: hasFilter }: Comprehension,
): CelExpr {
  const { args, name, span } = syntax;
  const names: string[] = [];
  for (const arg of args.slice(0, count)) {
    const variable = variableName(context, arg, name, span);
    if (variable === undefined) return context.placeholder(span);
    if (names.includes(variable)) {
      context.report("EDICT3042", { name: variable, macro: name }, arg.span);
      return context.placeholder(span);
    }
    names.push(variable);
  }
  if (macro === "sortBy" && (target.kind === "map" || target.kind === "literal")) {
    context.report("EDICT3045", {}, target.span);
    return context.placeholder(span);
  }
  const range = context.check(scope, target);
  const types = variableTypes(context, range, count, name);
  if (types === undefined) return context.placeholder(span);
  let inner = scope;
  const variables = names.map((variable, index) => {
    const declared = context.declare(inner, variable, types[index] ?? DYN);
    inner = declared.scope;
    return declared.unique;
  });
  const [predicate, transform] = hasFilter ? args.slice(count) : [undefined, args[count]];
  const filter = predicate === undefined ? undefined : context.check(inner, predicate);
  if (filter !== undefined) context.expectType(filter, BOOL);
  const body = transform === undefined ? context.placeholder(span) : context.check(inner, transform);
  const type = resultType(context, macro, range, types, body);
  const fields = { kind: "macro", macro, range, variables, body } as const;
  return context.node(span, type, filter === undefined ? fields : { ...fields, filter });
}

/** Checks the body and gives the type of the whole. `types` are those of the variables. */
function resultType(
  context: CheckContext,
  macro: MacroName,
  range: CelExpr,
  types: readonly CelType[],
  body: CelExpr,
): CelType {
  const [first = DYN] = types;
  switch (macro) {
    case "all":
    case "exists":
    case "existsOne":
      context.expectType(body, BOOL);
      return BOOL;
    case "filter":
      context.expectType(body, BOOL);
      return listOf(first);
    case "map":
    case "transformList":
      return listOf(body.type);
    case "transformMap":
      return mapOf(first, body.type);
    case "transformMapEntry": {
      const entry = mapOf(context.types.fresh(), context.types.fresh());
      context.expectType(body, entry);
      return context.types.substitute(entry);
    }
    case "sortBy": {
      context.expectType(range, listOf(first));
      if (!SORTABLE.some((type) => context.types.assign(body.type, type))) {
        const found = typeText(context.types.substitute(body.type, true));
        context.report(
          "EDICT3035",
          { expected: "int, uint, double, bool, duration, timestamp, string or bytes", found },
          body.span,
        );
      }
      // As in cel-go, where every type of key is an overload: all of them fit what is dynamic, and they do not agree.
      const isDynamic = [range, body].every(({ type }) => context.types.substitute(type).kind === "dyn");
      return isDynamic ? DYN : listOf(first);
    }
  }
}

/** `a.optMap(name, body)` and `a.optFlatMap(name, body)`: a conditional on a bound optional. */
function checkOptionalMap(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: CallSyntax,
  target: Syntax,
): CelExpr {
  const { args, name, span } = syntax;
  const variable = variableName(context, args[0], name, span);
  const [, transform] = args;
  if (variable === undefined || transform === undefined) return context.placeholder(span);
  const value = context.check(scope, target);
  const content = context.types.fresh();
  context.expectType(value, optionalOf(content));
  const whole = context.declare(scope, `${variable}_optional`, value.type);
  const inner = context.declare(scope, variable, context.types.substitute(content));
  const body = context.check(inner.scope, transform);
  const isFlat = name === "optFlatMap";
  const none = optionalOf(context.types.fresh());
  const result = isFlat ? context.types.fresh() : optionalOf(body.type);
  // As the branches of a conditional: a dynamic body makes the whole dynamic.
  if (isFlat && !context.types.assignAll([body.type, none], [result, result])) context.expectType(body, none);
  const type = context.types.substitute(result);
  const call = (callType: CelType, fn: string, guest: string, callArgs: readonly CelExpr[]): CelExpr =>
    context.node(span, callType, { kind: "call", function: fn, guest, args: callArgs });
  const local = (): CelExpr => context.node(span, value.type, { kind: "local", name: whole.unique });
  const bound = context.node(span, body.type, {
    kind: "bind",
    name: inner.unique,
    value: call(content, "value", "optionalValue", [local()]),
    body,
  });
  const choice = conditional(context, span, type, [
    call(BOOL, "hasValue", "optionalHasValue", [local()]),
    isFlat ? bound : call(type, "optional.of", "optionalOf", [bound]),
    call(type, "optional.none", "optionalNone", []),
  ]);
  return context.node(span, type, { kind: "bind", name: whole.unique, value, body: choice });
}
