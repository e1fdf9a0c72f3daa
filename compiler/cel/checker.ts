/**
 * Syntax tree to typed expression: names, selections, literals and aggregates. Calls are resolved in check-calls.ts,
 * macros in check-macros.ts; whether a policy defines the variables and constants is asked later (variables.ts), so
 * that one text is checked once however many policies use it.
 */
import { checkCall } from "./check-calls.ts";
import { CheckContext, type Reference } from "./check-context.ts";
import { fieldTarget, optionalField, selectField, type SelectSyntax } from "./check-fields.ts";
import { checkMessage } from "./check-messages.ts";
import { DEFINITIONS, INPUTS, MESSAGE_PACKAGES, TYPE_NAMES, VARIABLES } from "./environment.ts";
import type { CelConstant, CelExpr, CelType, Span } from "./expression.ts";
import { parse, qualifiedName } from "./parser.ts";
import type { Problem } from "./problem.ts";
import { findLocal, type Scope } from "./scope.ts";
import type { Syntax } from "./syntax.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  INT,
  NULL,
  STRING,
  TYPE,
  UINT,
  listOf,
  mapOf,
  optionalOf,
  typeText,
} from "./types.ts";

/** The one constant of an enumeration that a policy can name; such constants are ints. */
const NULL_VALUE = "google.protobuf.NullValue.NULL_VALUE";

export interface CheckedText {
  /** Absent when there are problems. */
  readonly expr?: CelExpr;
  readonly problems: readonly Problem[];
  /** Uses of variables and constants, in the order of the text. */
  readonly references: readonly Reference[];
  /** Uses of all variables together, `V` by itself. */
  readonly wholes: readonly { readonly name: string; readonly span: Span }[];
  /** Whether it uses all variables, or all constants, together. */
  readonly usesWholes: boolean;
}

/** Parses and checks one expression. Never throws, whatever the text. */
export function checkText(text: string): CheckedText {
  const parsed = parse(text);
  if (!parsed.ok) return { problems: [parsed.problem], references: [], wholes: [], usesWholes: false };
  const context = new CheckContext(checkSyntax);
  const expr = context.check(undefined, parsed.syntax);
  context.finish(expr);
  const { problems, references, wholes, usesWholes } = context;
  const facts = { problems, references, wholes, usesWholes };
  return problems.length === 0 ? { expr, ...facts } : facts;
}

/** Checks one node and everything below it. */
function checkSyntax(context: CheckContext, scope: Scope | undefined, syntax: Syntax): CelExpr {
  const { span } = syntax;
  switch (syntax.kind) {
    case "literal":
      return context.node(span, constantType(syntax.value), { kind: "literal", value: syntax.value });
    case "identifier":
      return checkIdentifier(context, scope, syntax);
    case "select":
      return checkSelect(context, scope, syntax);
    case "call":
      return checkCall(context, scope, syntax);
    case "and":
    case "or": {
      const args = syntax.args.map((arg) => context.check(scope, arg));
      for (const arg of args) context.expectType(arg, BOOL);
      return context.node(span, BOOL, { kind: syntax.kind, args });
    }
    case "list":
      return checkList(context, scope, syntax);
    case "map":
      return checkMap(context, scope, syntax);
    case "message":
      return checkMessage(context, scope, syntax);
  }
}

function constantType(value: CelConstant): CelType {
  switch (value.kind) {
    case "null":
      return NULL;
    case "bool":
      return BOOL;
    case "int":
      return INT;
    case "uint":
      return UINT;
    case "double":
      return DOUBLE;
    case "string":
      return STRING;
    case "bytes":
      return BYTES;
    case "type":
      return TYPE;
  }
}

function checkIdentifier(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: Syntax & { kind: "identifier" },
): CelExpr {
  const { name, root, span } = syntax;
  const local = root ? undefined : findLocal(scope, name);
  if (local !== undefined) return context.node(span, local.type, { kind: "local", name: local.unique });
  const known = INPUTS.get(name);
  if (known !== undefined) return context.node(span, known.type, { kind: "input", input: known.input });
  if (TYPE_NAMES.has(name)) return typeLiteral(context, name, span);
  const of = DEFINITIONS.get(name);
  if (of === undefined) {
    context.report("EDICT3020", { name }, span);
    return context.placeholder(span);
  }
  // To the checker not a map: an index, `in` or a macro is a mistake here as in Cerbos.
  if (of === "variable") context.wholes.push({ name, span });
  context.usesWholes = true;
  return context.node(span, VARIABLES, { kind: "definitions", of });
}

function typeLiteral(context: CheckContext, name: string, span: Span): CelExpr {
  return context.node(span, TYPE, { kind: "literal", value: { kind: "type", name } });
}

function checkSelect(context: CheckContext, scope: Scope | undefined, syntax: SelectSyntax): CelExpr {
  const { operand, field, span } = syntax;
  const definitions = definitionsNamed(scope, operand);
  if (definitions !== undefined && !syntax.optional) {
    context.reference(definitions, field, span);
    return context.node(span, DYN, { kind: definitions, name: field });
  }
  const typeName = packagedName(scope, syntax);
  if (typeName !== undefined) {
    if (TYPE_NAMES.has(typeName)) return typeLiteral(context, typeName, span);
    if (typeName === NULL_VALUE) {
      return context.node(span, INT, { kind: "literal", value: { kind: "int", value: 0n } });
    }
    context.report("EDICT3034", { name: typeName }, span);
    return context.placeholder(span);
  }
  const checked = context.check(scope, operand);
  const target = fieldTarget(context, checked, syntax);
  if (target === undefined) return context.placeholder(span);
  if (syntax.optional && !target.optional && target.field?.input !== undefined) {
    return optionalField(context, checked, target.field, span);
  }
  const optional = syntax.optional || target.optional;
  const type = optional ? optionalOf(target.type) : target.type;
  if (!optional && target.field?.input !== undefined) {
    return selectField(context, checked, target.field, span);
  }
  return context.node(span, type, {
    kind: "select",
    operand: checked,
    field: target.field?.name ?? field,
    optional,
  });
}

/** Whether `syntax` is `V`, `C` or a longer spelling of them, not hidden by a local. */
function definitionsNamed(scope: Scope | undefined, syntax: Syntax): Reference["kind"] | undefined {
  if (syntax.kind !== "identifier") return undefined;
  if (!syntax.root && findLocal(scope, syntax.name) !== undefined) return undefined;
  return DEFINITIONS.get(syntax.name);
}

/** `google.protobuf.Timestamp`, `net.IP` and the like: the whole name, if its first part is a package and not a local. */
function packagedName(scope: Scope | undefined, syntax: SelectSyntax): string | undefined {
  let first: Syntax = syntax;
  while (first.kind === "select") first = first.operand;
  if (first.kind !== "identifier") return undefined;
  const name = qualifiedName(syntax);
  if (!MESSAGE_PACKAGES.has(first.name) && (name === undefined || !TYPE_NAMES.has(name))) return undefined;
  if (!first.root && findLocal(scope, first.name) !== undefined) return undefined;
  return name;
}

/** The value type of an optional element, `[?x]` or `{?k: x}`. */
function elementType(context: CheckContext, value: CelExpr, optional: boolean): CelType {
  if (!optional) return value.type;
  const type = context.types.substitute(value.type);
  if (type.kind === "optional") return type.value;
  if (type.kind === "dyn") return DYN;
  // `null` may stand for an optional elsewhere.
  if (type.kind === "null") {
    context.report("EDICT3035", { expected: typeText(optionalOf(type)), found: typeText(type) }, value.span);
    return type;
  }
  context.expectType(value, optionalOf(type));
  return type;
}

function checkList(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: Syntax & { kind: "list" },
): CelExpr {
  let element: CelType | undefined;
  const items = syntax.items.map(({ value: item, optional }) => {
    const value = context.check(scope, item);
    element = context.types.join(element, elementType(context, value, optional));
    return { value, optional };
  });
  return context.node(syntax.span, listOf(element ?? context.types.fresh()), { kind: "list", items });
}

function checkMap(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: Syntax & { kind: "map" },
): CelExpr {
  let keyType: CelType | undefined;
  let valueType: CelType | undefined;
  const entries = syntax.entries.map((entry) => {
    const key = context.check(scope, entry.key);
    keyType = context.types.join(keyType, key.type);
    const value = context.check(scope, entry.value);
    valueType = context.types.join(valueType, elementType(context, value, entry.optional));
    return { key, value, optional: entry.optional };
  });
  const type = mapOf(keyType ?? context.types.fresh(), valueType ?? context.types.fresh());
  return context.node(syntax.span, type, { kind: "map", entries });
}
