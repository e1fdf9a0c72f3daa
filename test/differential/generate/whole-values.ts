/**
 * Forms that few policies have: message literals, `P`, `R` and `request` as whole values, `has` of a definition. Only what
 * edict takes as Cerbos does (docs/differences.md); maps are only visited in ways in which their order does not show.
 */
import type { CelType } from "../../../compiler/cel/expression.ts";
import { BOOL, BYTES, DOUBLE, INT, STRING, UINT } from "../../../compiler/cel/types.ts";
import { attributesOf } from "./attributes.ts";
import { quoted } from "./literals.ts";
import type { Writing } from "./writing.ts";

/** One of these forms that gives the type, or undefined where none does. */
export function wholeValue(writer: Writing, type: CelType, depth: number): string | undefined {
  const { kind } = type;
  if (kind === "bool" && writer.random.chance(0.7)) return about(writer, depth);
  if (kind === "dyn") return writer.random.chance(0.6) ? whole(writer) : message(writer, type, depth);
  return message(writer, type, depth);
}

function about(writer: Writing, depth: number): string {
  const { random } = writer;
  const one = random.pick(["P", "R"], "P");
  const name = random.pick([...attributesOf("n", "word", "map"), "missing"], "n");
  const definition = random.pick(writer.names.definitions, undefined)?.name ?? "G.env";
  switch (random.below(8)) {
    case 0:
    case 1:
      return `has(${definition})`;
    case 2:
      return `(${random.pick(["P", "R", "request", "request.resource"], "P")} == ${random.pick(["P", "R", "R", "request"], "P")})`;
    case 3:
      return `[${one}].${random.pick(["all", "exists"], "all")}(x0, x0.attr.${name} == ${writer.write(STRING, depth - 1)})`;
    case 4:
      return `(${quoted(name)} in ${one}.attr)`;
    case 5:
      return `(P.attr == ${random.pick(["R.attr", "P.attr", "request.principal.attr"], "R.attr")})`;
    case 6:
      return `(size(${one}.attr) > ${20 + random.below(12)})`;
    default:
      return `${one}.attr.exists(x0, x0 == ${quoted(name)})`;
  }
}

function whole(writer: Writing): string {
  const forms = [
    "P",
    "R",
    "request",
    "request.principal",
    "P.attr",
    "request.resource.attr",
    "[P].map(x0, x0.id)",
    "[R, R].map(x0, x0.scope)",
    "[request].map(x0, x0.resource.kind)",
    "cel.bind(x0, R, x0.policyVersion + x0.id)",
    "cel.bind(x0, P, has(x0.scope))",
    "{'p': P.roles, 'r': R.attr}",
    "optional.of(R).?scope.orValue('none')",
    "request.auxData.jwt",
    "G",
  ];
  return writer.random.pick(forms, "P");
}

/** The literals that are CEL values: wrappers, instants, spans, and what JSON has. */
function message(writer: Writing, type: CelType, depth: number): string | undefined {
  const { random } = writer;
  const field = (name: string, value: CelType, wide: boolean): string => {
    if (random.chance(0.1)) return `google.protobuf.${name}{}`;
    if (wide && random.chance(0.15))
      return `google.protobuf.${name}{?value: ${writer.leaf({ kind: "optional", value })}}`;
    return `google.protobuf.${name}{value: ${writer.write(value, depth - 1)}}`;
  };
  const small = (): number => random.below(2_000_000_000) - 1_000_000_000;
  switch (type.kind) {
    case "int":
      return random.chance(0.6)
        ? field("Int64Value", INT, true)
        : `google.protobuf.Int32Value{value: ${random.chance(0.5) ? small() : `int(R.attr.n)`}}`;
    case "uint":
      return field("UInt64Value", UINT, true);
    case "double":
      return field("DoubleValue", DOUBLE, true);
    case "bool":
      return field("BoolValue", BOOL, true);
    case "string":
      return field("StringValue", STRING, true);
    case "bytes":
      return field("BytesValue", BYTES, true);
    case "timestamp":
      return `google.protobuf.Timestamp{seconds: ${small()}, nanos: ${random.below(1_000_000_000)}}`;
    case "duration":
      return `google.protobuf.Duration{seconds: ${random.below(100_000)}, nanos: ${random.below(1_000_000_000)}}`;
    case "dyn":
      return random.pick(
        [
          "google.protobuf.Struct{fields: {'a': 1.5, 'b': 'x'}}",
          "google.protobuf.Struct{}",
          "google.protobuf.Value{number_value: 2.5}",
          "google.protobuf.Value{string_value: 'a'}",
          "google.protobuf.Value{bool_value: true}",
          "google.protobuf.Value{}",
          "google.protobuf.ListValue{values: [1.0, 'a', true]}",
        ],
        "google.protobuf.Struct{}",
      );
    case "null":
    case "type":
    case "list":
    case "map":
    case "optional":
    case "parameter":
    case "object":
      return undefined;
  }
}
