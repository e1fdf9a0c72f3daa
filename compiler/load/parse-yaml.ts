/**
 * YAML or JSON text to node trees with offsets. The grammar is the library's (`yaml`, version 1.2); this
 * file mends the one layout it refuses, runs it and hands its tree to convert-tree.ts. It knows nothing of policies.
 */
import { parseAllDocuments, type Document } from "yaml";
import type { Code, Params } from "../diagnostics/codes.ts";
import { TreeConverter } from "./convert-tree.ts";
import type { Node } from "./node.ts";
import { StringTable } from "./string-table.ts";
import { explainSyntaxErrors } from "./syntax-errors.ts";

/** A problem at an offset, not yet tied to a file. */
export interface Problem {
  readonly code: Code;
  readonly params: Params;
  readonly offset: number;
  /** `$` where the place in the tree is not known, as in a syntax error. */
  readonly path: string;
  readonly length: number;
}

export interface ParsedYaml {
  /** One tree per document that holds anything; documents of comments only are left out. Empty after a syntax error. */
  readonly roots: readonly Node[];
  /** Offset at which each root starts; a map's own offset may be further right. */
  readonly starts: readonly number[];
  readonly problems: readonly Problem[];
}

/** Re-parsings to mend flow collections closed too far left; each costs a parse of the whole file. */
const MAX_MENDED_LINES = 32;

const OPTIONS = {
  // All scalars come as text; plain-scalar.ts says what they mean.
  schema: "failsafe",
  // Our own conversion checks keys, merges and aliases in linear time; the library's checks are quadratic.
  uniqueKeys: false,
  merge: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/** Parses a whole file. Never throws; deep nesting and every malformation are problems. */
export function parseYaml(text: string, strings = new StringTable()): ParsedYaml {
  let parsed = parseStream(text);
  let mended = text;
  for (let round = 0; round < MAX_MENDED_LINES; round++) {
    const next = joinEarlyFlowEnd(mended, parsed);
    if (next === undefined) {
      break;
    }
    mended = next;
    parsed = parseStream(mended);
  }
  const problems = explainSyntaxErrors(text, parsed);
  if (problems.length > 0) {
    return { roots: [], starts: [], problems };
  }
  const converter = new TreeConverter(text, strings);
  const roots: Node[] = [];
  const starts: number[] = [];
  for (const document of parsed) {
    if (holdsContent(document, text)) {
      roots.push(converter.convert(document));
      starts.push(document.contents?.range[0] ?? 0);
    }
  }
  return { roots, starts, problems: converter.problems };
}

export type ParsedDocument = Document.Parsed;

function parseStream(text: string): readonly ParsedDocument[] {
  const documents = parseAllDocuments(text, OPTIONS);
  return "empty" in documents ? [] : documents;
}

/** Whether a document is more than blanks and comments: those compose to an empty plain null. */
function holdsContent(document: ParsedDocument, text: string): boolean {
  const { contents } = document;
  if (contents === null) {
    return false;
  }
  const [start, end] = contents.range;
  return end > start && text.slice(start, end).trim() !== "";
}

/**
 * YAML wants the `]` or `}` of a flow collection indented like what it belongs to; policies in the wild close them
 * further left, and the library refuses. Joining that line to the one before it (same length, so that no offset moves)
 * makes it legal. Returns nothing when the first error is not of this kind.
 */
function joinEarlyFlowEnd(text: string, documents: readonly ParsedDocument[]): string | undefined {
  const error = documents.flatMap((document) => document.errors)[0];
  if (error?.code !== "BAD_INDENT" || !error.message.startsWith("Flow ")) {
    return undefined;
  }
  const lineStart = text.lastIndexOf("\n", error.pos[0] - 1) + 1;
  const closing = /^[ \t]*[\]}]/.test(text.slice(lineStart, lineStart + 200));
  const previous = text.slice(text.lastIndexOf("\n", lineStart - 2) + 1, Math.max(lineStart - 1, 0));
  // A comment at the end of the line before would swallow the bracket.
  if (lineStart === 0 || !closing || /(^|\s)#/.test(previous)) {
    return undefined;
  }
  return `${text.slice(0, lineStart - 1)} ${text.slice(lineStart)}`;
}
