/** Optional values: `optional.of`, `ofNonZeroValue`, `none`, `hasValue`, `value`, `or`, `orValue`, `unwrap`; and the identity `id()`. */
import {
  bool,
  error,
  list,
  MIN_TIMESTAMP,
  noSuchOverload,
  NONE_OPTIONAL,
  NULL,
  string,
  typeName,
  type Value,
} from "../values.ts";
import type { Family } from "./family.ts";

function isZero(value: Value): boolean {
  switch (value.kind) {
    case "null":
      return true;
    case "bool":
      return !value.value;
    case "int":
    case "uint":
      return value.value === 0n;
    case "double":
      return value.value === 0;
    case "string":
    case "bytes":
      return value.value.length === 0;
    case "list":
      return value.items.length === 0;
    case "map":
      return value.entries.length === 0;
    case "duration":
      return value.nanos === 0n;
    case "timestamp":
      return value.nanos === MIN_TIMESTAMP;
    case "optional":
    case "hierarchy":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "ip":
    case "cidr":
    case "message":
    case "type":
    case "error":
      return false;
  }
}

/** What is left of a value that went through a variable: Cerbos keeps native values there. */
function variableValue(value: Value): Value {
  if (value.kind === "optional") return value.value === undefined ? NULL : variableValue(value.value);
  if (value.kind === "type") return string(value.name);
  if (value.kind === "hierarchy") return list(value.parts.map(string));
  const isSpiffe = ["spiffeID", "spiffeTrustDomain", "spiffeMatcher"].includes(value.kind);
  return isSpiffe ? error(`unsupported conversion to ref.Val: (${typeName(value)})`) : value;
}

export const OPTIONALS: Family<
  | "optionalOf"
  | "optionalOfNonZero"
  | "optionalNone"
  | "optionalHasValue"
  | "optionalValue"
  | "optionalOr"
  | "optionalOrValue"
  | "optionalUnwrap"
  | "identity"
  | "variableValue"
> = {
  optionalOf: (value) => ({ kind: "optional", value }),
  optionalOfNonZero: (value) => (isZero(value) ? NONE_OPTIONAL : { kind: "optional", value }),
  optionalNone: () => NONE_OPTIONAL,
  optionalHasValue: (value) =>
    value.kind === "optional" ? bool(value.value !== undefined) : noSuchOverload(),
  optionalValue: (value) => {
    if (value.kind !== "optional") return noSuchOverload();
    return value.value ?? error("optional.none() dereference");
  },
  optionalOr: (value, other) => {
    if (value.kind !== "optional") return noSuchOverload();
    return value.value === undefined ? other : value;
  },
  optionalOrValue: (value, other) => (value.kind === "optional" ? (value.value ?? other) : noSuchOverload()),
  optionalUnwrap: (value) => {
    if (value.kind !== "list") return noSuchOverload();
    const items: Value[] = [];
    for (const item of value.items) {
      if (item.kind !== "optional") return error("value is not optional");
      if (item.value !== undefined) items.push(item.value);
    }
    return { kind: "list", items };
  },
  identity: (value) => value,
  variableValue,
};
