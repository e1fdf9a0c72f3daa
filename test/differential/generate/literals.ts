/** Literals of every type as CEL text, with the edges of each type among them. */
import type { CelType } from "../../../compiler/cel/expression.ts";
import type { Random } from "../random.ts";
import { TEXTS, type TextPool } from "./texts.ts";

const INTS = [
  "0",
  "1",
  "-1",
  "2",
  "3",
  "5",
  "7",
  "63",
  "64",
  "100",
  "-42",
  "9223372036854775807",
  "-9223372036854775808",
];
const UINTS = ["0u", "1u", "2u", "5u", "64u", "18446744073709551615u"];
const DOUBLES = [
  "0.0",
  "1.0",
  "-1.0",
  "0.5",
  "-2.5",
  "2.0",
  "5.0",
  "1e10",
  "1e300",
  "-0.0",
  "9007199254740992.0",
  "2.000001",
];
const BYTES = ['b""', 'b"a"', 'b"abc"', 'b"\\xc3\\xbc"'];
const TYPES = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];

/** A text in CEL's quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A literal of a type that has literals; undefined for the others, and for lists and maps. */
export function literal(type: CelType, random: Random, pool: TextPool = "word"): string | undefined {
  switch (type.kind) {
    case "bool":
      return random.chance(0.5) ? "true" : "false";
    case "int":
      return random.pick(INTS, "0");
    case "uint":
      return random.pick(UINTS, "0u");
    case "double":
      return random.pick(DOUBLES, "0.0");
    case "string":
      return quoted(random.pick(TEXTS[pool], ""));
    case "bytes":
      return random.pick(BYTES, 'b""');
    case "null":
      return "null";
    case "timestamp":
      return `timestamp(${quoted(random.pick(TEXTS.instant.slice(0, 6), ""))})`;
    case "duration":
      return `duration(${quoted(random.pick(TEXTS.duration.slice(0, 6), ""))})`;
    case "type":
      return random.pick(TYPES, "int");
    case "dyn":
      return `dyn(${literal(random.pick(SCALARS, { kind: "int" }), random) ?? "1"})`;
    case "list":
    case "map":
    case "optional":
    case "parameter":
    case "object":
      return undefined;
  }
}

const SCALARS: readonly CelType[] = [
  { kind: "bool" },
  { kind: "int" },
  { kind: "double" },
  { kind: "string" },
  { kind: "null" },
  { kind: "uint" },
];
