/**
 * Cerbos's globs of paths, `pathMatch` and `pathMatchAnyOf`: Go's `path.Match` of resolved paths, in which no backslash is
 * left to escape anything.
 */
import { bool, error, noSuchOverload, type Value } from "../values.ts";
import { refused, resolve, slashed } from "./path-names.ts";

/** One byte, one character but `/`, or one character of a class. */
type Token =
  | { readonly kind: "byte"; readonly byte: number }
  | { readonly kind: "any" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly string[])[] };

/** What stands between two stars, and whether one stands before it. What is malformed is not looked at until it is reached. */
interface Part {
  readonly star: boolean;
  readonly text: string;
}

const SLASH = 0x2f;
const CLASS = /\[(?<negated>\^|(?!\^))(?<ranges>(?:[^\]-](?:-[^\]-])?)+)\]/uy;

/** Whatever stands between a `[` and the next `]` is no star, be it a class or not. Stars in a row are one. */
function split(pattern: string): readonly Part[] {
  return [...pattern.matchAll(/(\*+|^)((?:\[[^\]]*\]?|[^*[])*)/gu)].map(([, stars = "", text = ""]) => ({
    star: stars !== "",
    text,
  }));
}

/** Undefined: a class is malformed. */
function parse(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (character === "[") {
      CLASS.lastIndex = at;
      const { negated, ranges } = CLASS.exec(text)?.groups ?? {};
      if (ranges === undefined) return undefined;
      const bounds = [...ranges.matchAll(/([^-])(?:-([^-]))?/gsu)];
      tokens.push({
        kind: "class",
        negated: negated === "^",
        ranges: bounds.map(([, low = "", high = low]) => [low, high]),
      });
      at = CLASS.lastIndex;
      continue;
    }
    if (character === "?") tokens.push({ kind: "any" });
    else for (const byte of Buffer.from(character)) tokens.push({ kind: "byte", byte });
    at += character.length;
  }
  return tokens;
}

/** The character at a byte; U+FFFD, one byte long, inside of one. */
function characterAt(text: Buffer, at: number): { readonly character: string; readonly size: number } {
  const byte = text[at] ?? 0;
  const size = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  return { character: text.subarray(at, at + size).toString(), size };
}

/** Where a part ends that begins at `from`; undefined where it does not match. */
function endOf(tokens: readonly Token[], text: Buffer, from: number): number | undefined {
  let at = from;
  for (const token of tokens) {
    if (at >= text.length) return undefined;
    const { character, size } = characterAt(text, at);
    if (token.kind === "byte" && text[at] !== token.byte) return undefined;
    if (token.kind === "any" && text[at] === SLASH) return undefined;
    if (token.kind === "class") {
      const point = character.codePointAt(0) ?? 0;
      const found = token.ranges.some(
        ([low = "", high = ""]) => (low.codePointAt(0) ?? 0) <= point && point <= (high.codePointAt(0) ?? 0),
      );
      if (found === token.negated) return undefined;
    }
    at += token.kind === "byte" ? 1 : size;
  }
  return at;
}

/** Each part is taken where it fits first, and nowhere else if a later one then fits nowhere. Undefined: malformed so far. */
function matches(parts: readonly Part[], path: Buffer): boolean | undefined {
  let at = 0;
  for (const [index, { star, text }] of parts.entries()) {
    const last = index === parts.length - 1;
    if (last && star && text === "") return !path.subarray(at).includes(SLASH);
    const tokens = parse(text);
    if (tokens === undefined) return undefined;
    const slash = path.indexOf(SLASH, at);
    const furthest = star ? (slash === -1 ? path.length : slash) : at;
    let end: number | undefined;
    for (let from = at; from <= furthest && end === undefined; from++) {
      const found = endOf(tokens, path, from);
      if (!last || found === path.length) end = found;
    }
    if (end === undefined) return false;
    at = end;
  }
  return at === path.length;
}

function matchesPattern(path: string, pattern: string): Value {
  const [from, by] = [resolve(path), resolve(pattern)];
  if (from === undefined || by === undefined) return refused(from === undefined ? path : pattern);
  const found = matches(split(slashed(by)), Buffer.from(slashed(from)));
  if (found !== undefined) return bool(found);
  return error(`failed to match pattern "${pattern}" on path "${path}": syntax error in pattern`);
}

export function pathMatch(path: Value, pattern: Value): Value {
  if (path.kind !== "string" || pattern.kind !== "string") return noSuchOverload();
  return matchesPattern(path.value, pattern.value);
}

/** In order, so that a match hides the patterns behind it. */
export function pathMatchAnyOf(path: Value, patterns: Value): Value {
  if (path.kind !== "string" || patterns.kind !== "list") return noSuchOverload();
  const texts = patterns.items.map((item) => (item.kind === "string" ? item.value : undefined));
  if (!texts.every((text) => text !== undefined)) return error("unsupported type conversion to string");
  for (const text of texts) {
    const result = matchesPattern(path.value, text);
    if (result.kind !== "bool" || result.value) return result;
  }
  return bool(false);
}
