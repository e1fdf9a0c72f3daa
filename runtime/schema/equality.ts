/** Equality of JSON values as schemas define it (numbers by value, objects in any order), and the exact test of multiples. */
import type { Budget } from "./budget.ts";

export type JsonType = "null" | "boolean" | "number" | "string" | "array" | "object";

/** The type of a value as schemas name it; undefined for what is no JSON. */
export function typeOf(value: unknown): JsonType | undefined {
  if (value === null) return "null";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isFinite(value) ? "number" : undefined;
  if (Array.isArray(value)) return "array";
  const isPlain = typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? "object" : undefined;
}

/** A text that equal values share and no others. Costs the budget in proportion to the value. */
export function canonical(value: unknown, budget: Budget): string {
  if (typeof value === "string") {
    budget.spend(1 + value.length / 8);
    return JSON.stringify(value);
  }
  budget.spend(1);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, budget)).join()}]`;
  if (typeof value !== "object" || value === null) return value === 0 ? "0" : String(value);
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members).sort();
  budget.spend(names.length);
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(members[name], budget)}`).join()}}`;
}

/** The first pair of equal items: the least second index and, with it, the least first one; null when all differ. */
export function firstRepeat(items: readonly unknown[], budget: Budget): readonly [number, number] | null {
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const key = canonical(item, budget);
    const before = seen.get(key);
    if (before !== undefined) return [before, index];
    seen.set(key, index);
  }
  return null;
}

/** Whether `value / divisor` is an integer, both taken as the decimals they are written as: 0.3 is a multiple of 0.1. */
export function isMultiple(value: number, divisor: number): boolean {
  const [digits, exponent] = decimal(value);
  const [divisorDigits, divisorExponent] = decimal(divisor);
  if (divisorDigits === 0n) return false;
  const least = Math.min(exponent, divisorExponent);
  return (
    (digits * 10n ** BigInt(exponent - least)) % (divisorDigits * 10n ** BigInt(divisorExponent - least)) ===
    0n
  );
}

/** A double as an integer times a power of ten. */
function decimal(number: number): readonly [bigint, number] {
  const [digits = "0", exponent = "0"] = number.toExponential().split("e");
  const fraction = digits.split(".")[1] ?? "";
  return [BigInt(digits.replace(".", "")), Number(exponent) - fraction.length];
}
