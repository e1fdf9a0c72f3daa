/**
 * The YAML library's errors in our words, at the place where the author made the mistake: an unclosed quote is reported
 * where the string starts, and of a cascade on one line only the first is kept.
 */
import { isMap, isPair, isScalar, isSeq, type Scalar, type YAMLParseError } from "yaml";
import { LineIndex } from "./line-index.ts";
import type { ParsedDocument, Problem } from "./parse-yaml.ts";

/** Syntax errors shown for one file: after a few, the rest are consequences. */
const MAX_ERRORS = 10;

/** Errors of the library that are looked at: a hostile file can cause one per character. */
const MAX_EXAMINED = 100;

/** Problem and advice for the library's error codes that need more than their own words. */
const EXPLANATIONS: Readonly<Record<string, readonly [problem: string, advice: string]>> = {
  BAD_ALIAS: ["malformed alias", "an alias is `*` and the name of an anchor, and nothing else"],
  BAD_DIRECTIVE: ["malformed directive", "remove the line that starts with `%`"],
  BAD_DQ_ESCAPE: [
    "unknown escape in a double-quoted string",
    "write `\\\\` for a backslash, or use single quotes",
  ],
  BAD_INDENT: ["wrong indentation", "line the entries of a map or list up in one column, and close brackets"],
  BAD_PROP_ORDER: ["tag or anchor in the wrong place", "put tags and anchors directly before the value"],
  BAD_SCALAR_START: ["plain text cannot start with this character", "quote the value"],
  BLOCK_AS_IMPLICIT_KEY: [
    "a map cannot start on the line of its key",
    "start it on the next line, or quote the text if `: ` is part of it",
  ],
  BLOCK_IN_FLOW: ["indented block inside brackets", "use brackets inside brackets"],
  MULTILINE_IMPLICIT_KEY: [
    "expected `key: value`",
    "a colon and a space are missing here, or the indentation is wrong",
  ],
  TAB_AS_INDENT: ["tab used as indentation", "indent with spaces"],
  MULTIPLE_ANCHORS: ["more than one anchor on a value", "keep one anchor"],
  MULTIPLE_TAGS: ["more than one tag on a value", "keep one tag"],
  MISSING_CHAR: [
    "something is missing here",
    "close brackets, separate entries with commas, follow keys with `: `",
  ],
  KEY_OVER_1024_CHARS: ["key is longer than 1024 characters", "shorten the key"],
};

/** Every syntax error of a parsed stream, at most one per line; empty when the text is valid. */
export function explainSyntaxErrors(text: string, documents: readonly ParsedDocument[]): readonly Problem[] {
  if (documents.every((document) => document.errors.length === 0)) {
    return [];
  }
  const lines = new LineIndex(text);
  const seen = new Set<number>();
  const problems: Problem[] = [];
  for (const document of documents) {
    for (const error of document.errors.slice(0, MAX_EXAMINED)) {
      const problem = explain(error, document, text);
      const { line } = lines.position(problem.offset);
      if (!seen.has(line) && problems.length < MAX_ERRORS) {
        seen.add(line);
        problems.push(problem);
      }
    }
  }
  return problems;
}

function explain(error: YAMLParseError, document: ParsedDocument, text: string): Problem {
  const at = error.pos[0];
  const base = { offset: at, path: "$", length: 1 };
  if (error.message.startsWith("Maximum call stack")) {
    return { ...base, code: "EDICT1110", params: { limit: 100 } };
  }
  if (/^Missing closing .quote/.test(error.message)) {
    const start = quotedScalarBefore(document, at)?.range?.[0] ?? at;
    return {
      ...base,
      code: "EDICT1102",
      params: { quote: text[start] === "'" ? "`'`" : '`"`' },
      offset: start,
    };
  }
  if (error.code === "UNEXPECTED_TOKEN") {
    const scalar = quotedScalarBefore(document, at);
    if (scalar?.range && text.slice(scalar.range[1], at).trim() === "") {
      return { ...base, code: "EDICT1103", params: {}, offset: scalar.range[0] };
    }
  }
  // An error at the start of a line is about what stands there, not about the blanks before it.
  const blanks = text[at - 1] === "\n" ? (/^ +(?=\S)/.exec(text.slice(at, at + 200))?.[0].length ?? 0) : 0;
  return { ...base, code: "EDICT1101", params: describe(error), offset: at + blanks };
}

function describe(error: YAMLParseError): { problem: string; advice: string } {
  if (error.message.startsWith("Implicit map keys need")) {
    const [problem, advice] = EXPLANATIONS["MULTILINE_IMPLICIT_KEY"] ?? ["", ""];
    return { problem, advice };
  }
  const [problem, advice] = EXPLANATIONS[error.code] ?? [
    "",
    "check the indentation, quotes and brackets here",
  ];
  return { problem: problem || lowerFirst(error.message), advice };
}

function lowerFirst(message: string): string {
  const line = message.split("\n")[0] ?? "";
  return line.slice(0, 1).toLowerCase() + line.slice(1).replace(/\.$/, "");
}

/** The last quoted scalar that ends at or before an offset. Walks with its own stack: the tree may be deep. */
function quotedScalarBefore(document: ParsedDocument, offset: number): Scalar | undefined {
  let found: Scalar | undefined;
  const pending: unknown[] = [document.contents];
  while (pending.length > 0) {
    const node = pending.pop();
    if (isPair(node)) {
      pending.push(node.key, node.value);
    } else if (isMap(node) || isSeq(node)) {
      for (const item of node.items) {
        pending.push(item);
      }
    } else if (isScalar(node) && (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE")) {
      const end = node.range?.[1] ?? Infinity;
      if (end <= offset && end >= (found?.range?.[1] ?? 0)) {
        found = node;
      }
    }
  }
  return found;
}
