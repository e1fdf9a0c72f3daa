/**
 * What an unquoted scalar means. Not quite YAML 1.2: Cerbos reads `017` as fifteen, `1_000` as a thousand and `1e3` as
 * text, and the same policy must mean the same here. Tags such as `!!str` do not change it (nor there).
 */

export interface PlainScalar {
  readonly value: string | number | boolean | null;
  /** What a string field makes of it: whole numbers in decimal, everything else as written. */
  readonly text: string;
}

const WORDS: ReadonlyMap<string, boolean | number | null> = new Map<string, boolean | number | null>([
  ["", null],
  ...["~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
  ...[".inf", ".Inf", ".INF"].map((word) => [word, Infinity] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, -Infinity] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, Number.NaN] as const),
]);

/** Whole numbers outside these bounds stay text. */
const MAX_UNSIGNED = 2n ** 64n - 1n;
const MIN_SIGNED = -(2n ** 63n);

const FLOAT = /^(\d+\.\d*|\.\d+)([eE][-+]?\d+)?$/;

/** Prefix, digits and radix, tried in this order. */
const WHOLE_NUMBERS: readonly (readonly [pattern: RegExp, radix: "0x" | "0o" | "0b" | ""])[] = [
  [/^0x([\da-fA-F]+)$/, "0x"],
  [/^0o([0-7]+)$/, "0o"],
  [/^0b([01]+)$/, "0b"],
  [/^0([0-7]+)$/, "0o"],
  [/^(0|[1-9]\d*)$/, ""],
];

/** Reads an unquoted scalar. */
export function readPlain(text: string): PlainScalar {
  const first = text.charCodeAt(0);
  // Most scalars start with a letter that no number and only a few words start with.
  if (first >= 97 && first <= 122 && first !== 110 && first !== 116 && first !== 102) {
    return { value: text, text };
  }
  const word = WORDS.get(text);
  if (word !== undefined) {
    return { value: word, text };
  }
  const number = /^[-+.\d]/.test(text) ? readNumber(text) : undefined;
  return number ?? { value: text, text };
}

function readNumber(text: string): PlainScalar | undefined {
  const negative = text.startsWith("-");
  const digits = text.replace(/^[-+]/, "").replaceAll("_", "");
  if (FLOAT.test(digits)) {
    const value = Number(digits);
    return Number.isFinite(value) ? { value: negative ? -value : value, text } : undefined;
  }
  for (const [pattern, prefix] of WHOLE_NUMBERS) {
    const found = pattern.exec(digits)?.[1];
    if (found !== undefined) {
      const value = BigInt(prefix + found) * (negative ? -1n : 1n);
      return value > MAX_UNSIGNED || value < MIN_SIGNED
        ? undefined
        : { value: Number(value), text: String(value) };
    }
  }
  return undefined;
}
