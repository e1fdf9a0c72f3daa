/**
 * Text of a test suite or fixture file as a tree in which every value knows its place. Merge keys and aliases are resolved
 * here, within bounds. It knows nothing of what the fields mean.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node as YamlNode, parseDocument } from "yaml";

/** 1-based line and column, the column in UTF-16 units. */
export interface SuitePlace {
  readonly line: number;
  readonly column: number;
}

export interface SuiteField {
  readonly keyPlace: SuitePlace;
  readonly node: SuiteNode;
}

export type SuiteScalar = string | number | bigint | boolean | null;

export type SuiteNode =
  | {
      readonly kind: "map";
      readonly place: SuitePlace;
      readonly fields: ReadonlyMap<string, SuiteField>;
      /** Whether it is written in braces. */
      readonly isFlow: boolean;
    }
  | { readonly kind: "list"; readonly place: SuitePlace; readonly items: readonly SuiteNode[] }
  | {
      readonly kind: "scalar";
      readonly place: SuitePlace;
      readonly value: SuiteScalar;
      /** As written, for fields that want text. */
      readonly text: string;
    };

/** What is wrong with a file; without a place when something is missing altogether. */
export interface SuiteProblem {
  readonly place: SuitePlace | null;
  readonly message: string;
}

/** Most values in a file, aliases counted as often as they are used. */
const MAX_NODES = 500_000;

/** Deepest nesting. */
const MAX_DEPTH = 64;

const SEVERAL = "more than one YAML document detected";
const NOT_A_MAP = "invalid document: contents are not valid YAML or JSON";

/** Parses a file whose root must be a map. An empty file is an empty map. */
export function parseSuiteText(text: string): {
  readonly root: SuiteNode & { readonly kind: "map" };
  readonly problems: readonly SuiteProblem[];
} {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: "1.2",
    uniqueKeys: false,
  });
  const empty = { kind: "map", place: { line: 1, column: 1 }, fields: new Map(), isFlow: false } as const;
  const at = (offset: number): SuitePlace => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    if (document.errors.some(({ code }) => code === "MULTIPLE_DOCS")) {
      return { root: empty, problems: [{ place: null, message: SEVERAL }] };
    }
    // What follows the first error is mostly its consequence.
    const problems = document.errors.slice(0, 1).map(({ pos, message }) => ({
      place: at(pos[0]),
      message: message.replaceAll(/\s*\n\s*/g, " "),
    }));
    return { root: empty, problems };
  }
  if (saysNothing(document)) return { root: empty, problems: [] };
  const builder = new TreeBuilder(document, at);
  const root = builder.build(document.contents, 0);
  if (builder.problem !== null) return { root: empty, problems: [builder.problem] };
  if (root.kind === "map") return { root, problems: [] };
  return { root: empty, problems: [{ place: root.place, message: NOT_A_MAP }] };
}

/** Whether a file holds nothing but blanks, comments and `---`: as a suite it counts as none. */
export function isBlank(text: string): boolean {
  // Most files are told by their first line that is no comment.
  if (/^[\w"'{[]/mu.test(text)) return false;
  return saysNothing(parseDocument(text, { prettyErrors: false, version: "1.2" }));
}

/** `null` and `~` are something. */
function saysNothing({ contents, errors }: ReturnType<typeof parseDocument>): boolean {
  if (errors.length > 0) return false;
  return (
    contents === null || (isScalar(contents) && contents.value === null && (contents.source ?? "") === "")
  );
}

class TreeBuilder {
  /** The first thing that makes the tree useless. */
  problem: SuiteProblem | null = null;
  #count = 0;
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #at: (offset: number) => SuitePlace;

  constructor(document: ReturnType<typeof parseDocument>, at: (offset: number) => SuitePlace) {
    this.#document = document;
    this.#at = at;
  }

  build(given: YamlNode | null, depth: number): SuiteNode {
    const node = isAlias(given) ? (given.resolve(this.#document) ?? null) : given;
    const place = this.#at(given?.range?.[0] ?? 0);
    if (++this.#count > MAX_NODES || depth > MAX_DEPTH) {
      this.problem ??= { place, message: "the file is too large or too deep" };
      return { kind: "scalar", place, value: null, text: "" };
    }
    if (isMap(node)) {
      return this.#map(node.items as readonly Pair[], place, depth, node.flow === true);
    }
    if (isSeq(node)) {
      return {
        kind: "list",
        place,
        items: node.items.map((item) => this.build(item as YamlNode | null, depth + 1)),
      };
    }
    const value = isScalar(node) ? (node.value as SuiteScalar) : null;
    const written = isScalar(node) && typeof node.source === "string" ? node.source : String(value);
    return { kind: "scalar", place, value, text: typeof value === "string" ? value : written };
  }

  #map(items: readonly Pair[], place: SuitePlace, depth: number, isFlow: boolean): SuiteNode {
    const own = new Map<string, SuiteField>();
    const merged: SuiteNode[] = [];
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value) : "";
      const node = this.build(value, depth + 1);
      if (name === "<<") merged.push(...(node.kind === "list" ? node.items : [node]));
      else {
        const keyPlace = this.#at(key?.range?.[0] ?? 0);
        const first = own.get(name)?.keyPlace;
        if (first !== undefined) {
          const message = `mapping key "${name}" already defined at [${first.line}:${first.column}]`;
          this.problem ??= { place: keyPlace, message };
        }
        own.set(name, { keyPlace, node });
      }
    }
    // Own keys win, then earlier merges; nothing is merged deeply.
    for (const source of merged) {
      if (source.kind !== "map") continue;
      for (const [name, field] of source.fields) if (!own.has(name)) own.set(name, field);
    }
    return { kind: "map", place, fields: own, isFlow };
  }
}

interface Pair {
  readonly key: YamlNode | null;
  readonly value: YamlNode | null;
}
