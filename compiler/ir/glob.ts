/**
 * Globs as Cerbos writes them (gobwas/glob with the separator `:`): text to token lists. `{a,b}` is expanded here, so
 * the guest matches plain sequences in linear space. Matching itself is in assembly/decide/glob.ts.
 */

export type GlobToken =
  | { readonly kind: "literal"; readonly text: string }
  /** `?`: one character that is not `:`. */
  | { readonly kind: "one" }
  /** `[abc]`, `[a-z]`, `[!abc]`: one character in (or, negated, not in) the ranges of code points. */
  | {
      readonly kind: "class";
      readonly negated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    }
  /** `*`: any run without `:`. */
  | { readonly kind: "star" }
  /** `**`: any run. */
  | { readonly kind: "super" };

/** Most sequences that one glob may expand to. */
export const MAX_ALTERNATIVES = 256;

/** Whether a name in a policy table is a glob (COMPAT.md section 3): only a `*` makes it one. */
export function isGlob(pattern: string): boolean {
  return pattern.includes("*");
}

/** The token sequences of a glob, any of which may match; undefined when the pattern is malformed or too wide. */
export function parseGlob(pattern: string): GlobToken[][] | undefined {
  if (pattern === "*") return [[{ kind: "super" }]];
  const parser = new GlobParser(Array.from(pattern));
  const sequences = parser.pattern(0);
  return sequences === undefined || !parser.atEnd() ? undefined : sequences.map(mergeLiterals);
}

class GlobParser {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(characters: readonly string[]) {
    this.#characters = characters;
  }

  atEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  /** pattern : term* ; inside braces it ends at `,` or `}` */
  pattern(depth: number): GlobToken[][] | undefined {
    let sequences: GlobToken[][] = [[]];
    while (!this.atEnd()) {
      const character = this.#characters[this.#at];
      if (depth > 0 && (character === "," || character === "}")) break;
      const choices = this.#term(depth);
      if (choices === undefined || sequences.length * choices.length > MAX_ALTERNATIVES) return undefined;
      sequences = sequences.flatMap((before) => choices.map((choice) => before.concat(choice)));
    }
    return sequences;
  }

  /** term : `**` | `*` | `?` | class | alternatives | `\` character | character */
  #term(depth: number): GlobToken[][] | undefined {
    const character = this.#characters[this.#at] ?? "";
    this.#at += 1;
    switch (character) {
      case "*":
        if (this.#characters[this.#at] !== "*") return [[{ kind: "star" }]];
        while (this.#characters[this.#at] === "*") this.#at += 1;
        return [[{ kind: "super" }]];
      case "?":
        return [[{ kind: "one" }]];
      case "[":
        return this.#class();
      case "{":
        return depth < 8 ? this.#alternatives(depth) : undefined;
      case "\\": {
        const escaped = this.#characters[this.#at];
        this.#at += 1;
        return escaped === undefined ? undefined : [[{ kind: "literal", text: escaped }]];
      }
      default:
        return [[{ kind: "literal", text: character }]];
    }
  }

  /** alternatives : `{` pattern (`,` pattern)* `}` */
  #alternatives(depth: number): GlobToken[][] | undefined {
    const all: GlobToken[][] = [];
    while (true) {
      const sequences = this.pattern(depth + 1);
      if (sequences === undefined) return undefined;
      all.push(...sequences);
      const character = this.#characters[this.#at];
      this.#at += 1;
      if (character === "}") return all;
      if (character !== ",") return undefined;
    }
  }

  /** class : `[` `!`? (character `-` character | character+) `]` */
  #class(): GlobToken[][] | undefined {
    const negated = this.#characters[this.#at] === "!";
    if (negated) this.#at += 1;
    const ranges: [number, number][] = [];
    while (true) {
      const character = this.#characters[this.#at];
      if (character === undefined) return undefined;
      this.#at += 1;
      if (character === "]" && ranges.length > 0) return [[{ kind: "class", negated, ranges }]];
      if (character === "]") return undefined;
      const low = codePoint(character);
      if (this.#characters[this.#at] === "-" && this.#characters[this.#at + 1] !== "]") {
        const high = this.#characters[this.#at + 1];
        if (high === undefined || codePoint(high) < low) return undefined;
        this.#at += 2;
        ranges.push([low, codePoint(high)]);
      } else ranges.push([low, low]);
    }
  }
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function mergeLiterals(sequence: readonly GlobToken[]): GlobToken[] {
  const merged: GlobToken[] = [];
  for (const token of sequence) {
    const last = merged.at(-1);
    if (token.kind === "literal" && last?.kind === "literal") {
      merged[merged.length - 1] = { kind: "literal", text: last.text + token.text };
    } else merged.push(token);
  }
  return merged;
}

/** Whether a glob's sequences match `text`: the compile-time twin of assembly/decide/glob.ts. */
export function globMatches(sequences: readonly (readonly GlobToken[])[], text: string): boolean {
  return sequences.some((sequence) =>
    new RegExp(`^(?:${sequence.map(tokenPattern).join("")})$`, "su").test(text),
  );
}

function tokenPattern(token: GlobToken): string {
  switch (token.kind) {
    case "literal":
      return token.text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
    case "one":
      return "[^:]";
    case "star":
      return "[^:]*";
    case "super":
      return ".*";
    case "class": {
      const ranges = token.ranges.map(([low, high]) => `\\u{${low.toString(16)}}-\\u{${high.toString(16)}}`);
      return `[${token.negated ? "^" : ""}${ranges.join("")}]`;
    }
  }
}
