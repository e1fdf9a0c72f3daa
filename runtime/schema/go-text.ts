/**
 * Values as Go prints them, because the words of a validation error are those of the Go library that Cerbos validates with.
 * Only what those words need; no general formatter.
 */

const SHORT_ESCAPES: Readonly<Record<string, string | undefined>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};
/** What is not printed as it is: everything but letters, marks, numbers, punctuation, symbols and the blank. */
const SPECIAL = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|[\\'"]/gu;
/** The text that no escape changes: the usual one. */
const PLAIN = /^[A-Za-z0-9 _.,:;/@#+-]*$/;

/**
 * Text in single quotes, as names and patterns stand in messages. The library makes them from double quotes in a way that takes
 * a last backslash together with the closing quote for an escape, so one backslash is missing there.
 */
export function quote(text: string): string {
  const escaped = escapeText(text, "'");
  return `'${text.endsWith("\\") ? escaped.slice(0, -1) : escaped}'`;
}

/** Text in double quotes (Go's `%q`). */
export function doubleQuote(text: string): string {
  return `"${escapeText(text, '"')}"`;
}

function escapeText(text: string, mark: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(SPECIAL, (char) => {
    if (char === "'" || char === '"') return char === mark ? `\\${mark}` : char;
    return SHORT_ESCAPES[char] ?? escapeChar(char);
  });
}

function escapeChar(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}

/** A double as Go's `%v` prints it: an exponent, of two digits at least, below 1e-4 and from 1e6 on. */
export function goNumber(number: number): string {
  if (Object.is(number, -0)) return "-0";
  const [digits = "", exponent = "0"] = number.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(number);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A limit of a schema, a double without fraction, as Go prints the integer. */
export function goInteger(number: number): string {
  return Number.isInteger(number) ? BigInt(number).toString() : String(number);
}

/** A scalar of `enum` or `const`: the library keeps numbers of a schema as text, so they stand in quotes. */
export function goScalar(value: unknown): string {
  if (value === null) return "<nil>";
  if (typeof value === "boolean") return String(value);
  return doubleQuote(typeof value === "string" ? value : JSON.stringify(value));
}

/** A name as a token of the JSON pointers in errors, percent-encoded as a segment of a URL. */
export function pointerToken(name: string): string {
  if (/^[A-Za-z0-9_.-]*$/.test(name)) return name;
  const wellFormed = Buffer.from(name).toString();
  return encodeURIComponent(wellFormed.replaceAll("~", "~0").replaceAll("/", "~1"))
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll(/%(?:24|26|2B|3D|3A|40)/g, decodeURIComponent);
}
