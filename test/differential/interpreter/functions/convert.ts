/** Conversions `bool() bytes() double() duration() int() string() timestamp() uint()`, `type()` and `dyn()`. */
import { formatTimestamp } from "../plain-text.ts";
import {
  bool,
  double,
  duration,
  error,
  int,
  string,
  timestamp,
  typeName,
  uint,
  MAX_INT,
  MIN_INT,
  type Value,
} from "../values.ts";
import { formatValue } from "./format-value.ts";
import { parseDuration, parseTimestamp } from "./parse-time.ts";
import type { Family } from "./family.ts";

const TRUE_TEXTS = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE_TEXTS = new Set(["0", "f", "F", "false", "FALSE", "False"]);
const FLOAT_TEXT = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)$/iu;
/** `0x1.8p3`: hexadecimal digits and a power of two. */
const HEX_FLOAT = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/iu;

function cannot(value: Value, type: string): Value {
  return error(`type conversion error from '${typeName(value)}' to '${type}'`);
}

function toBool(value: Value): Value {
  if (value.kind === "bool") return value;
  if (value.kind === "string" && TRUE_TEXTS.has(value.value)) return bool(true);
  if (value.kind === "string" && FALSE_TEXTS.has(value.value)) return bool(false);
  return cannot(value, "bool");
}

function toDouble(value: Value): Value {
  if (value.kind === "double") return value;
  if (value.kind === "int" || value.kind === "uint") return double(Number(value.value));
  const parsed = value.kind === "string" ? parseFloatText(value.value) : undefined;
  return parsed === undefined ? cannot(value, "double") : double(parsed);
}

/** What Go's strconv.ParseFloat accepts: digits may be grouped with `_`. */
function parseFloatText(written: string): number | undefined {
  const text = written.replaceAll(/(?<=[\da-f])_(?=[\da-f])/giu, "");
  const hex = HEX_FLOAT.exec(text);
  if (hex !== null) {
    const [, sign = "", head = "", fraction = "", exponent = "0"] = hex;
    if (head + fraction === "") return undefined;
    return (
      (sign === "-" ? -1 : 1) * Number(`0x${head}${fraction}`) * 2 ** (Number(exponent) - 4 * fraction.length)
    );
  }
  if (!FLOAT_TEXT.test(text)) return undefined;
  const word = /^([+-]?)(inf|nan)/iu.exec(text);
  if (word?.[2]?.toLowerCase() === "nan") return Number.NaN;
  if (word !== null) return word[1] === "-" ? -Infinity : Infinity;
  const parsed = Number(text);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** A double to an integer: truncated, and strictly inside the range. */
function whole(value: number, low: number, high: number): bigint | undefined {
  return Number.isNaN(value) || value <= low || value >= high ? undefined : BigInt(Math.trunc(value));
}

function toInt(value: Value): Value {
  switch (value.kind) {
    case "int":
      return value;
    case "uint":
      return value.value > MAX_INT ? error("integer overflow") : int(value.value);
    case "double": {
      const parsed = whole(value.value, -(2 ** 63), 2 ** 63);
      return parsed === undefined ? error("integer overflow") : int(parsed);
    }
    case "string":
      return /^[+-]?\d+$/u.test(value.value) && inIntRange(value.value)
        ? int(BigInt(value.value))
        : cannot(value, "int");
    case "timestamp":
      return int(
        (value.nanos - (((value.nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n,
      );
    case "duration":
      return int(value.nanos);
    case "null":
    case "bool":
    case "bytes":
    case "list":
    case "map":
    case "message":
    case "type":
    case "optional":
    case "hierarchy":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "ip":
    case "cidr":
    case "error":
      return cannot(value, "int");
  }
}

function inIntRange(text: string): boolean {
  const parsed = BigInt(text.replace(/^\+/u, ""));
  return parsed >= MIN_INT && parsed <= MAX_INT;
}

function toUint(value: Value): Value {
  switch (value.kind) {
    case "uint":
      return value;
    case "int":
      return uint(value.value);
    case "double": {
      const parsed = value.value < 0 ? undefined : whole(value.value, -1, 2 ** 64);
      return parsed === undefined ? error("unsigned integer overflow") : uint(parsed);
    }
    case "string": {
      const parsed = /^\d+$/u.test(value.value) ? uint(BigInt(value.value)) : error("");
      return parsed.kind === "error" ? cannot(value, "uint") : parsed;
    }
    case "null":
    case "bool":
    case "bytes":
    case "list":
    case "map":
    case "message":
    case "timestamp":
    case "duration":
    case "type":
    case "optional":
    case "hierarchy":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "ip":
    case "cidr":
    case "error":
      return cannot(value, "uint");
  }
}

function toText(value: Value): Value {
  switch (value.kind) {
    case "string":
      return value;
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "duration":
    case "ip":
    case "cidr":
      return string(formatValue(value));
    case "timestamp":
      return string(formatTimestamp(value.nanos, value.offset));
    case "bytes":
      try {
        return string(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value.value));
      } catch {
        return error("invalid UTF-8 in bytes, cannot convert to string");
      }
    case "null":
    case "list":
    case "map":
    case "message":
    case "type":
    case "optional":
    case "hierarchy":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "error":
      return cannot(value, "string");
  }
}

export const CONVERSION: Family<
  | "toBool"
  | "toBytes"
  | "toDouble"
  | "toDuration"
  | "toInt"
  | "toText"
  | "toTimestamp"
  | "toUint"
  | "typeOf"
  | "toDyn"
> = {
  toBool,
  toBytes: (value) => {
    if (value.kind === "bytes") return value;
    return value.kind === "string"
      ? { kind: "bytes", value: Buffer.from(value.value) }
      : cannot(value, "bytes");
  },
  toDouble,
  toDuration: (value) => {
    if (value.kind === "duration") return value;
    const parsed = value.kind === "string" ? parseDuration(value.value) : undefined;
    return parsed === undefined ? cannot(value, "google.protobuf.Duration") : duration(parsed);
  },
  toInt,
  toText,
  toTimestamp: (value) => {
    if (value.kind === "timestamp") return value;
    if (value.kind === "int") return timestamp(value.value * 1_000_000_000n);
    const parsed = value.kind === "string" ? parseTimestamp(value.value) : undefined;
    if (parsed === undefined) return cannot(value, "google.protobuf.Timestamp");
    return timestamp(parsed.nanos, parsed.offset);
  },
  toUint,
  typeOf: (value) => ({ kind: "type", name: typeName(value) }),
  toDyn: (value) => value,
};
