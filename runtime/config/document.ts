/**
 * Configuration text (YAML or JSON) and `--set` overrides as one tree in which every value knows its place. It
 * expands environment variables and resolves scalars, and knows nothing of what the keys mean.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node as YamlNode,
  parse,
  parseDocument,
  Scalar,
} from "yaml";
import type { ConfigProblem } from "../errors.ts";
import { expand } from "./expand.ts";

/** Where a value stands. */
export interface ConfigPlace {
  /** The file's name, or `--set`. */
  readonly source: string;
  /** 1-based; 0 for `--set`. */
  readonly line: number;
  readonly column: number;
}

export type ConfigNode =
  | { readonly kind: "map"; readonly place: ConfigPlace; readonly entries: Map<string, ConfigEntry> }
  | { readonly kind: "list"; readonly place: ConfigPlace; readonly items: readonly ConfigNode[] }
  | {
      readonly kind: "scalar";
      readonly place: ConfigPlace;
      /** A bigint is a whole number that no double has. */
      readonly value: string | number | bigint | boolean | null;
    };

/** A value and the place of its key. */
export interface ConfigEntry {
  readonly keyPlace: ConfigPlace;
  node: ConfigNode;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Most values in a configuration; anchors could multiply them without end. */
const MAX_NODES = 10_000;

/** Deepest nesting. */
const MAX_DEPTH = 32;

/** An empty tree, to which overrides can be added. */
export function emptyMap(source: string): ConfigNode & { kind: "map" } {
  return { kind: "map", place: { source, line: 0, column: 0 }, entries: new Map() };
}

/** Parses a file's text. An empty document is an empty map. Problems are added to `problems`. */
export function parseConfigText(
  text: string,
  source: string,
  environment: Environment,
  problems: ConfigProblem[],
): ConfigNode & { kind: "map" } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.push({ message: error.message.replaceAll(/\s*\n\s*/g, " "), source, line, column: col });
  }
  if (problems.length > 0 || document.contents === null) return emptyMap(source);

  let count = 0;
  const placeOf = (node: YamlNode | null): ConfigPlace => {
    const { line, col } = lines.linePos(node?.range?.[0] ?? 0);
    return { source, line, column: col };
  };
  const convert = (given: YamlNode | null, depth: number): ConfigNode => {
    const node = isAlias(given) ? (given.resolve(document) ?? null) : given;
    const place = placeOf(given);
    if (++count > MAX_NODES || depth > MAX_DEPTH) {
      if (count <= MAX_NODES + 1)
        problems.push({ message: "the configuration is too large or too deep", ...place });
      count = Math.max(count, MAX_NODES + 1);
      return { kind: "scalar", place, value: null };
    }
    if (isMap(node)) {
      const entries = new Map<string, ConfigEntry>();
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : "?";
        const keyPlace = placeOf(pair.key as YamlNode | null);
        entries.set(key, { keyPlace, node: convert(pair.value as YamlNode | null, depth + 1) });
      }
      return { kind: "map", place, entries };
    }
    if (isSeq(node)) {
      return {
        kind: "list",
        place,
        items: node.items.map((item) => convert(item as YamlNode | null, depth + 1)),
      };
    }
    return { kind: "scalar", place, value: scalarValue(node, place, environment, problems) };
  };

  const root = convert(document.contents, 0);
  if (root.kind === "map") return root;
  if (root.kind !== "scalar" || root.value !== null) {
    problems.push({ message: "the configuration is not a map", ...root.place });
  }
  return emptyMap(source);
}

/** Adds one `--set path=value` to the tree, replacing what stands at the path. */
export function applyOverride(
  root: ConfigNode & { kind: "map" },
  override: string,
  environment: Environment,
  problems: ConfigProblem[],
): void {
  const place: ConfigPlace = { source: "--set", line: 0, column: 0 };
  const equals = override.indexOf("=");
  const path = equals < 0 ? [] : override.slice(0, equals).split(".");
  if (path.length === 0 || path.some((key) => key === "")) {
    problems.push({ message: `\`${override}\` is not of the form a.b=value`, ...place });
    return;
  }
  const found: ConfigProblem[] = [];
  const parsed = parseConfigText(`value: ${override.slice(equals + 1)}`, "--set", environment, found);
  for (const problem of found) problems.push({ ...problem, line: 0, column: 0 });

  let map = root;
  for (const key of path.slice(0, -1)) {
    const existing = map.entries.get(key)?.node;
    const inner = existing?.kind === "map" ? existing : emptyMap("--set");
    if (existing !== inner) map.entries.set(key, { keyPlace: place, node: inner });
    map = inner;
  }
  const node = parsed.entries.get("value")?.node ?? { kind: "scalar", place, value: null };
  map.entries.set(path.at(-1) ?? "", { keyPlace: place, node: withPlace(node, place) });
}

/** Overrides have no lines worth showing. */
function withPlace(node: ConfigNode, place: ConfigPlace): ConfigNode {
  return { ...node, place };
}

/** The JSON value of a tree. */
export function toJson(node: ConfigNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toJson);
    case "map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toJson(entry.node)]));
  }
}

/** A scalar with its variables expanded. An unquoted one is resolved again afterwards, so `${PORT}` can be a number. */
function scalarValue(
  node: YamlNode | null,
  place: ConfigPlace,
  environment: Environment,
  problems: ConfigProblem[],
): string | number | bigint | boolean | null {
  const value: unknown = isScalar(node) ? node.value : null;
  if (isScalar(node) && typeof value === "number" && !Number.isSafeInteger(value)) {
    const { source = "" } = node;
    return /^[+-]?\d+$/.test(source) ? BigInt(source.replace(/^\+/, "")) : value;
  }
  if (typeof value !== "string") return isPrimitive(value) ? value : null;
  if (!value.includes("$")) return value;
  const expanded = expand(value, environment);
  if ("problem" in expanded) {
    problems.push({ message: expanded.problem, ...place });
    return null;
  }
  if (!isScalar(node) || node.type !== Scalar.PLAIN) return expanded.value;
  return resolvePlain(expanded.value);
}

/** What YAML makes of plain text, as long as that is a scalar; anything with structure stays text. */
function resolvePlain(text: string): string | number | boolean | null {
  try {
    const value: unknown = parse(text, { logLevel: "silent" });
    return isPrimitive(value) ? value : text;
  } catch {
    return text;
  }
}

function isPrimitive(value: unknown): value is string | number | boolean | null {
  return (
    value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
  );
}
