/** Selection: `a.b`, `a[k]`, `has(a.b)`, `a.?b`, `a[?k]` on maps, lists, messages, hierarchies and optionals. */
import { bool, error, findEntry, isNumber, noSuchKey, string, NONE_OPTIONAL, type Value } from "../values.ts";
import { formatValue } from "./format-value.ts";
import type { Family } from "./family.ts";

/** The index that a number names, when it is integral; lists accept integral doubles. */
function integral(key: Value): bigint | undefined {
  if (!isNumber(key)) return undefined;
  if (key.kind !== "double") return key.value;
  return Number.isSafeInteger(key.value) ? BigInt(key.value) : undefined;
}

function isKey(key: Value): boolean {
  return isNumber(key) || key.kind === "string" || key.kind === "bool";
}

function badKey(key: Value): Value {
  return error(`invalid qualifier type: ${key.kind}`);
}

/** `container[key]`, also `container.key`. */
export function itemAt(container: Value, key: Value): Value {
  if (container.kind !== "error" && container.kind !== "optional" && !isKey(key)) return badKey(key);
  switch (container.kind) {
    case "map":
      return findEntry(container.entries, key)?.value ?? noSuchKey(formatValue(key));
    case "message": {
      const field =
        key.kind === "string"
          ? container.fields.find(({ name, alias }) => name === key.value || alias === key.value)
          : undefined;
      return field?.value ?? error(`no such field '${formatValue(key)}'`);
    }
    case "list":
    case "hierarchy": {
      const index = container.kind === "hierarchy" && key.kind === "double" ? undefined : integral(key);
      if (index === undefined) return error(`unsupported index type '${key.kind}' in list`);
      const item =
        container.kind === "list" ? container.items[Number(index)] : text(container.parts[Number(index)]);
      return item ?? error(`index out of bounds: ${index}`);
    }
    case "optional":
      return optionalItem(container, key);
    case "error":
      return container;
    case "null":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "string":
    case "bytes":
    case "timestamp":
    case "duration":
    case "type":
    case "ip":
    case "cidr":
      return noSuchKey(formatValue(key));
  }
}

function text(part: string | undefined): Value | undefined {
  return part === undefined ? undefined : string(part);
}

/** Whether `container` has `key`; what holds no keys has none, but a list cannot be asked for a field. */
function hasItem(container: Value, key: Value): Value {
  switch (container.kind) {
    case "map":
      return bool(findEntry(container.entries, key) !== undefined);
    case "message": {
      const field =
        key.kind === "string"
          ? container.fields.find(({ name, alias }) => name === key.value || alias === key.value)
          : undefined;
      return field === undefined ? error(`no such field '${formatValue(key)}'`) : bool(field.set);
    }
    case "list":
    case "hierarchy": {
      const index = integral(key);
      if (index === undefined) return error(`unsupported index type '${key.kind}' in list`);
      const size = container.kind === "list" ? container.items.length : container.parts.length;
      return bool(index >= 0n && index < BigInt(size));
    }
    case "optional":
      return container.value === undefined ? bool(false) : hasItem(container.value, key);
    case "error":
      return container;
    case "null":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "string":
    case "bytes":
    case "timestamp":
    case "duration":
    case "type":
    case "ip":
    case "cidr":
      return bool(false);
  }
}

/** The item as an optional: none when it is missing. */
function optionalItem(container: Value, key: Value): Value {
  const operand = container.kind === "optional" ? container.value : container;
  if (operand === undefined) return NONE_OPTIONAL;
  if (operand.kind !== "error" && operand.kind !== "optional" && !isKey(key)) return badKey(key);
  const present = hasItem(operand, key);
  if (present.kind === "error") return present;
  if (present.kind === "bool" && !present.value) return NONE_OPTIONAL;
  return { kind: "optional", value: itemAt(operand, key) };
}

export const SELECTION: Family<
  "index" | "selectField" | "hasField" | "optionalIndex" | "optionalSelectField"
> = {
  index: itemAt,
  selectField: itemAt,
  hasField: hasItem,
  optionalIndex: optionalItem,
  optionalSelectField: optionalItem,
};
