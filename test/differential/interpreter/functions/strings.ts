/** String functions (cel-go ext strings), `size`, base64. Positions count code points. */
import type { JsonValue } from "../../../../compiler/policy/policy-set.ts";
import { bool, error, list, noSuchOverload, string, toJson, type Value } from "../values.ts";
import { formatText } from "./format-text.ts";
import type { Family, Implementation } from "./family.ts";

/** An implementation whose arguments must have the given kinds. */
function typed(kinds: readonly Value["kind"][], implementation: Implementation): Implementation {
  return (...args) =>
    kinds.every((kind, index) => args[index]?.kind === kind) ? implementation(...args) : noSuchOverload();
}

function textOf(value: Value): string {
  return value.kind === "string" ? value.value : "";
}

/** The code points of a string. */
function charactersOf(value: Value): string[] {
  return Array.from(textOf(value));
}

function numberOf(value: Value): number {
  return value.kind === "int" ? Number(value.value) : 0;
}

function integer(value: number): Value {
  return { kind: "int", value: BigInt(value) };
}

function outOfRange(position: number): Value {
  return error(`index out of range: ${position}`);
}

function startsAt(text: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((character, index) => text[at + index] === character);
}

function indexOf(target: Value, sought: Value, from: Value): Value {
  const [text, part, start] = [charactersOf(target), charactersOf(sought), numberOf(from)];
  if (start < 0) return outOfRange(start);
  if (part.length === 0) return integer(Math.min(start, text.length));
  for (let at = start; at <= text.length - part.length; at += 1)
    if (startsAt(text, part, at)) return integer(at);
  return integer(-1);
}

function lastIndexOf(target: Value, sought: Value, from: Value): Value {
  const [text, part, start] = [charactersOf(target), charactersOf(sought), numberOf(from)];
  if (start < 0) return outOfRange(start);
  if (part.length === 0) return integer(Math.min(start, text.length));
  if (start >= text.length) return integer(-1);
  for (let at = Math.min(start, text.length - part.length); at >= 0; at -= 1) {
    if (startsAt(text, part, at)) return integer(at);
  }
  return integer(-1);
}

function substring(target: Value, from: Value, to?: Value): Value {
  const text = charactersOf(target);
  const start = numberOf(from);
  const end = to === undefined ? text.length : numberOf(to);
  if (start < 0 || start > text.length) return outOfRange(start);
  if (end < 0 || end > text.length) return outOfRange(end);
  if (start > end) return error(`invalid substring range. start: ${start}, end: ${end}`);
  return string(text.slice(start, end).join(""));
}

function replace(target: Value, from: Value, to: Value, limit: number): Value {
  const [text, sought, replacement] = [textOf(target), textOf(from), textOf(to)];
  const pieces = sought === "" ? ["", ...Array.from(text)] : text.split(sought);
  const gaps = sought === "" ? Array.from(text).length + 1 : pieces.length - 1;
  const replaced = limit < 0 ? gaps : Math.min(limit, gaps);
  if (sought === "") return string(replaceEmpty(Array.from(text), replacement, replaced));
  return string(
    pieces
      .map((piece, index) => (index === 0 ? "" : index <= replaced ? replacement : sought) + piece)
      .join(""),
  );
}

/** Replacing "" puts the replacement before each character and at the end. */
function replaceEmpty(characters: readonly string[], replacement: string, count: number): string {
  const woven = characters.map((character, index) => (index < count ? replacement : "") + character).join("");
  return count > characters.length ? woven + replacement : woven;
}

function split(target: Value, separator: Value, limit: number): Value {
  if (limit === 0) return list([]);
  const text = textOf(target);
  const mark = textOf(separator);
  const pieces = mark === "" ? Array.from(text) : text.split(mark);
  if (limit < 0 || pieces.length <= limit) return list(pieces.map(string));
  const rest = pieces.slice(limit - 1).join(mark);
  return list([...pieces.slice(0, limit - 1), rest].map(string));
}

function join(items: Value, separator: string): Value {
  if (items.kind !== "list") return noSuchOverload();
  const pieces: string[] = [];
  for (const item of items.items) {
    if (item.kind !== "string") return noSuchOverload();
    pieces.push(item.value);
  }
  return string(pieces.join(separator));
}

/** White space as Go's unicode.IsSpace has it. */
const SPACE = "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const TRIM = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");

const QUOTED: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function mapAscii(text: string, low: string, high: string, convert: (character: string) => string): Value {
  return string(Array.from(text, (each) => (each >= low && each <= high ? convert(each) : each)).join(""));
}

function size(value: Value): Value {
  switch (value.kind) {
    case "string":
      return integer(Array.from(value.value).length);
    case "bytes":
      return integer(value.value.length);
    case "list":
      return integer(value.items.length);
    case "map":
      return integer(value.entries.length);
    case "hierarchy":
      return integer(value.parts.length);
    case "null":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "bool":
    case "int":
    case "uint":
    case "double":
    case "message":
    case "timestamp":
    case "duration":
    case "type":
    case "optional":
    case "ip":
    case "cidr":
    case "error":
      return noSuchOverload();
  }
}

const lengthOf = (value: Value): Value => integer(charactersOf(value).length);
const lastOf = (value: Value): Value => integer(charactersOf(value).length - 1);
const ZERO: Value = { kind: "int", value: 0n };

export const STRINGS: Family<
  | "size"
  | "contains"
  | "startsWith"
  | "endsWith"
  | "charAt"
  | "indexOf2"
  | "indexOf3"
  | "lastIndexOf2"
  | "lastIndexOf3"
  | "lowerAscii"
  | "upperAscii"
  | "replace3"
  | "replace4"
  | "split2"
  | "split3"
  | "substring2"
  | "substring3"
  | "trim"
  | "join1"
  | "join2"
  | "reverse"
  | "quote"
  | "format"
  | "base64Encode"
  | "base64Decode"
  | "jsonEncode"
> = {
  size,
  contains: typed(["string", "string"], (text, part) => bool(textOf(text).includes(textOf(part)))),
  startsWith: typed(["string", "string"], (text, part) => bool(textOf(text).startsWith(textOf(part)))),
  endsWith: typed(["string", "string"], (text, part) => bool(textOf(text).endsWith(textOf(part)))),
  charAt: typed(["string", "int"], (text, at) => {
    const characters = charactersOf(text);
    const position = numberOf(at);
    return position < 0 || position > characters.length
      ? outOfRange(position)
      : string(characters[position] ?? "");
  }),
  indexOf2: typed(["string", "string"], (text, part) => indexOf(text, part, ZERO)),
  indexOf3: typed(["string", "string", "int"], indexOf),
  lastIndexOf2: typed(["string", "string"], (text, part) => {
    if (textOf(part) === "") return lengthOf(text);
    return textOf(text).length < textOf(part).length ? integer(-1) : lastIndexOf(text, part, lastOf(text));
  }),
  lastIndexOf3: typed(["string", "string", "int"], lastIndexOf),
  lowerAscii: typed(["string"], (text) => mapAscii(textOf(text), "A", "Z", (each) => each.toLowerCase())),
  upperAscii: typed(["string"], (text) => mapAscii(textOf(text), "a", "z", (each) => each.toUpperCase())),
  replace3: typed(["string", "string", "string"], (text, from, to) => replace(text, from, to, -1)),
  replace4: typed(["string", "string", "string", "int"], (text, from, to, limit) =>
    replace(text, from, to, numberOf(limit)),
  ),
  split2: typed(["string", "string"], (text, separator) => split(text, separator, -1)),
  split3: typed(["string", "string", "int"], (text, separator, limit) =>
    split(text, separator, numberOf(limit)),
  ),
  substring2: typed(["string", "int"], (text, start) => substring(text, start)),
  substring3: typed(["string", "int", "int"], (text, start, end) => substring(text, start, end)),
  trim: typed(["string"], (text) => string(textOf(text).replaceAll(TRIM, ""))),
  join1: (items) => join(items, ""),
  join2: (items, separator) =>
    separator.kind === "string" ? join(items, separator.value) : noSuchOverload(),
  reverse: (value) => {
    if (value.kind === "list") return list([...value.items].reverse());
    return value.kind === "string" ? string(Array.from(value.value).reverse().join("")) : noSuchOverload();
  },
  quote: typed(["string"], (text) =>
    string(
      `"${charactersOf(text)
        .map((each) => QUOTED[each] ?? each)
        .join("")}"`,
    ),
  ),
  format: typed(["string", "list"], (text, args) =>
    formatText(textOf(text), args.kind === "list" ? args.items : []),
  ),
  base64Encode: typed(["bytes"], (value) =>
    string(value.kind === "bytes" ? Buffer.from(value.value).toString("base64") : ""),
  ),
  base64Decode: typed(["string"], (value) => {
    const text = textOf(value);
    // Go skips line breaks, and does not mind bits that belong to no byte.
    const digits = text.replaceAll(/[\r\n]/gu, "");
    const isRight = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/u.test(digits);
    return isRight ? { kind: "bytes", value: Buffer.from(digits, "base64") } : error("illegal base64 data");
  }),
  jsonEncode: (value) => {
    const shown = toJson(value);
    return "error" in shown ? error(shown.error) : string(goJson(shown.json));
  },
};

/** JSON as Go's encoding/json writes it: keys sorted by their bytes, and escapes for HTML. */
function goJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join()}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${entries.map(([key, item]) => `${goJson(key)}:${goJson(item)}`).join()}}`;
  }
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
