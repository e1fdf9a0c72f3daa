/**
 * CEL values of the reference interpreter: one tagged union of plain objects, errors included. Holds the constructors,
 * conversions from and to JSON, equality and ordering (cel-spec langdef, "Values" and "Equality"); what operators and
 * functions do with values is in functions/. Nothing here is fast, and nothing is shared with the guest.
 */
import type { CelConstant } from "../../../compiler/cel/expression.ts";
import type { JsonValue } from "../../../compiler/policy/policy-set.ts";
import { formatDuration, formatTimestamp } from "./plain-text.ts";

export type Value =
  | { readonly kind: "null" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "uint"; readonly value: bigint }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "map"; readonly entries: readonly MapEntry[] }
  /** A part of the request (`P`, `R`, `request`...): fields not given read as their default but are absent for `has`. */
  | { readonly kind: "message"; readonly name: string; readonly fields: readonly MessageField[] }
  /** Nanoseconds since 1970-01-01T00:00:00Z; `offset` is the zone it is shown in, minutes east of UTC, 0 when left out. */
  | { readonly kind: "timestamp"; readonly nanos: bigint; readonly offset?: number }
  | { readonly kind: "duration"; readonly nanos: bigint }
  | { readonly kind: "type"; readonly name: string }
  | { readonly kind: "optional"; readonly value: Value | undefined }
  | { readonly kind: "hierarchy"; readonly parts: readonly string[] }
  | SpiffeId
  | SpiffeTrustDomain
  | { readonly kind: "spiffeMatcher"; readonly matches: (id: SpiffeId) => boolean }
  /** 4 and 32 bits, or 6 and 128. */
  | { readonly kind: "ip"; readonly bits: 32 | 128; readonly address: bigint }
  | { readonly kind: "cidr"; readonly bits: 32 | 128; readonly address: bigint; readonly prefix: number }
  | CelError;

export interface SpiffeId {
  readonly kind: "spiffeID";
  readonly domain: string;
  /** Empty, or from the slash on. */
  readonly path: string;
}

export interface SpiffeTrustDomain {
  readonly kind: "spiffeTrustDomain";
  readonly name: string;
}

export interface CelError {
  readonly kind: "error";
  readonly message: string;
}

export interface MapEntry {
  readonly key: Value;
  readonly value: Value;
}

export interface MessageField {
  readonly name: string;
  /** Other spelling that expressions accept, e.g. `policy_version`. */
  readonly alias?: string;
  readonly value: Value;
  readonly set: boolean;
}

export const NULL: Value = { kind: "null" };
export const TRUE: Value = { kind: "bool", value: true };
export const FALSE: Value = { kind: "bool", value: false };
export const NONE_OPTIONAL: Value = { kind: "optional", value: undefined };

export const MAX_INT = 2n ** 63n - 1n;
export const MIN_INT = -(2n ** 63n);
export const MAX_UINT = 2n ** 64n - 1n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** 0001-01-01T00:00:00Z and the end of 9999-12-31, the range of google.protobuf.Timestamp. */
export const MIN_TIMESTAMP = -62135596800n * 1_000_000_000n;
export const MAX_TIMESTAMP = 253402300799n * 1_000_000_000n + 999_999_999n;

export function bool(value: boolean): Value {
  return value ? TRUE : FALSE;
}

export function string(value: string): Value {
  return { kind: "string", value };
}

export function double(value: number): Value {
  return { kind: "double", value };
}

export function list(items: readonly Value[]): Value {
  return { kind: "list", items };
}

export function error(message: string): CelError {
  return { kind: "error", message };
}

export function noSuchOverload(): CelError {
  return error("no such overload");
}

export function noSuchKey(key: string): CelError {
  return error(`no such key: ${key}`);
}

export function int(value: bigint): Value {
  return value < MIN_INT || value > MAX_INT ? error("integer overflow") : { kind: "int", value };
}

export function uint(value: bigint): Value {
  return value < 0n || value > MAX_UINT ? error("unsigned integer overflow") : { kind: "uint", value };
}

export function timestamp(nanos: bigint, offset = 0): Value {
  return nanos < MIN_TIMESTAMP || nanos > MAX_TIMESTAMP
    ? error("timestamp overflow")
    : { kind: "timestamp", nanos, offset };
}

export function duration(nanos: bigint): Value {
  return nanos < MIN_INT || nanos > MAX_INT ? error("duration overflow") : { kind: "duration", nanos };
}

/** A JSON value as CEL sees it: every number a double, every object a map with string keys. */
export function fromJson(json: JsonValue): Value {
  if (json === null) return NULL;
  if (typeof json === "boolean") return bool(json);
  if (typeof json === "number") return double(json);
  if (typeof json === "string") return string(json);
  if (Array.isArray(json)) return list(json.map(fromJson));
  return {
    kind: "map",
    entries: Object.entries(json).map(([key, value]) => ({ key: string(key), value: fromJson(value) })),
  };
}

/** As `fromJson`, but whole numbers are ints, beyond those uints, as Cerbos reads its configuration. */
export function fromGlobals(json: JsonValue): Value {
  if (typeof json === "number" && Number.isInteger(json)) {
    const whole = BigInt(json);
    if (whole >= MIN_INT && whole <= MAX_INT) return { kind: "int", value: whole };
    return whole > 0n && whole <= MAX_UINT ? { kind: "uint", value: whole } : double(json);
  }
  if (typeof json !== "object" || json === null) return fromJson(json);
  if (Array.isArray(json)) return list(json.map(fromGlobals));
  return {
    kind: "map",
    entries: Object.entries(json).map(([key, value]) => ({ key: string(key), value: fromGlobals(value) })),
  };
}

export function fromConstant(constant: CelConstant): Value {
  return constant;
}

/** CEL's type name of a value, as `type(x)` and messages show it. */
export function typeName(value: Value): string {
  switch (value.kind) {
    case "null":
      return "null_type";
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "duration":
      return "google.protobuf.Duration";
    case "optional":
      return "optional_type";
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "hierarchy":
      return `cerbos.lib.${value.kind}`;
    case "message":
      return value.name;
    case "ip":
      return "net.IP";
    case "cidr":
      return "net.CIDR";
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "string":
    case "bytes":
    case "list":
    case "map":
    case "type":
    case "error":
      return value.kind;
  }
}

export function isNumber(value: Value): value is Value & { kind: "int" | "uint" | "double" } {
  return value.kind === "int" || value.kind === "uint" || value.kind === "double";
}

/**
 * Numeric order across int, uint and double; undefined when a NaN takes part. As in cel-go an integer beside a double
 * is compared as the nearest double, so 9007199254740993 equals 9007199254740992.0.
 */
export function compareNumbers(
  left: Value & { kind: "int" | "uint" | "double" },
  right: Value & { kind: "int" | "uint" | "double" },
): number | undefined {
  const mixed = left.kind === "double" || right.kind === "double";
  const [a, b] = mixed ? [Number(left.value), Number(right.value)] : [left.value, right.value];
  if (Number.isNaN(a) || Number.isNaN(b)) return undefined;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether two values that are not errors are equal in CEL. */
export function equal(left: Value, right: Value): boolean {
  return equality(left, right) === true;
}

/**
 * CEL equality of two values that are not errors: numbers across types, other mixes are unequal. As in Cerbos, values of some of
 * its own types on the left refuse other types (undefined), and SPIFFE values are equal to strings that name them.
 */
export function equality(left: Value, right: Value): boolean | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  if (left.kind !== right.kind) return equalityOfKinds(left, right);
  switch (left.kind) {
    case "null":
      return true;
    case "bool":
    case "string":
      return right.kind === left.kind && left.value === right.value;
    case "bytes":
      return right.kind === "bytes" && Buffer.compare(left.value, right.value) === 0;
    case "timestamp":
    case "duration":
      return right.kind === left.kind && left.nanos === right.nanos;
    case "type":
      return right.kind === "type" && left.name === right.name;
    case "list":
      return right.kind === "list" && equalItems(left.items, right.items);
    case "map":
      return right.kind === "map" && equalEntries(left.entries, right.entries);
    case "message":
      return right.kind === "message" && left.name === right.name && equalFields(left.fields, right.fields);
    case "optional":
      if (right.kind !== "optional") return false;
      if (left.value === undefined || right.value === undefined) return left.value === right.value;
      return equality(left.value, right.value);
    case "spiffeID":
      return right.kind === "spiffeID" && left.domain === right.domain && left.path === right.path;
    case "spiffeTrustDomain":
      return right.kind === "spiffeTrustDomain" && left.name === right.name;
    case "spiffeMatcher":
      return false;
    case "hierarchy":
      return right.kind === "hierarchy" && left.parts.join("\u0000") === right.parts.join("\u0000");
    case "ip":
      return right.kind === "ip" && left.bits === right.bits && left.address === right.address;
    case "cidr":
      return (
        right.kind === "cidr" &&
        left.bits === right.bits &&
        left.address === right.address &&
        left.prefix === right.prefix
      );
    case "int":
    case "uint":
    case "double":
    case "error":
      return false;
  }
}

function equalityOfKinds(left: Value, right: Value): boolean | undefined {
  if (right.kind === "null") return false;
  if (left.kind === "hierarchy") return undefined;
  if (left.kind === "spiffeID") {
    return right.kind === "string" ? `spiffe://${left.domain}${left.path}` === right.value : undefined;
  }
  if (left.kind === "spiffeTrustDomain") {
    return right.kind === "string" ? spiffeDomainIn(right.value) === left.name : undefined;
  }
  return false;
}

const SPIFFE_DOMAIN = /^[a-z\d._-]+$/u;

/** The trust domain that a text names, itself or as part of an ID; undefined when it does neither. */
export function spiffeDomainIn(text: string): string | undefined {
  if (text.includes(":/")) return spiffeIdIn(text)?.domain;
  return SPIFFE_DOMAIN.test(text) ? text : undefined;
}

/** The SPIFFE ID that a text is, or undefined. */
export function spiffeIdIn(text: string): SpiffeId | undefined {
  const [, domain, path = ""] = /^spiffe:\/\/([^/]+)(\/[^]*)?$/u.exec(text) ?? [];
  if (domain === undefined || !SPIFFE_DOMAIN.test(domain)) return undefined;
  const segments = path.split("/").slice(1);
  const valid = segments.every((name) => /^[\w.-]+$/u.test(name) && name !== "." && name !== "..");
  return valid ? { kind: "spiffeID", domain, path } : undefined;
}

function equalItems(left: readonly Value[], right: readonly Value[]): boolean {
  return (
    left.length === right.length &&
    left.every((item, index) => equality(item, right[index] ?? NULL) !== false)
  );
}

function equalEntries(left: readonly MapEntry[], right: readonly MapEntry[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((entry) => {
    const other = findEntry(right, entry.key);
    return other !== undefined && equality(entry.value, other.value) !== false;
  });
}

function equalFields(left: readonly MessageField[], right: readonly MessageField[]): boolean {
  return left.every((field, index) => {
    const other = right[index];
    return other !== undefined && field.set === other.set && equal(field.value, other.value);
  });
}

/**
 * The entry of a map that `key` finds: the one of that type, else an int of exactly that value, else such a uint. A double
 * among the entries is found by that double only.
 */
export function findEntry(entries: readonly MapEntry[], key: Value): MapEntry | undefined {
  const whole = wholeNumber(key);
  const ofKind = (kind: "int" | "uint"): MapEntry | undefined =>
    entries.find((entry) => entry.key.kind === kind && entry.key.value === whole);
  return findSameKey(entries, key) ?? (whole === undefined ? undefined : (ofKind("int") ?? ofKind("uint")));
}

/** As in cel-go, no double stands for the smallest int. */
function wholeNumber(key: Value): bigint | undefined {
  if (key.kind === "int" || key.kind === "uint") return key.value;
  if (key.kind !== "double" || !Number.isInteger(key.value)) return undefined;
  return key.value > -(2 ** 63) ? BigInt(key.value) : undefined;
}

/** The entry with the same key, where `1`, `1u` and `1.0` are three keys. */
export function findSameKey(entries: readonly MapEntry[], key: Value): MapEntry | undefined {
  return entries.find((entry) => entry.key.kind === key.kind && isSameKey(entry.key, key));
}

/** Go compares keys by identity where they are pointers: no such key is ever found, and zones are one only for whole hours. */
function isSameKey(one: Value, other: Value): boolean {
  if (["list", "map", "message", "optional"].includes(one.kind)) return false;
  if (one.kind === "timestamp" && other.kind === "timestamp") {
    const { offset = 0 } = one;
    const isShared = offset % 60 === 0 && offset >= -12 * 60 && offset <= 14 * 60;
    if (!isShared || (other.offset ?? 0) !== offset) return false;
  }
  return equal(one, other);
}

const HAVE_ORDER: ReadonlySet<Value["kind"]> = new Set([
  "bool",
  "string",
  "bytes",
  "timestamp",
  "duration",
  "spiffeTrustDomain",
] as const);

function isNaN(value: Value): boolean {
  return value.kind === "double" && Number.isNaN(value.value);
}

/** Order of two values of one comparable type, or of two numbers; an error where CEL has no such overload. */
export function compare(left: Value, right: Value): number | CelError | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  // NaN is looked for before the types are.
  if (isNaN(left) && right.kind !== "error") return undefined;
  if (isNaN(right) && HAVE_ORDER.has(left.kind)) return undefined;
  if (left.kind === "spiffeTrustDomain") {
    // Cerbos orders them backwards.
    const other = right.kind === "spiffeTrustDomain" ? right.name : undefined;
    const name = right.kind === "string" ? spiffeDomainIn(right.value) : other;
    return name === undefined ? noSuchOverload() : Buffer.compare(Buffer.from(name), Buffer.from(left.name));
  }
  if (left.kind === "bool" && right.kind === "bool") return Number(left.value) - Number(right.value);
  if (left.kind === "string" && right.kind === "string") {
    return Buffer.compare(Buffer.from(left.value), Buffer.from(right.value));
  }
  if (left.kind === "bytes" && right.kind === "bytes") return Buffer.compare(left.value, right.value);
  if (
    (left.kind === "timestamp" && right.kind === "timestamp") ||
    (left.kind === "duration" && right.kind === "duration")
  ) {
    return left.nanos < right.nanos ? -1 : left.nanos > right.nanos ? 1 : 0;
  }
  return noSuchOverload();
}

/** What an output shows: a JSON value, or why there is none (COMPAT.md sections 5.5 and 7.2). */
export type Shown = { readonly json: JsonValue } | { readonly error: string };

/** Infinities and NaN have none. */
export const NO_JSON_FORM = "infinities and NaN have no JSON form";

/** Converts a value for an output entry. */
export function toJson(value: Value): Shown {
  switch (value.kind) {
    case "null":
      return { json: null };
    case "bool":
    case "string":
      return { json: value.value };
    case "double":
      // The binary fails the whole call here (COMPAT.md 6.3).
      return Number.isFinite(value.value) ? { json: value.value } : { error: NO_JSON_FORM };
    case "int":
    case "uint":
      return {
        json: value.value > MAX_SAFE || value.value < -MAX_SAFE ? String(value.value) : Number(value.value),
      };
    case "bytes":
      return { json: Buffer.from(value.value).toString("base64") };
    case "timestamp":
      return { json: formatTimestamp(value.nanos, value.offset) };
    case "duration":
      return { json: formatDuration(value.nanos) };
    case "list":
      return listToJson(value.items);
    case "map":
      return entriesToJson(value.entries);
    case "message":
      return entriesToJson(
        value.fields
          .filter((field) => field.set)
          .map((field) => ({ key: string(field.name), value: field.value })),
      );
    case "optional":
      return value.value === undefined ? { error: "optional.none() dereference" } : toJson(value.value);
    case "type":
      return { error: "type conversion not supported for 'type'" };
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
      return { error: `unsupported native conversion from ${typeName(value)} to '*structpb.Value'` };
    case "hierarchy":
      return { error: "unsupported native conversion from hierarchy to '*structpb.Value'" };
    case "ip":
    case "cidr":
      return { error: "unsupported type conversion to '*structpb.Value'" };
    case "error":
      return { error: value.message };
  }
}

function listToJson(items: readonly Value[]): Shown {
  const json: JsonValue[] = [];
  for (const item of items) {
    const shown = toJson(item);
    if ("error" in shown) return shown;
    json.push(shown.json);
  }
  return { json };
}

function entriesToJson(entries: readonly MapEntry[]): Shown {
  const json: [string, JsonValue][] = [];
  for (const { key, value } of entries) {
    if (key.kind === "bool") return { error: "type conversion error from bool to 'string'" };
    if (key.kind !== "string")
      return { error: `unsupported type conversion from '${typeName(key)}' to string` };
    const shown = toJson(value);
    if ("error" in shown) return shown;
    json.push([key.value, shown.json]);
  }
  return { json: Object.fromEntries(json) };
}
