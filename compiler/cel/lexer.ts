/**
 * CEL text to tokens (cel-spec langdef, "Syntax"). One pass with sticky regular expressions, no backtracking over more
 * than one token. Reserved words are identifiers here; the parser refuses them where they matter.
 */
import type { CelConstant } from "./expression.ts";
import { MAX_TEXT_LENGTH } from "./limits.ts";
import type { CelCode, Problem } from "./problem.ts";
import { unescapeLiteral } from "./text-literals.ts";

export type Punctuation =
  | "=="
  | "!="
  | "<="
  | ">="
  | "&&"
  | "||"
  | "<"
  | ">"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "!"
  | "?"
  | ":"
  | "."
  | ","
  | "("
  | ")"
  | "["
  | "]"
  | "{"
  | "}";

/** `start` and `end` are offsets into the text, `end` exclusive. */
export type Token = { readonly start: number; readonly end: number } & (
  | { readonly kind: "identifier"; readonly name: string }
  /** A field name between backticks; `name` is without them. */
  | { readonly kind: "quoted"; readonly name: string }
  /** Digits as written, without the suffix `u`; whether they fit is known once the sign is. */
  | { readonly kind: "int" | "uint" | "double"; readonly digits: string }
  | { readonly kind: "text"; readonly value: CelConstant }
  | { readonly kind: Punctuation }
  | { readonly kind: "end" }
);

export type Lexed =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly problem: Problem };

const SKIPPED = /(?:[\t\n\f\r ]|\/\/[^\n]*)+/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /`([A-Za-z0-9_.\-/ ]+)`/y;
const NUMBER =
  /0x[0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?/y;
const PUNCTUATION: ReadonlySet<string> = new Set<Punctuation>([
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "<",
  ">",
  "+",
  "-",
  "*",
  "/",
  "%",
  "!",
  "?",
  ":",
  ".",
  ",",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
]);
const OPENING_QUOTE = /([bB]?[rR]?)("""|'''|"|')/y;

/** Tokens of `text`, ended by one of kind `end`, or the first problem. */
export function lex(text: string): Lexed {
  if (text.length > MAX_TEXT_LENGTH) {
    return fail("EDICT3009", { length: text.length, limit: MAX_TEXT_LENGTH }, 0, 1);
  }
  const surrogate = text.search(/\p{Surrogate}/u);
  if (surrogate !== -1) return fail("EDICT3011", {}, surrogate, surrogate + 1);
  const tokens: Token[] = [];
  let at = skip(text, 0);
  while (at < text.length) {
    const token = nextToken(text, at);
    if ("code" in token) return { ok: false, problem: token };
    tokens.push(token);
    at = skip(text, token.end);
  }
  tokens.push({ kind: "end", start: at, end: at });
  return { ok: true, tokens };
}

function fail(code: CelCode, params: Problem["params"], start: number, end: number): Lexed {
  return { ok: false, problem: { code, params, span: { start, end } } };
}

function skip(text: string, at: number): number {
  SKIPPED.lastIndex = at;
  return SKIPPED.test(text) ? SKIPPED.lastIndex : at;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function nextToken(text: string, start: number): Token | Problem {
  const quote = match(OPENING_QUOTE, text, start);
  if (quote !== null) return textToken(text, start, quote[1] ?? "", quote[2] ?? "");
  const name = match(IDENTIFIER, text, start);
  if (name !== null) return { kind: "identifier", name: name[0], start, end: start + name[0].length };
  const number = match(NUMBER, text, start);
  if (number !== null) return numberToken(number[0], start);
  const quoted = match(QUOTED, text, start);
  if (quoted !== null) {
    return { kind: "quoted", name: quoted[1] ?? "", start, end: start + quoted[0].length };
  }
  for (const length of [2, 1]) {
    const kind = text.slice(start, start + length);
    if (isPunctuation(kind)) return { kind, start, end: start + kind.length };
  }
  const found = String.fromCodePoint(text.codePointAt(start) ?? 0);
  return { code: "EDICT3003", params: { found }, span: { start, end: start + found.length } };
}

function isPunctuation(text: string): text is Punctuation {
  return PUNCTUATION.has(text);
}

function numberToken(written: string, start: number): Token {
  const end = start + written.length;
  if (/[uU]$/.test(written)) return { kind: "uint", digits: written.slice(0, -1), start, end };
  const isDouble = !written.startsWith("0x") && /[.eE]/.test(written);
  return { kind: isDouble ? "double" : "int", digits: written, start, end };
}

/**
 * STRING_LIT and BYTES_LIT: the closing quote is the first one that no backslash precedes (raw: simply the first).
 * A single-quoted literal ends at the line's end at the latest.
 */
function textToken(text: string, start: number, prefix: string, quote: string): Token | Problem {
  const contentStart = start + prefix.length + quote.length;
  const raw = /[rR]/.test(prefix);
  const contentEnd = closingQuote(text, contentStart, quote, raw);
  if (contentEnd === -1) {
    return { code: "EDICT3004", params: {}, span: { start, end: Math.min(text.length, contentStart) } };
  }
  const bytes = /[bB]/.test(prefix);
  const unescaped = unescapeLiteral(text.slice(contentStart, contentEnd), raw, bytes);
  if (!unescaped.ok) {
    const { escape, offset } = unescaped;
    const at = contentStart + offset;
    return { code: "EDICT3005", params: { escape }, span: { start: at, end: at + escape.length } };
  }
  return { kind: "text", value: unescaped.value, start, end: contentEnd + quote.length };
}

function closingQuote(text: string, from: number, quote: string, raw: boolean): number {
  const multiline = quote.length === 3;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === "\\" && !raw) at++;
    else if (char === quote[0] && text.startsWith(quote, at)) return at;
    else if (!multiline && (char === "\n" || char === "\r")) return -1;
  }
  return -1;
}
