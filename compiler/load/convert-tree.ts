/**
 * The YAML library's tree to ours: aliases and `<<` resolved, keys checked, unfolding and depth bounded. One converter
 * serves all documents of a file, so that their anchors share one space. Syntax errors are elsewhere (syntax-errors.ts).
 */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Alias,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Code, Params } from "../diagnostics/codes.ts";
import { LineIndex } from "./line-index.ts";
import {
  describeNode,
  type ListNode,
  type MapEntry,
  type MapNode,
  type Node,
  type ScalarNode,
} from "./node.ts";
import type { ParsedDocument, Problem } from "./parse-yaml.ts";
import { readPlain } from "./plain-scalar.ts";
import { childPath } from "./policy-document.ts";
import type { StringTable } from "./string-table.ts";

/** Levels of nesting in one document; real policies need about twenty. */
const MAX_DEPTH = 100;

/** Values that aliases and merges may add to those written, so that a small file cannot unfold into a huge policy. */
const MAX_UNFOLDED = 100_000;

/** Most problems reported for one file. */
const MAX_PROBLEMS = 50;

/** Tags that change nothing. `!has(x) && y` without quotes is a tag too, and must not be read as `y`. */
const SCALAR_TAGS = /^tag:yaml\.org,2002:(str|int|float|bool|null)$/;
const MAP_TAG = /^tag:yaml\.org,2002:map$/;
const LIST_TAG = /^tag:yaml\.org,2002:seq$/;

interface Anchor {
  readonly offset: number;
  /** Path of the anchored node. */
  readonly path: string;
  /** Absent while the anchored node itself is being converted. */
  node?: Node;
  /** Values in the anchored node, aliases unfolded. */
  size: number;
  /** Levels below the anchored node, aliases unfolded. */
  height: number;
}

interface Key {
  readonly text: string;
  readonly offset: number;
  readonly isMerge: boolean;
  readonly isString: boolean;
}

export class TreeConverter {
  readonly problems: Problem[] = [];
  private readonly text: string;
  private readonly strings: StringTable;
  private readonly anchors = new Map<string, Anchor>();
  /** Values converted so far, aliases unfolded. */
  private unfolded = 0;
  /** Values as written so far. */
  private written = 0;
  /** Deepest level reached so far in the anchored node being converted, aliases unfolded. */
  private deepest = 0;
  /** What stands in for aliases without an anchor, which are reported as such. */
  private readonly unresolved = new Set<Node>();
  private gaveUp = false;
  private lines: LineIndex | undefined;

  constructor(text: string, strings: StringTable) {
    this.text = text;
    this.strings = strings;
  }

  convert(document: ParsedDocument): Node {
    return this.node(document.contents, "$", 0, 0);
  }

  /** @param fallback offset used for values that are not written at all, as in `{a}` */
  private node(source: unknown, path: string, depth: number, fallback: number): Node {
    if (source === null || source === undefined || this.gaveUp) {
      return missingValue(fallback);
    }
    if (isAlias(source)) {
      return this.alias(source, path, depth);
    }
    this.unfolded++;
    this.written++;
    if (depth > MAX_DEPTH) {
      this.giveUp("EDICT1110", { limit: MAX_DEPTH }, offsetOf(source), path);
      return missingValue(fallback);
    }
    if (!isScalar(source) && !isMap(source) && !isSeq(source)) {
      return missingValue(fallback);
    }
    const kind = isScalar(source) ? SCALAR_TAGS : isMap(source) ? MAP_TAG : LIST_TAG;
    if (source.tag !== undefined && !kind.test(source.tag)) {
      this.report("EDICT1115", { tag: source.tag }, offsetOf(source), path, 1);
    }
    const anchor =
      source.anchor === undefined ? undefined : this.openAnchor(source.anchor, offsetOf(source), path);
    const before = this.unfolded - 1;
    const outerDeepest = this.deepest;
    this.deepest = depth;
    const node = isScalar(source)
      ? this.scalar(source)
      : isMap(source)
        ? this.map(source, path, depth)
        : this.list(source, path, depth);
    if (anchor !== undefined) {
      anchor.node = node;
      anchor.size = this.unfolded - before;
      anchor.height = this.deepest - depth;
    }
    this.deepest = Math.max(this.deepest, outerDeepest);
    return node;
  }

  private scalar(source: Scalar): ScalarNode {
    const offset = offsetOf(source);
    const written = typeof source.value === "string" ? source.value : "";
    if (source.type === "PLAIN") {
      const { value, text } = readPlain(written);
      const shared = this.strings.intern(text);
      return {
        kind: "scalar",
        value: value === text ? shared : value,
        text: shared,
        offset,
        contentOffset: offset,
      };
    }
    const text = this.strings.intern(this.lastLine(source, written));
    const contentOffset = this.contentOffset(source, offset, text);
    return { kind: "scalar", value: text, text, offset, contentOffset };
  }

  /** A block that ends with the file and without a line break has none at its end; the library adds one. */
  private lastLine(source: Scalar, value: string): string {
    const block = isBlock(source);
    const added =
      block && value.endsWith("\n") && !this.text.endsWith("\n") && source.range?.[1] === this.text.length;
    return added ? value.slice(0, -1) : value;
  }

  private contentOffset(source: Scalar, offset: number, value: string): number {
    if (source.type === "QUOTE_DOUBLE" || source.type === "QUOTE_SINGLE") {
      return offset + 1;
    }
    return isBlock(source) ? blockContentOffset(this.text, offset, value) : offset;
  }

  private list(source: YAMLSeq, path: string, depth: number): ListNode {
    const offset = offsetOf(source);
    const items = source.items.map((item, index) => this.node(item, `${path}[${index}]`, depth + 1, offset));
    return { kind: "list", items, offset };
  }

  private map(source: YAMLMap, path: string, depth: number): MapNode {
    const offset = offsetOf(source);
    const entries: MapEntry[] = [];
    const merges: MapNode[] = [];
    const seen = new Map<string, number>();
    for (const pair of source.items) {
      const key = this.key(pair, path);
      if (key === undefined) {
        continue;
      }
      const first = seen.get(key.text);
      if (first !== undefined) {
        const line = this.lineOf(first);
        this.report(
          "EDICT1106",
          { key: key.text, line },
          key.offset,
          childPath(path, key.text),
          key.text.length,
        );
        continue;
      }
      seen.set(key.text, key.offset);
      // YAML reads `{a:1}` as the key `a:1` without a value, Cerbos as the key `a`: it must mean neither silently.
      if (pair.value === null && /:\S/.test(key.text)) {
        this.report("EDICT1113", { text: key.text }, key.offset, childPath(path, key.text), key.text.length);
      }
      const value = this.node(pair.value, childPath(path, key.text), depth + 1, key.offset + key.text.length);
      if (key.isMerge) {
        this.collectMerges(value, childPath(path, key.text), merges);
      } else {
        entries.push({ key: key.text, keyOffset: key.offset, keyIsString: key.isString, value });
      }
    }
    for (const merged of merges) {
      for (const entry of merged.entries) {
        if (!seen.has(entry.key)) {
          seen.set(entry.key, entry.keyOffset);
          entries.push(entry);
        }
      }
    }
    return { kind: "map", entries, offset: source.flow === true ? offset : this.firstColon(source, offset) };
  }

  /** Offset of the colon after the first key of a map without braces: Cerbos names that as the map's place. */
  private firstColon(source: YAMLMap, start: number): number {
    const key = source.items[0]?.key;
    let at = isNode(key) ? (key.range?.[1] ?? start) : start;
    while (this.text[at] === " " || this.text[at] === "\t") {
      at++;
    }
    return this.text[at] === ":" ? at : start;
  }

  private key(pair: Pair, path: string): Key | undefined {
    const source = pair.key;
    if (isScalar(source)) {
      const node = this.scalar(source);
      const isMerge = source.type === "PLAIN" && node.text === "<<";
      if (source.anchor !== undefined) {
        const anchor = this.openAnchor(source.anchor, node.offset, path);
        anchor.node = node;
      }
      return { text: node.text, offset: node.offset, isMerge, isString: typeof node.value === "string" };
    }
    const node = isAlias(source) ? this.alias(source, path, 0) : undefined;
    if (node?.kind === "scalar") {
      const isString = typeof node.value === "string";
      return { text: node.text, offset: offsetOf(source), isMerge: false, isString };
    }
    const found = isMap(source) ? "a map" : isSeq(source) ? "a list" : "nothing";
    this.report("EDICT1111", { found }, offsetOf(source), path, 1);
    return undefined;
  }

  /** Merge sources in order of precedence: the first that has a key wins. */
  private collectMerges(value: Node, path: string, merges: MapNode[]): void {
    const sources = value.kind === "list" ? value.items : [value];
    for (const source of sources) {
      if (source.kind === "map") {
        merges.push(source);
      } else if (!this.gaveUp && !this.unresolved.has(source)) {
        this.report("EDICT1112", { found: describeNode(source) }, source.offset, path, 1);
      }
    }
  }

  private openAnchor(name: string, offset: number, path: string): Anchor {
    const first = this.anchors.get(name);
    if (first !== undefined) {
      const written = this.text.lastIndexOf(`&${name}`, offset);
      const line = this.lineOf(first.offset);
      this.report("EDICT1108", { name, line }, written === -1 ? offset : written, path, name.length + 1);
    }
    const anchor: Anchor = { offset, path, size: 1, height: 0 };
    this.anchors.set(name, anchor);
    return anchor;
  }

  private alias(source: Alias, path: string, depth: number): Node {
    const offset = offsetOf(source);
    const name = source.source;
    const anchor = this.anchors.get(name);
    if (anchor?.node === undefined) {
      this.report(anchor === undefined ? "EDICT1107" : "EDICT1114", { name }, offset, path, name.length + 1);
      const standIn = missingValue(offset);
      this.unresolved.add(standIn);
      return standIn;
    }
    this.written++;
    this.unfolded += anchor.size;
    this.deepest = Math.max(this.deepest, depth + anchor.height);
    if (this.deepest > MAX_DEPTH) {
      this.giveUp("EDICT1110", { limit: MAX_DEPTH }, offset, path);
    } else if (this.unfolded - this.written > MAX_UNFOLDED) {
      this.giveUp("EDICT1109", { limit: MAX_UNFOLDED }, offset, path);
    }
    return { ...anchor.node, alias: { offset, path: anchor.path } };
  }

  private report(code: Code, params: Params, offset: number, path: string, length: number): void {
    if (this.problems.length < MAX_PROBLEMS) {
      this.problems.push({ code, params, offset, path, length });
    }
  }

  private giveUp(code: Code, params: Params, offset: number, path: string): void {
    if (!this.gaveUp) {
      this.gaveUp = true;
      this.report(code, params, offset, path, 1);
    }
  }

  private lineOf(offset: number): number {
    this.lines ??= new LineIndex(this.text);
    return this.lines.position(offset).line;
  }
}

function missingValue(offset: number): ScalarNode {
  return { kind: "scalar", value: null, text: "", offset, contentOffset: offset };
}

function offsetOf(source: unknown): number {
  return isNode(source) ? (source.range?.[0] ?? 0) : 0;
}

function isBlock({ type }: Scalar): boolean {
  return type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED";
}

/** Offset of the first character of the first content line of a block scalar whose `|` or `>` is at `offset`. */
function blockContentOffset(text: string, offset: number, value: string): number {
  let lineStart = text.indexOf("\n", offset) + 1;
  while (lineStart > 0) {
    let at = lineStart;
    while (text[at] === " ") {
      at++;
    }
    const char = text[at];
    if (char !== "\n" && char !== "\r" && char !== undefined) {
      // Spaces beyond the block's own indentation belong to the value.
      const leading = /^(?:[ \t]*\n)*( *)/.exec(value)?.[1]?.length ?? 0;
      return Math.max(lineStart, at - leading);
    }
    lineStart = text.indexOf("\n", at) + 1;
  }
  return offset;
}
