/**
 * `matches` and the regex extension (cel-go ext regex). Reading a pattern is left to @bufbuild/re2, whose programs are run here
 * by backtracking that visits no place twice with the same instruction: its own engines say yes or no only.
 */
import { RE2JS } from "@bufbuild/re2";
import { error, list, noSuchOverload, NONE_OPTIONAL, string, bool, type Value } from "../values.ts";
import type { Family, Implementation } from "./family.ts";

type Program = ReturnType<RE2JS["re2"]>["prog"];

/** Instructions as the library numbers them. */
const ALT = 1;
const ALT_MATCH = 2;
const CAPTURE = 3;
const EMPTY_WIDTH = 4;
const FAIL = 5;
const MATCH = 6;
const NOP = 7;

/** A pattern ready to run. */
interface Pattern {
  readonly program: Program;
  readonly groups: number;
}

/** Start and end of the match and of each group; undefined where a group took no part. */
type Found = readonly (number | undefined)[];

/** Reads a pattern as Go does; undefined when it cannot be used. */
function compile(pattern: string): Pattern | undefined {
  const text = withGoClasses(pattern);
  for (const source of [text, withOwnNames(text)]) {
    try {
      return { program: RE2JS.compile(source).re2().prog, groups: countGroups(pattern) };
    } catch {
      // Tried again with other names, because the library refuses two groups of one name and Go does not.
    }
  }
  return undefined;
}

function withOwnNames(pattern: string): string {
  let count = 0;
  return pattern.replaceAll(/\(\?P?<\w+>/gu, () => `(?P<own${count++}>`);
}

const TOKEN = /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*\]|\((?!\?)|\(\?P?</gu;

/** Groups of a valid pattern, those within `{0}` too, which the library's program no longer has. */
function countGroups(pattern: string): number {
  return [...pattern.matchAll(TOKEN)].filter(([token]) => token.startsWith("(")).length;
}

/** Go's long names of categories, in its one spelling. */
const CATEGORIES: Readonly<Record<string, string>> = {
  Other: "C",
  Control: "Cc",
  Cntrl: "Cc",
  Format: "Cf",
  Unassigned: "Cn",
  Privateuse: "Co",
  Surrogate: "Cs",
  Letter: "L",
  Casedletter: "LC",
  Lc: "LC",
  Lowercaseletter: "Ll",
  Modifierletter: "Lm",
  Otherletter: "Lo",
  Titlecaseletter: "Lt",
  Uppercaseletter: "Lu",
  Mark: "M",
  Combiningmark: "M",
  Spacingmark: "Mc",
  Enclosingmark: "Me",
  Nonspacingmark: "Mn",
  Number: "N",
  Decimalnumber: "Nd",
  Digit: "Nd",
  Letternumber: "Nl",
  Othernumber: "No",
  Punctuation: "P",
  Punct: "P",
  Symbol: "S",
  Connectorpunctuation: "Pc",
  Dashpunctuation: "Pd",
  Closepunctuation: "Pe",
  Finalpunctuation: "Pf",
  Initialpunctuation: "Pi",
  Otherpunctuation: "Po",
  Openpunctuation: "Ps",
  Currencysymbol: "Sc",
  Modifiersymbol: "Sk",
  Mathsymbol: "Sm",
  Othersymbol: "So",
  Separator: "Z",
  Lineseparator: "Zl",
  Paragraphseparator: "Zp",
  Spaceseparator: "Zs",
};

/** Scripts that the library knows and the Unicode version of Go does not. */
const NEWER = new Set(["Garay", "Sunuwar", "Todhri"]);

/** Class names as the library spells them. Go ignores case, `_`, `-` and spaces, and therefore finds no script with `_` in its name. */
function withGoClasses(pattern: string): string {
  return pattern.replaceAll(
    /\\([pP])\{(\^?)([A-Za-z_ -]+)\}/gu,
    (_, letter: string, not: string, name: string) => {
      const plain = name.replaceAll(/[_ -]/gu, "").toLowerCase();
      const canonical = plain.slice(0, 1).toUpperCase() + plain.slice(1);
      if (canonical === "Ascii") return (letter === "P") === (not === "") ? "[[:^ascii:]]" : "[[:ascii:]]";
      return `\\${letter}{${not}${NEWER.has(canonical) ? "none" : (CATEGORIES[canonical] ?? canonical)}}`;
    },
  );
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /^[0-9A-Za-z_]$/u.test(character);
}

/** Whether all conditions of an empty instruction hold at a place: bits from the lowest, `^` `$` (?m), `\A` `\z`, `\b` `\B`. */
function holds(conditions: number, text: readonly string[], at: number): boolean {
  const before = text[at - 1];
  const after = text[at];
  const boundary = isWord(before) !== isWord(after);
  const facts = [
    before === undefined || before === "\n",
    after === undefined || after === "\n",
    before === undefined,
    after === undefined,
    boundary,
    !boundary,
  ];
  return facts.every((fact, bit) => fact || (conditions & (1 << bit)) === 0);
}

/** The match that Go prefers among those that start first, at `from` or later. */
function find({ program, groups }: Pattern, text: readonly string[], from: number): Found | undefined {
  for (let start = from; start <= text.length; start++) {
    const found = findAt(program, groups, text, start);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findAt(program: Program, groups: number, text: readonly string[], start: number): Found | undefined {
  const seen = new Set<number>();
  // What remains to be tried, the preferred last; slots are never changed in place.
  const open: { pc: number; at: number; slots: Found }[] = [
    { pc: program.start, at: start, slots: Array.from({ length: 2 * groups + 2 }, () => undefined) },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { pc, at, slots } = next;
    const key = pc * (text.length + 1) + at;
    if (seen.has(key)) continue;
    seen.add(key);
    const step = program.getInst(pc);
    if (step.op === MATCH) return slots.with(0, start).with(1, at);
    if (step.op === ALT || step.op === ALT_MATCH) {
      open.push({ pc: step.arg, at, slots }, { pc: step.out, at, slots });
    } else if (step.op === CAPTURE) open.push({ pc: step.out, at, slots: slots.with(step.arg, at) });
    else if (step.op === NOP) open.push({ pc: step.out, at, slots });
    else if (step.op === EMPTY_WIDTH) {
      if (holds(step.arg, text, at)) open.push({ pc: step.out, at, slots });
    } else if (step.op !== FAIL) {
      const rune = text[at]?.codePointAt(0);
      if (rune !== undefined && step.matchRune(rune)) open.push({ pc: step.out, at: at + 1, slots });
    }
  }
  return undefined;
}

/** All matches one after the other; an empty one right behind another is none. */
function findAll(pattern: Pattern, text: readonly string[], limit: number): readonly Found[] {
  const all: Found[] = [];
  let from = 0;
  let behind = -1;
  while (all.length < limit && from <= text.length) {
    const found = find(pattern, text, from);
    if (found === undefined) break;
    const [start = 0, end = 0] = found;
    if (end > start || start !== behind) all.push(found);
    behind = end;
    from = end > from ? end : from + 1;
  }
  return all;
}

function part(text: readonly string[], found: Found, group: number): string | undefined {
  const start = found[2 * group];
  const end = found[2 * group + 1];
  return start === undefined || end === undefined ? undefined : text.slice(start, end).join("");
}

function replace(subject: string, source: string, replacement: string, limit: number): Value {
  if (limit === 0) return string(subject);
  const pattern = compile(source);
  if (pattern === undefined) return unusable(source);
  const text = Array.from(subject);
  let result = "";
  let from = 0;
  for (const found of findAll(pattern, text, limit < 0 ? Infinity : limit)) {
    const written = expand(replacement, pattern, text, found);
    if (written === undefined) return error(`invalid replacement string: '${replacement}'`);
    result += text.slice(from, found[0]).join("") + written;
    from = found[1] ?? from;
  }
  return string(result + text.slice(from).join(""));
}

/** The replacement with `\0` to `\9` and `\\` filled in; undefined when there is anything else behind a backslash. */
function expand(
  replacement: string,
  pattern: Pattern,
  text: readonly string[],
  found: Found,
): string | undefined {
  let result = "";
  for (const [piece] of replacement.matchAll(/\\[\s\S]?|[^\\]+/gu)) {
    if (!piece.startsWith("\\")) result += piece;
    else if (piece === "\\\\") result += "\\";
    else if (/^\\[0-9]$/u.test(piece) && Number(piece[1]) <= pattern.groups) {
      result += part(text, found, Number(piece[1])) ?? "";
    } else return undefined;
  }
  return result;
}

/** What extraction takes of each match: its only group if that is not empty, the whole where there is no group. */
function extract(subject: string, source: string, limit: number): readonly string[] | Value {
  const pattern = compile(source);
  if (pattern === undefined) return unusable(source);
  if (pattern.groups > 1) return error(`regular expression has more than one capturing group: "${source}"`);
  const text = Array.from(subject);
  return findAll(pattern, text, limit).flatMap((found) => {
    const taken = part(text, found, pattern.groups);
    return taken === undefined || (taken === "" && pattern.groups === 1) ? [] : [taken];
  });
}

function unusable(source: string): Value {
  return error(`error parsing regexp: ${source}`);
}

function isValue(result: readonly string[] | Value): result is Value {
  return "kind" in result;
}

/** An implementation for texts and, as the fourth argument, a count. */
function ofTexts(
  count: number,
  implementation: (a: string, b: string, c: string, d: Value) => Value,
): Implementation {
  return (...args) => {
    const texts = args.slice(0, count).map((arg) => (arg.kind === "string" ? arg.value : undefined));
    const [a, b, c = ""] = texts;
    if (a === undefined || b === undefined || texts.includes(undefined)) return noSuchOverload();
    return implementation(a, b, c, args[3]);
  };
}

export const REGEX: Family<
  "matches" | "regexReplace3" | "regexReplace4" | "regexExtract" | "regexExtractAll"
> = {
  matches: ofTexts(2, (text, source) => {
    const pattern = compile(source);
    return pattern === undefined ? unusable(source) : bool(find(pattern, Array.from(text), 0) !== undefined);
  }),
  regexReplace3: ofTexts(3, (text, source, replacement) => replace(text, source, replacement, -1)),
  regexReplace4: ofTexts(3, (text, source, replacement, count) =>
    count.kind === "int" ? replace(text, source, replacement, Number(count.value)) : noSuchOverload(),
  ),
  regexExtract: ofTexts(2, (text, source) => {
    const taken = extract(text, source, 1);
    if (isValue(taken)) return taken;
    const [first] = taken;
    return first === undefined ? NONE_OPTIONAL : { kind: "optional", value: string(first) };
  }),
  regexExtractAll: ofTexts(2, (text, source) => {
    const taken = extract(text, source, Infinity);
    return isValue(taken) ? taken : list(taken.map(string));
  }),
};
