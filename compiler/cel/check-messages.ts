/**
 * Message literals (CEL langdef, "Field Selection" and "Wrapper types"): the well-known types whose literals are ordinary
 * CEL values, `google.protobuf.Int64Value{value: 1}` being the int 1. Each becomes the expression that makes that value. The
 * rest (Any, Empty, FieldMask, Cerbos's own messages) has no counterpart among CEL values here and is refused by name.
 */
import { conditional, type CheckContext } from "./check-context.ts";
import type { CelConstant, CelExpr, CelType, Span } from "./expression.ts";
import type { Scope } from "./scope.ts";
import type { Syntax } from "./syntax.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
  listOf,
  mapOf,
  optionalOf,
} from "./types.ts";

type MessageSyntax = Syntax & { readonly kind: "message" };
type FieldSyntax = MessageSyntax["fields"][number];

/** A field that holds one scalar: its type, its value when unset, and the range of a narrower integer. */
interface ScalarField {
  readonly type: CelType;
  readonly zero: CelConstant;
  readonly range?: readonly [least: CelConstant, most: CelConstant];
  /** Kept as a 32-bit float: only a literal can be rounded. */
  readonly single?: boolean;
}

const INT64: ScalarField = { type: INT, zero: { kind: "int", value: 0n } };
const INT32: ScalarField = {
  ...INT64,
  range: [
    { kind: "int", value: -(2n ** 31n) },
    { kind: "int", value: 2n ** 31n - 1n },
  ],
};
const UINT64: ScalarField = { type: UINT, zero: { kind: "uint", value: 0n } };
const UINT32: ScalarField = {
  ...UINT64,
  range: [
    { kind: "uint", value: 0n },
    { kind: "uint", value: 2n ** 32n - 1n },
  ],
};
const FLOAT64: ScalarField = { type: DOUBLE, zero: { kind: "double", value: 0 } };
const TEXT: ScalarField = { type: STRING, zero: { kind: "string", value: "" } };
const TRUTH: ScalarField = { type: BOOL, zero: { kind: "bool", value: false } };

const WRAPPERS: ReadonlyMap<string, ScalarField> = new Map<string, ScalarField>([
  ["Int64Value", INT64],
  ["Int32Value", INT32],
  ["UInt64Value", UINT64],
  ["UInt32Value", UINT32],
  ["DoubleValue", FLOAT64],
  ["FloatValue", { ...FLOAT64, single: true }],
  ["BoolValue", TRUTH],
  ["StringValue", TEXT],
  ["BytesValue", { type: BYTES, zero: { kind: "bytes", value: new Uint8Array() } }],
]);

/** Whether a message of this name, as written, stands for a scalar. */
export function isWrapper(name: string): boolean {
  return WRAPPERS.has(wellKnownName(name));
}

/** The name without its package; empty for messages of other packages. */
function wellKnownName(name: string): string {
  return /^\.?google\.protobuf\.(\w+)$/u.exec(name)?.[1] ?? "";
}

/** Ints beyond this have no exact double; as JSON they would become text. */
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** The value that a message literal makes. */
export function checkMessage(
  context: CheckContext,
  scope: Scope | undefined,
  syntax: MessageSyntax,
): CelExpr {
  const { span } = syntax;
  const name = wellKnownName(syntax.name);
  const fieldNames = new Set(syntax.fields.map((field) => field.name));
  const made =
    fieldNames.size === syntax.fields.length ? new Maker(context, scope, syntax).make(name) : undefined;
  if (made !== undefined) return made;
  // What is inside is not checked again: nested literals would take time exponential in their depth.
  context.report("EDICT3034", { name: `${syntax.name}{}` }, span);
  return context.placeholder(span);
}

class Maker {
  readonly #context: CheckContext;
  readonly #scope: Scope | undefined;
  readonly #syntax: MessageSyntax;

  constructor(context: CheckContext, scope: Scope | undefined, syntax: MessageSyntax) {
    this.#context = context;
    this.#scope = scope;
    this.#syntax = syntax;
  }

  /** Undefined for a message that edict does not have. */
  make(name: string): CelExpr | undefined {
    const wrapper = WRAPPERS.get(name);
    if (wrapper !== undefined) return this.#knows(["value"]) ?? this.#scalar("value", wrapper);
    switch (name) {
      case "Timestamp":
        return this.#knows(["seconds", "nanos"]) ?? this.#timestamp();
      case "Duration":
        return this.#knows(["seconds", "nanos"]) ?? this.#duration();
      case "Struct":
        return (
          this.#knows(["fields"]) ?? this.#json("fields", mapOf(STRING, DYN), { kind: "map", entries: [] })
        );
      case "ListValue":
        return this.#knows(["values"]) ?? this.#json("values", listOf(DYN), { kind: "list", items: [] });
      case "Value":
        return this.#value();
      default:
        return undefined;
    }
  }

  /** Reports the first field that the message does not have. */
  #knows(names: readonly string[]): CelExpr | undefined {
    const unknown = this.#syntax.fields.find(({ name }) => !names.includes(name));
    if (unknown === undefined) return undefined;
    const fields = names.map((name) => `\`${name}\``).join(", ");
    const params = { object: this.#syntax.name, field: unknown.name, fields };
    this.#context.report("EDICT3021", params, this.#syntax.span);
    return this.#context.placeholder(this.#syntax.span);
  }

  #field(name: string): FieldSyntax | undefined {
    return this.#syntax.fields.find((field) => field.name === name);
  }

  #literal(type: CelType, value: CelConstant, span: Span = this.#syntax.span): CelExpr {
    return this.#context.node(span, type, { kind: "literal", value });
  }

  #call(type: CelType, name: string, guest: string, args: readonly CelExpr[]): CelExpr {
    return this.#context.node(this.#syntax.span, type, { kind: "call", function: name, guest, args });
  }

  #scalar(name: string, field: ScalarField): CelExpr | undefined {
    const zero = this.#literal(field.type, field.zero);
    const written = this.#field(name);
    if (written === undefined) return zero;
    const context = this.#context;
    const value = context.check(this.#scope, written.value);
    if (field.single === true) return this.#single(value, written);
    if (!written.optional) {
      context.expectType(value, field.type);
      return this.#checked(value, field);
    }
    context.expectType(value, optionalOf(field.type));
    return this.#checked(this.#call(DYN, "orValue", "optionalOrValue", [value, zero]), field);
  }

  /** A literal rounded to 32 bits; undefined for what is known only later. */
  #single(value: CelExpr, { optional }: FieldSyntax): CelExpr | undefined {
    if (optional || value.kind !== "literal" || value.value.kind !== "double") return undefined;
    return this.#literal(DOUBLE, { kind: "double", value: Math.fround(value.value.value) }, value.span);
  }

  /** The value if it is of the field's type and in its range, else an error. */
  #checked(value: CelExpr, { type, zero, range }: ScalarField): CelExpr {
    const context = this.#context;
    const { span } = value;
    const isStatic = context.types.substitute(value.type).kind === type.kind;
    if (isStatic && range === undefined) return value;
    const { unique } = context.declare(this.#scope, "field", DYN);
    const local = (): CelExpr => context.node(span, type, { kind: "local", name: unique });
    let body = local();
    if (range !== undefined) {
      const [least, most] = range;
      const inRange = context.node(span, BOOL, {
        kind: "and",
        args: [
          this.#call(BOOL, "_>=_", "greaterEquals", [local(), this.#literal(type, least)]),
          this.#call(BOOL, "_<=_", "lessEquals", [local(), this.#literal(type, most)]),
        ],
      });
      const largest = this.#literal(INT, { kind: "int", value: 2n ** 63n - 1n });
      const one = this.#literal(INT, { kind: "int", value: 1n });
      const overflow = this.#call(type, "_+_", "add", [largest, one]);
      body = conditional(context, span, type, [inRange, body, overflow]);
    }
    if (!isStatic) {
      const typeOf = (of: CelExpr): CelExpr => this.#call(TYPE, "type", "typeOf", [of]);
      const isType = this.#call(BOOL, "_==_", "equals", [typeOf(local()), typeOf(this.#literal(type, zero))]);
      const mismatch = this.#call(type, "-_", "negate", [
        this.#literal(STRING, { kind: "string", value: "" }),
      ]);
      body = conditional(context, span, type, [isType, body, mismatch]);
    }
    return context.node(span, type, { kind: "bind", name: unique, value, body });
  }

  /** `duration("<value><unit>")`. */
  #durationOf(value: CelExpr, unit: string): CelExpr {
    const digits = this.#call(STRING, "string", "toText", [value]);
    const text = this.#call(STRING, "_+_", "add", [
      digits,
      this.#literal(STRING, { kind: "string", value: unit }),
    ]);
    return this.#call(DURATION, "duration", "toDuration", [text]);
  }

  #parts(): readonly [seconds: CelExpr, nanos: CelExpr] | undefined {
    const seconds = this.#scalar("seconds", INT64);
    const nanos = this.#scalar("nanos", INT32);
    return seconds === undefined || nanos === undefined ? undefined : [seconds, nanos];
  }

  #timestamp(): CelExpr | undefined {
    const parts = this.#parts();
    if (parts === undefined) return undefined;
    const start = this.#call(TIMESTAMP, "timestamp", "toTimestamp", [parts[0]]);
    return this.#call(TIMESTAMP, "_+_", "add", [start, this.#durationOf(parts[1], "ns")]);
  }

  #duration(): CelExpr | undefined {
    const parts = this.#parts();
    if (parts === undefined) return undefined;
    return this.#call(DURATION, "_+_", "add", [
      this.#durationOf(parts[0], "s"),
      this.#durationOf(parts[1], "ns"),
    ]);
  }

  #json(
    name: string,
    type: CelType,
    empty: { readonly kind: "map"; readonly entries: [] } | { readonly kind: "list"; readonly items: [] },
  ): CelExpr | undefined {
    const written = this.#field(name);
    if (written === undefined) return this.#context.node(this.#syntax.span, type, empty);
    if (written.optional) return undefined;
    const value = this.#context.check(this.#scope, written.value);
    if (!this.#context.types.assign(value.type, type)) {
      this.#context.expectType(value, type);
      return value;
    }
    const made = this.#asJson(value);
    return made === undefined ? undefined : this.#context.node(value.span, type, made);
  }

  /** The value as JSON has it, numbers being doubles; undefined for what is known only when it is evaluated. */
  #asJson(value: CelExpr): CelExpr | undefined {
    if (value.kind === "list") {
      const items = value.items.map((item) => ({ value: this.#asJson(item.value), optional: item.optional }));
      const known = items.flatMap((item) =>
        item.value === undefined || item.optional ? [] : [{ value: item.value, optional: false }],
      );
      if (known.length < items.length) return undefined;
      return this.#context.node(value.span, listOf(DYN), { kind: "list", items: known });
    }
    if (value.kind === "map") {
      const entries = value.entries.flatMap(({ key, value: held, optional }) => {
        const made = this.#asJson(held);
        const isText = key.kind === "literal" && key.value.kind === "string";
        return made === undefined || optional || !isText ? [] : [{ key, value: made, optional }];
      });
      if (entries.length < value.entries.length) return undefined;
      return this.#context.node(value.span, mapOf(STRING, DYN), { kind: "map", entries });
    }
    if (value.kind === "literal") return this.#jsonLiteral(value, value.value);
    if (value.kind === "call" && value.guest === "toDyn" && value.args[0] !== undefined) {
      return this.#asJson(value.args[0]);
    }
    const { kind } = this.#context.types.substitute(value.type);
    return kind === "string" || kind === "bool" || kind === "double" || kind === "null" ? value : undefined;
  }

  #jsonLiteral(expr: CelExpr, value: CelConstant): CelExpr | undefined {
    if (value.kind === "int" || value.kind === "uint") {
      const magnitude = value.value < 0n ? -value.value : value.value;
      if (magnitude > MAX_EXACT) return undefined;
      return this.#literal(DOUBLE, { kind: "double", value: Number(value.value) }, expr.span);
    }
    return value.kind === "bytes" || value.kind === "type" ? undefined : expr;
  }

  /** `google.protobuf.Value{...}`: of its fields at most one, null without any. */
  #value(): CelExpr | undefined {
    const names = ["null_value", "number_value", "string_value", "bool_value", "struct_value", "list_value"];
    const problem = this.#knows(names);
    if (problem !== undefined) return problem;
    const [field, other] = this.#syntax.fields;
    if (field === undefined) return this.#call(DYN, "dyn", "toDyn", [this.#literal(NULL, { kind: "null" })]);
    if (other !== undefined || field.optional) return undefined;
    const made = this.#valueOf(field.name);
    if (made === undefined) return undefined;
    return this.#call(DYN, "dyn", "toDyn", [made]);
  }

  /** The constant of NullValue, which is the int 0, or `null` itself. */
  #null(name: string): CelExpr | undefined {
    const written = this.#field(name);
    if (written === undefined) return undefined;
    const value = this.#context.check(this.#scope, written.value);
    if (value.kind !== "literal") return undefined;
    if (value.value.kind !== "null") this.#context.expectType(value, INT);
    return this.#literal(NULL, { kind: "null" });
  }

  #valueOf(field: string): CelExpr | undefined {
    switch (field) {
      case "number_value":
        return this.#scalar(field, FLOAT64);
      case "string_value":
        return this.#scalar(field, TEXT);
      case "bool_value":
        return this.#scalar(field, TRUTH);
      case "struct_value":
        return this.#json(field, mapOf(STRING, DYN), { kind: "map", entries: [] });
      case "null_value":
        return this.#null(field);
      case "list_value":
        return this.#json(field, listOf(DYN), { kind: "list", items: [] });
      default:
        return undefined;
    }
  }
}
