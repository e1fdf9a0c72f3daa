/** The values of number literals (cel-spec langdef, "Numeric Values"), or that they do not fit. */
import type { CelConstant } from "./expression.ts";

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/**
 * The value of a literal, or undefined where its type cannot hold it.
 * @param digits as written, without sign and suffix
 */
export function numberValue(
  kind: "int" | "uint" | "double",
  digits: string,
  negative: boolean,
): CelConstant | undefined {
  if (kind === "double") {
    const value = Number(digits);
    return Number.isFinite(value) ? { kind, value: negative ? -value : value } : undefined;
  }
  // No number of more than 20 significant digits fits; converting a huge one would take quadratic time.
  if (digits.replace(/^(?:0x)?0*/, "").length > 20) return undefined;
  const magnitude = BigInt(digits);
  const value = negative ? -magnitude : magnitude;
  const [min, max] = kind === "int" ? [MIN_INT, MAX_INT] : [0n, MAX_UINT];
  return value < min || value > max ? undefined : { kind, value };
}
