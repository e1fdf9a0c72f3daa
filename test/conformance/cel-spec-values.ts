/**
 * Values of the CEL conformance suite as CEL text: a literal for a binding, and a condition that holds for exactly one
 * value, types included, since JSON outputs do not tell int, uint and double apart. Messages without such a literal are not
 * covered.
 */

export interface SpecValue {
  readonly nullValue?: null;
  readonly boolValue?: boolean;
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | "NaN" | "Infinity" | "-Infinity";
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly typeValue?: string;
  readonly listValue?: { readonly values?: readonly SpecValue[] };
  readonly mapValue?: { readonly entries?: readonly SpecEntry[] };
  readonly objectValue?: { readonly "@type": string; readonly value?: unknown };
}
interface SpecEntry {
  readonly key: SpecValue;
  readonly value: SpecValue;
}

/** Thrown for values that have no literal here. */
export class NoLiteral extends Error {}

/** The CEL type name and the literal of a value that is neither a list nor a map. */
function scalar(value: SpecValue): readonly [type: string, literal: string] {
  if (value.boolValue !== undefined) return ["bool", String(value.boolValue)];
  if (value.int64Value !== undefined) return ["int", value.int64Value];
  if (value.uint64Value !== undefined) return ["uint", `${value.uint64Value}u`];
  if (value.doubleValue !== undefined) return ["double", doubleLiteral(value.doubleValue)];
  if (value.stringValue !== undefined) return ["string", stringLiteral(value.stringValue)];
  if (value.bytesValue !== undefined) return ["bytes", bytesLiteral(value.bytesValue)];
  if (value.typeValue !== undefined) return ["type", value.typeValue];
  if (value.nullValue !== undefined) return ["null_type", "null"];
  const type = value.objectValue?.["@type"] ?? "";
  const text = value.objectValue?.value;
  const name = /google\.protobuf\.(Timestamp|Duration)$/u.exec(type)?.[1];
  if (name !== undefined && typeof text === "string") {
    return [`google.protobuf.${name}`, `${name.toLowerCase()}(${stringLiteral(text)})`];
  }
  throw new NoLiteral(type);
}

/** A bound message as a literal: a wrapper around its scalar, or the JSON value that it stands for. */
function messageLiteral(value: SpecValue): string | undefined {
  const { "@type": type = "", value: held } = value.objectValue ?? {};
  const name = /google\.protobuf\.(\w+)$/u.exec(type)?.[1] ?? "";
  if (/^(?:Value|Struct|ListValue)$/u.test(name)) return jsonLiteral(held);
  const made = scalarOf(name, held);
  return made === undefined ? undefined : `google.protobuf.${name}{value: ${scalar(made)[1]}}`;
}

function scalarOf(wrapper: string, held: unknown): SpecValue | undefined {
  if (typeof held === "boolean") return { boolValue: held };
  if (wrapper === "BytesValue") return { bytesValue: String(held) };
  if (wrapper === "StringValue") return { stringValue: String(held) };
  if (wrapper === "DoubleValue" || wrapper === "FloatValue") return { doubleValue: Number(held) };
  if (/^Int\d+Value$/u.test(wrapper)) return { int64Value: String(held) };
  return /^UInt\d+Value$/u.test(wrapper) ? { uint64Value: String(held) } : undefined;
}

function jsonLiteral(json: unknown): string {
  if (typeof json === "number") return doubleLiteral(json);
  if (typeof json === "string") return stringLiteral(json);
  if (Array.isArray(json)) return `[${json.map((item) => `dyn(${jsonLiteral(item)})`).join(", ")}]`;
  if (typeof json !== "object" || json === null) return String(json);
  const entries = Object.entries(json).map(
    ([key, item]) => `${stringLiteral(key)}: dyn(${jsonLiteral(item)})`,
  );
  return `{${entries.join(", ")}}`;
}

/** The value as a CEL expression. */
export function literal(value: SpecValue): string {
  if (value.listValue !== undefined) {
    return `[${(value.listValue.values ?? []).map((item) => `dyn(${literal(item)})`).join(", ")}]`;
  }
  if (value.mapValue !== undefined) {
    const entries = (value.mapValue.entries ?? []).map(
      (entry) => `dyn(${literal(entry.key)}): dyn(${literal(entry.value)})`,
    );
    return `{${entries.join(", ")}}`;
  }
  return messageLiteral(value) ?? scalar(value)[1];
}

/** A condition on the dynamic CEL expression `subject`: it is this value and of the same type all the way down. */
export function isExactly(subject: string, value: SpecValue, depth = 0): string {
  if (value.listValue !== undefined) {
    const items = value.listValue.values ?? [];
    const each = items.map((item, index) => isExactly(`dyn(${subject}[${index}])`, item, depth + 1));
    return [`type(${subject}) == list`, `size(${subject}) == ${items.length}`, ...each].join(" && ");
  }
  if (value.mapValue !== undefined) {
    const entries = value.mapValue.entries ?? [];
    const key = `key${depth}`;
    const each = entries.map((entry) => {
      const found = isExactly(`dyn(${key})`, entry.key, depth + 1);
      const held = isExactly(`dyn(${subject}[${key}])`, entry.value, depth + 1);
      return `${subject}.exists_one(${key}, ${found} && ${held})`;
    });
    return [`type(${subject}) == map`, `size(${subject}) == ${entries.length}`, ...each].join(" && ");
  }
  if (value.doubleValue === "NaN") return `(type(${subject}) == double && ${subject} != ${subject})`;
  const [type, text] = scalar(value);
  if (type === "double" && Object.is(value.doubleValue, -0)) {
    return `(type(${subject}) == double && 1.0 / ${subject} == -1.0 / 0.0)`;
  }
  return `(type(${subject}) == ${type} && ${subject} == ${text})`;
}

function doubleLiteral(value: number | "NaN" | "Infinity" | "-Infinity"): string {
  if (typeof value === "string") return `double(${JSON.stringify(value)})`;
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/u.test(text) ? text : `${text}.0`;
}

function stringLiteral(text: string): string {
  const escaped = Array.from(text, (point) => {
    const code = point.codePointAt(0) ?? 0;
    return code >= 0x20 && code < 0x7f && point !== '"' && point !== "\\"
      ? point
      : `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

function bytesLiteral(base64: string): string {
  const escaped = [...Buffer.from(base64, "base64")].map(
    (byte) => `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return `b"${escaped.join("")}"`;
}
