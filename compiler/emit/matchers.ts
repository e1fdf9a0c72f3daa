/**
 * Matchers: how the image says "this name", "any name" or "names like this glob".
 *
 *   matcher        | u32 kind | u32 value |        MATCH_ALL 0; MATCH_SYMBOL: symbol; MATCH_GLOB: address of a glob
 *   matcher list   | u32 count | u32 zero | matcher ... |
 *   glob           | u32 count | u32 address of a sequence ... |
 *   sequence       | u32 count | u32 zero | token ... |
 *   token          | u32 kind | u32 a | u32 b |     literal: start, length; class: address of ranges, negated
 *   ranges         | u32 count | u32 low, u32 high ... |
 */
import { invariant } from "../diagnostics/invariant.ts";
import { isGlob, parseGlob, type GlobToken } from "../ir/glob.ts";
import type { Blob } from "./blob.ts";
import type { Symbols } from "./symbols.ts";

const MATCH_ALL = 0;
const MATCH_SYMBOL = 1;
const MATCH_GLOB = 2;

const TOKEN_LITERAL = 0;
const TOKEN_ONE = 1;
const TOKEN_CLASS = 2;
const TOKEN_STAR = 3;
const TOKEN_SUPER = 4;

const encoder = new TextEncoder();

/** Which patterns are globs: those with a `*` (tables of names), all with glob syntax (allowActions), or none. */
export type GlobUse = "starred" | "always" | "never";

export class Matchers {
  readonly #blob: Blob;
  readonly #symbols: Symbols;
  readonly #globs = new Map<string, number>();

  constructor(blob: Blob, symbols: Symbols) {
    this.#blob = blob;
    this.#symbols = symbols;
  }

  /** The two words of a matcher. `*` alone always matches everything. */
  matcher(pattern: string, globs: GlobUse = "starred"): readonly [number, number] {
    if (pattern === "*") return [MATCH_ALL, 0];
    const special = globs === "always" ? /[*?[{\\]/u.test(pattern) : isGlob(pattern);
    if (special && globs !== "never") return [MATCH_GLOB, this.glob(pattern)];
    return [MATCH_SYMBOL, this.#symbols.id(pattern)];
  }

  /** Address of a matcher list. */
  list(patterns: readonly string[], globs: GlobUse = "starred"): number {
    const words = patterns.flatMap((pattern) => {
      const matcher = this.matcher(pattern, globs);
      // allowActions match by their text too, as in Cerbos: `[ab]` allows `a`, `b` and `[ab]`.
      const alsoText = globs === "always" && matcher[0] === MATCH_GLOB;
      return alsoText ? [...matcher, MATCH_SYMBOL, this.#symbols.id(pattern)] : matcher;
    });
    return this.#blob.words([words.length / 2, 0, ...words]);
  }

  /** Address of a glob. */
  glob(pattern: string): number {
    const known = this.#globs.get(pattern);
    if (known !== undefined) return known;
    const sequences = parseGlob(pattern);
    invariant(sequences !== undefined, "malformed globs were reported before");
    const address = this.#blob.words([
      sequences.length,
      ...sequences.map((sequence) => this.#sequence(sequence)),
    ]);
    this.#globs.set(pattern, address);
    return address;
  }

  #sequence(tokens: readonly GlobToken[]): number {
    return this.#blob.words([tokens.length, 0, ...tokens.flatMap((token) => this.#token(token))]);
  }

  #token(token: GlobToken): readonly number[] {
    switch (token.kind) {
      case "literal": {
        const bytes = encoder.encode(token.text);
        return [TOKEN_LITERAL, this.#blob.bytes(bytes), bytes.length];
      }
      case "one":
        return [TOKEN_ONE, 0, 0];
      case "class":
        return [
          TOKEN_CLASS,
          this.#blob.words([token.ranges.length, ...token.ranges.flat()]),
          token.negated ? 1 : 0,
        ];
      case "star":
        return [TOKEN_STAR, 0, 0];
      case "super":
        return [TOKEN_SUPER, 0, 0];
    }
  }
}
