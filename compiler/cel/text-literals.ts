/**
 * The values of string and bytes literals (cel-spec langdef, "String and Bytes Values"): escapes and newline
 * normalisation. Finding where a literal ends is the lexer's work.
 */
import type { CelConstant } from "./expression.ts";

/** A literal's value, or the escape that is wrong and its offset in the content. */
export type Unescaped =
  | { readonly ok: true; readonly value: CelConstant }
  | { readonly ok: false; readonly escape: string; readonly offset: number };

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "?": "?",
  '"': '"',
  "'": "'",
  "`": "`",
};

/** Digits after `\x`, `\u` and `\U`. */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

const OCTAL = /[0-3][0-7]{2}/y;

interface Escape {
  readonly length: number;
  readonly codePoint: number;
  /** `\u` and `\U` name characters, which bytes literals do not have. */
  readonly unicode: boolean;
}

/**
 * The value of a literal.
 * @param content the text between the quotes
 * @param raw whether it began with `r`: no escapes
 * @param bytes whether it began with `b`
 */
export function unescapeLiteral(content: string, raw: boolean, bytes: boolean): Unescaped {
  // Triple-quoted text keeps its lines, however the file ends them.
  const normalised = content.includes("\r") ? content.replace(/\r\n?/g, "\n") : content;
  if (raw || !normalised.includes("\\")) return { ok: true, value: plain(normalised, bytes) };
  const parts: (string | number)[] = [];
  let start = 0;
  for (let at = normalised.indexOf("\\"); at !== -1; at = normalised.indexOf("\\", start)) {
    parts.push(normalised.slice(start, at));
    const escape = readEscape(normalised, at);
    if (escape === undefined || (bytes && escape.unicode) || !isCharacter(escape)) {
      const length = escape?.length ?? 2;
      return { ok: false, escape: normalised.slice(at, at + length), offset: at };
    }
    parts.push(bytes ? escape.codePoint : String.fromCodePoint(escape.codePoint));
    start = at + escape.length;
  }
  parts.push(normalised.slice(start));
  if (!bytes) return { ok: true, value: { kind: "string", value: parts.join("") } };
  return { ok: true, value: { kind: "bytes", value: joinBytes(parts) } };
}

function plain(content: string, bytes: boolean): CelConstant {
  return bytes
    ? { kind: "bytes", value: new TextEncoder().encode(content) }
    : { kind: "string", value: content };
}

function isCharacter({ codePoint }: Escape): boolean {
  return codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
}

function readEscape(text: string, at: number): Escape | undefined {
  const letter = text[at + 1];
  if (letter === undefined) return undefined;
  const simple = Object.hasOwn(SIMPLE_ESCAPES, letter) ? SIMPLE_ESCAPES[letter] : undefined;
  if (simple !== undefined) return { length: 2, codePoint: simple.charCodeAt(0), unicode: false };
  const digits = HEX_DIGITS[letter];
  if (digits !== undefined) {
    const hex = text.slice(at + 2, at + 2 + digits);
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) return undefined;
    return { length: 2 + digits, codePoint: Number.parseInt(hex, 16), unicode: digits > 2 };
  }
  OCTAL.lastIndex = at + 1;
  const octal = OCTAL.exec(text);
  if (octal === null) return undefined;
  return { length: 4, codePoint: Number.parseInt(octal[0], 8), unicode: false };
}

function joinBytes(parts: readonly (string | number)[]): Uint8Array {
  const encoder = new TextEncoder();
  const chunks = parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : encoder.encode(part)));
  const joined = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
