/**
 * The expressions of one policy set, each handed out once. Cerbos identifies a rule by a hash that leaves out operators
 * and the likes of `false` and `null` (COMPAT.md 6.1), so two conditions of a set must not look alike in its eyes; that
 * defect depends on load order and could not be told from a mistake.
 */
import type { Random } from "../random.ts";

/** What the hash may leave out. */
const CONFUSABLE = /\b(?:true|false|null)\b|(?<![\w.])-?0(?:\.0)?u?(?![\w.])|b?""|\[\]|\{\}/g;

/** Expressions without those that look like an earlier one. */
export function distinct(expressions: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return expressions.filter((expression) => {
    const key = expression.replaceAll(CONFUSABLE, "#");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export class ExpressionPool {
  readonly #left: string[];
  readonly #random: Random;

  constructor(expressions: readonly string[], random: Random) {
    this.#left = [...expressions];
    this.#random = random;
  }

  /** An expression not handed out before, or undefined when none is left. */
  take(): string | undefined {
    if (this.#left.length === 0) return undefined;
    return this.#left.splice(this.#random.below(this.#left.length), 1)[0];
  }

  get size(): number {
    return this.#left.length;
  }
}
