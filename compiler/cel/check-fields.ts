/**
 * Fields of maps, dynamic values and of the request's own objects: what a selection gives, and what `has()` means for
 * objects, whose fields are always there but may be empty.
 */
import { conditional, type CheckContext } from "./check-context.ts";
import { fieldOf, fieldsOf, type Field } from "./environment.ts";
import type { CelConstant, CelExpr, CelType, InputName, Span } from "./expression.ts";
import type { Syntax } from "./syntax.ts";
import { BOOL, DYN, INT, STRING, optionalOf, typeText } from "./types.ts";

export type SelectSyntax = Syntax & { readonly kind: "select" };

export interface FieldTarget {
  readonly type: CelType;
  /** Whether the operand itself may be absent, so that its field may be too. */
  readonly optional: boolean;
  /** Set when the operand is an object with declared fields. */
  readonly field?: Field;
}

/** What a selection gives, or undefined after reporting that it is impossible. */
export function fieldTarget(
  context: CheckContext,
  operand: CelExpr,
  syntax: SelectSyntax,
): FieldTarget | undefined {
  const whole = context.types.substitute(operand.type);
  const optional = whole.kind === "optional";
  const type = optional ? whole.value : whole;
  if (type.kind === "map") return { type: type.value, optional };
  if (type.kind === "dyn") return { type: DYN, optional };
  if (type.kind === "parameter") {
    // An undetermined type becomes dyn, lest a later use make it one that has no fields.
    context.types.assign(DYN, type);
    return { type: DYN, optional };
  }
  if (type.kind === "object") {
    const field = fieldOf(type.name, syntax.field);
    if (field !== undefined) return { type: field.type, optional, field };
    const fields = fieldsOf(type.name).map(({ name }) => `\`${name}\``);
    if (fields.length > 0) {
      const object = objectText(operand, type.name);
      context.report(
        "EDICT3021",
        { object, field: syntax.field, fields: fields.join(", ") },
        syntax.fieldSpan,
      );
      return undefined;
    }
  }
  context.report("EDICT3022", { type: typeText(type), field: syntax.field }, syntax.fieldSpan);
  return undefined;
}

function objectText(operand: CelExpr, typeName: string): string {
  return operand.kind === "input" ? operand.input : typeName;
}

/** `P.?scope`: present when it is not empty. */
export function optionalField(context: CheckContext, operand: CelExpr, field: Field, span: Span): CelExpr {
  const type = optionalOf(field.type);
  const value = selectField(context, operand, field, span);
  const node = (guest: string, name: string, args: readonly CelExpr[]): CelExpr =>
    context.node(span, type, { kind: "call", function: name, guest, args });
  return conditional(context, span, type, [
    fieldPresence(context, operand, field, span),
    node("optionalOf", "optional.of", [value]),
    node("optionalNone", "optional.none", []),
  ]);
}

/** A field of an object; an unset one is empty. */
export function selectField(context: CheckContext, operand: CelExpr, field: Field, span: Span): CelExpr {
  if (operand.kind === "input" && field.input !== undefined) {
    return context.node(span, field.type, { kind: "input", input: field.input });
  }
  return context.node(span, field.type, { kind: "select", operand, field: field.name, optional: false });
}

/** Inputs that every request has, empty or not. */
const ALWAYS_PRESENT: ReadonlySet<InputName> = new Set<InputName>(["principal", "resource", "action"]);

/**
 * `has()` of a field of the request: messages have no notion of a present but empty string, list or map, so such a
 * field is present when it is not empty.
 */
function fieldPresence(context: CheckContext, operand: CelExpr, field: Field, span: Span): CelExpr {
  const value = selectField(context, operand, field, span);
  const literal = (type: CelType, constant: CelConstant): CelExpr =>
    context.node(span, type, { kind: "literal", value: constant });
  const call = (type: CelType, name: string, guest: string, args: readonly CelExpr[]): CelExpr =>
    context.node(span, type, { kind: "call", function: name, guest, args });
  if (field.input !== undefined && ALWAYS_PRESENT.has(field.input))
    return literal(BOOL, { kind: "bool", value: true });
  if (field.type.kind === "string") {
    return call(BOOL, "_!=_", "notEquals", [value, literal(STRING, { kind: "string", value: "" })]);
  }
  if (field.type.kind === "list" || field.type.kind === "map") {
    const size = call(INT, "size", "size", [value]);
    return call(BOOL, "_!=_", "notEquals", [size, literal(INT, { kind: "int", value: 0n })]);
  }
  return context.node(span, BOOL, { kind: "has", operand, field: field.name });
}

/** `has(a.b)` of such a field. */
export function hasField(context: CheckContext, operand: CelExpr, field: Field, span: Span): CelExpr {
  if (operand.kind !== "input" || field.input !== "runtime.effectiveDerivedRoles") {
    return fieldPresence(context, operand, field, span);
  }
  // Cerbos makes the list when it is asked for, empty or not; only its error remains.
  const value = selectField(context, operand, field, span);
  const size = context.node(span, INT, { kind: "call", function: "size", guest: "size", args: [value] });
  const zero = context.node(span, INT, { kind: "literal", value: { kind: "int", value: 0n } });
  return context.node(span, BOOL, {
    kind: "call",
    function: "_>=_",
    guest: "greaterEquals",
    args: [size, zero],
  });
}
