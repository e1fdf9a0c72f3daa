/** Constructors for CEL types and their text, as cel-go prints them. Comparing types is in type-variables.ts. */
import type { CelType } from "./expression.ts";

export const DYN: CelType = { kind: "dyn" };
export const NULL: CelType = { kind: "null" };
export const BOOL: CelType = { kind: "bool" };
export const INT: CelType = { kind: "int" };
export const UINT: CelType = { kind: "uint" };
export const DOUBLE: CelType = { kind: "double" };
export const STRING: CelType = { kind: "string" };
export const BYTES: CelType = { kind: "bytes" };
export const TIMESTAMP: CelType = { kind: "timestamp" };
export const DURATION: CelType = { kind: "duration" };
export const TYPE: CelType = { kind: "type" };

export function listOf(element: CelType): CelType {
  return { kind: "list", element };
}

export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: "map", key, value };
}

export function optionalOf(value: CelType): CelType {
  return { kind: "optional", value };
}

export function objectType(name: string): CelType {
  return { kind: "object", name };
}

export function parameter(name: string): CelType {
  return { kind: "parameter", name };
}

/** The types inside a type, in order. */
export function typeArguments(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case "list":
      return [type.element];
    case "map":
      return [type.key, type.value];
    case "optional":
      return [type.value];
    case "dyn":
    case "null":
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "string":
    case "bytes":
    case "timestamp":
    case "duration":
    case "type":
    case "parameter":
    case "object":
      return [];
  }
}

/** The type with other types inside. */
export function withArguments(type: CelType, args: readonly CelType[]): CelType {
  const [first = DYN, second = DYN] = args;
  if (type.kind === "list") return listOf(first);
  if (type.kind === "map") return mapOf(first, second);
  if (type.kind === "optional") return optionalOf(first);
  return type;
}

/** Nesting shown by `typeText`; what lies deeper is cut to `…`. */
const MAX_TEXT_DEPTH = 8;

/** `map(string, list(int))`, `optional_type(dyn)`, `cerbos.lib.hierarchy`. */
export function typeText(type: CelType, depth = 0): string {
  if (depth > MAX_TEXT_DEPTH) return "…";
  const args = typeArguments(type).map((arg) => typeText(arg, depth + 1));
  if (type.kind === "object") return type.name;
  if (type.kind === "parameter") return "dyn";
  const name = type.kind === "optional" ? "optional_type" : type.kind;
  return args.length === 0 ? name : `${name}(${args.join(", ")})`;
}
