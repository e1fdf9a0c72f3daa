/**
 * Calls: macros first, then functions with a namespace, then functions and methods of the overload table. A call is
 * resolved as in cel-go: every row that fits counts, the first gives the result type, rows that disagree make it dyn.
 */
import { isWrapper } from "./check-messages.ts";
import type { CallStyle, Overload } from "./builtins/overload.ts";
import { overloads } from "./builtins/overload-table.ts";
import { conditional, type CheckContext } from "./check-context.ts";
import { checkMacro, type CallSyntax } from "./check-macros.ts";
import { DEFINITIONS, INPUTS, TYPE_NAMES } from "./environment.ts";
import type { CelExpr, CelType, Span } from "./expression.ts";
import { checkLiteralArguments } from "./literal-arguments.ts";
import { qualifiedName } from "./parser.ts";
import { findLocal, type Scope } from "./scope.ts";
import type { Syntax } from "./syntax.ts";
import { BOOL, DYN, TIMESTAMP, listOf, typeText } from "./types.ts";

/** Operators as written, for messages. */
const OPERATOR_TEXT: Readonly<Record<string, string>> = {
  "!_": "!",
  "-_": "-",
  "@in": "in",
  "_[_]": "[]",
  "_[?_]": "[?]",
  "_?_:_": "?:",
};

const EXTREMES = new Set(["math.greatest", "math.least"]);

/** Checks a call, an operator or a macro. */
export function checkCall(context: CheckContext, scope: Scope | undefined, syntax: CallSyntax): CelExpr {
  const macro = checkMacro(context, scope, syntax);
  if (macro !== undefined) return macro;
  const { name, target, span } = syntax;
  const args = syntax.args.map((arg) => context.check(scope, arg));
  if (name === "_?_:_") return checkConditional(context, syntax, args);
  if (target === undefined) return resolve(context, syntax, name, "global", args);
  const prefix = qualifiedName(target);
  if (prefix !== undefined) {
    const qualified = `${prefix}.${name}`;
    if (isFunction(qualified, "global")) {
      // More than two numbers are compared as a list.
      const isLong = EXTREMES.has(qualified) && args.length > 2;
      const given = isLong ? [listNode(context, args, span)] : args;
      return resolve(context, syntax, qualified, "global", given);
    }
    if (!isFunction(name, "member") && isUnknownNamespace(scope, target)) {
      context.report(
        "EDICT3030",
        { name: qualified },
        { start: target.span.start, end: syntax.nameSpan.end },
      );
      return context.placeholder(span);
    }
  }
  return resolve(context, syntax, name, "member", [context.check(scope, target), ...args]);
}

function isFunction(name: string, style: CallStyle): boolean {
  return overloads.get(name)?.some((overload) => overload.style === style) === true;
}

/** Whether `target` is a name that means nothing, so that `target.f()` is best reported as one unknown function. */
function isUnknownNamespace(scope: Scope | undefined, target: Syntax): boolean {
  let first = target;
  while (first.kind === "select") first = first.operand;
  if (first.kind !== "identifier") return false;
  const { name } = first;
  return (
    ![INPUTS, DEFINITIONS, TYPE_NAMES].some((names) => names.has(name)) &&
    findLocal(scope, name) === undefined
  );
}

/** `condition ? then : otherwise`; the branches must have one type. */
function checkConditional(context: CheckContext, syntax: CallSyntax, args: readonly CelExpr[]): CelExpr {
  const [condition, then, otherwise] = args;
  if (condition === undefined || then === undefined || otherwise === undefined)
    return context.placeholder(syntax.span);
  const branch = context.types.fresh();
  const types = args.map((arg) => arg.type);
  if (!context.types.assignAll(types, [BOOL, branch, branch])) {
    reportNoOverload(context, syntax, "_?_:_", "global", types);
    return context.placeholder(syntax.span);
  }
  return conditional(context, syntax.span, context.types.substitute(branch), [condition, then, otherwise]);
}

function resolve(
  context: CheckContext,
  syntax: CallSyntax,
  name: string,
  style: CallStyle,
  args: readonly CelExpr[],
): CelExpr {
  const { span, nameSpan } = syntax;
  if (name === "now" && style === "global" && args.length === 0) {
    return context.node(span, TIMESTAMP, { kind: "input", input: "now" });
  }
  const rows = overloads.get(name);
  if (rows === undefined && name !== "now") {
    context.report("EDICT3030", { name }, nameSpan);
    return context.placeholder(span);
  }
  const types = args.map((arg, index) => (comparesWithNull(syntax, args, index) ? DYN : arg.type));
  const found = resolveOverload(context, rows ?? [], style, types);
  if (found === undefined) {
    reportNoOverload(context, syntax, name, style, types);
    return context.placeholder(span);
  }
  const { guest } = found.overload;
  checkLiteralArguments(context, name, style, args);
  const guestArgs = guestArguments(context, guest, args, span);
  return context.node(span, found.type, { kind: "call", function: name, guest, args: guestArgs });
}

/** Wrappers, and they alone of the scalars, can be compared with `null`: `google.protobuf.Int64Value{} == null`. */
function comparesWithNull(syntax: CallSyntax, args: readonly CelExpr[], index: number): boolean {
  const { name } = syntax;
  if (name !== "_==_" && name !== "_!=_") return false;
  const written = syntax.args[index];
  return written?.kind === "message" && isWrapper(written.name) && args[1 - index]?.type.kind === "null";
}

interface Resolved {
  readonly overload: Overload;
  readonly type: CelType;
}

/** The first row that fits and the type that all rows that fit agree on. */
export function resolveOverload(
  context: CheckContext,
  rows: readonly Overload[],
  style: CallStyle,
  args: readonly CelType[],
): Resolved | undefined {
  let first: Overload | undefined;
  let type: CelType = DYN;
  for (const overload of rows) {
    if (overload.style !== style || overload.parameters.length !== args.length) continue;
    const [result = DYN, ...parameters] = context.types.instantiate([
      overload.result,
      ...overload.parameters,
    ]);
    if (!context.types.assignAll(args, parameters)) continue;
    const resultType = context.types.substitute(result);
    if (first === undefined) {
      first = overload;
      type = resultType;
    } else if (type.kind !== "dyn" && !context.types.equal(type, resultType)) {
      type = DYN;
    }
  }
  return first === undefined ? undefined : { overload: first, type };
}

function reportNoOverload(
  context: CheckContext,
  syntax: CallSyntax,
  name: string,
  style: CallStyle,
  args: readonly CelType[],
): void {
  const texts = args.map((type) => `\`${typeText(context.types.substitute(type, true))}\``);
  const operator = OPERATOR_TEXT[name] ?? (/^_.+_$/.test(name) ? name.slice(1, -1) : undefined);
  if (operator !== undefined) {
    context.report("EDICT3032", { name: operator, types: listText(texts) }, syntax.nameSpan);
    return;
  }
  const [receiver = "", ...others] = texts;
  const types =
    style === "member"
      ? `a receiver of type ${receiver} and ${others.length === 0 ? "no arguments" : listText(others)}`
      : listText(texts);
  context.report("EDICT3031", { name, types: types === "" ? "no arguments" : types }, syntax.nameSpan);
}

function listText(texts: readonly string[]): string {
  const last = texts.at(-1) ?? "";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} and ${last}`;
}

/** The arguments as the guest function takes them, where that is not how they are written. */
function guestArguments(
  context: CheckContext,
  guest: Overload["guest"],
  args: readonly CelExpr[],
  span: Span,
): readonly CelExpr[] {
  if (guest === "timeSince") return [...args, context.node(span, TIMESTAMP, { kind: "input", input: "now" })];
  if (guest !== "mathGreatest" && guest !== "mathLeast") return args;
  const [only] = args;
  if (args.length === 1 && only !== undefined) {
    // A single dyn may turn out to be a number or a list: the guest looks.
    const { kind } = context.types.substitute(only.type);
    if (kind === "list" || kind === "dyn" || kind === "parameter") return args;
  }
  return [listNode(context, args, span)];
}

function listNode(context: CheckContext, args: readonly CelExpr[], span: Span): CelExpr {
  let element: CelType | undefined;
  for (const arg of args) element = context.types.join(element, arg.type);
  const items = args.map((value) => ({ value, optional: false }));
  return context.node(span, listOf(element ?? DYN), { kind: "list", items });
}
