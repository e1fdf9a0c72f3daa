/** `math.*` of cel-go ext (COMPAT.md section 7.3). `mathGreatest` and `mathLeast` take a list. */
import { bool, double, error, int, isNumber, noSuchOverload, uint, MAX_UINT, type Value } from "../values.ts";
import type { Family, Implementation } from "./family.ts";
import { isLess } from "./lists.ts";

function onDouble(implementation: (value: number) => Value): Implementation {
  return (value) => (value.kind === "double" ? implementation(value.value) : noSuchOverload());
}

/** Half away from zero, as Go's math.Round; Math.round rounds half up. */
function round(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

function isNaN(value: Value): boolean {
  return value.kind === "double" && Number.isNaN(value.value);
}

/** A number that is alone is the answer, also where the compiler could not know that it is one. */
function extreme(values: Value, better: (a: Value, b: Value) => boolean | undefined): Value {
  if (isNumber(values)) return values;
  if (values.kind !== "list") return noSuchOverload();
  if (values.items.length > 1 && values.items.some(isNaN))
    return error("NaN values cannot be ordered: math.@max");
  const [first, ...rest] = values.items;
  if (first === undefined) return error("math.@max(list) argument must not be empty");
  if (!isNumber(first)) return noSuchOverload();
  let best: Value = first;
  for (const value of rest) {
    if (!isNumber(value)) return noSuchOverload();
    if (better(value, best) === true) best = value;
  }
  return best;
}

function bits(operation: (a: bigint, b: bigint) => bigint): Implementation {
  return (a, b) => {
    if (a.kind === "int" && b.kind === "int") return int(BigInt.asIntN(64, operation(a.value, b.value)));
    if (a.kind === "uint" && b.kind === "uint") return uint(BigInt.asUintN(64, operation(a.value, b.value)));
    return noSuchOverload();
  };
}

/** Shifts work on the 64 bits; 64 or more gives 0, a negative count is an error. */
function shift(operation: (bits: bigint, by: bigint) => bigint, name: string): Implementation {
  return (value, by) => {
    if (by.kind !== "int" || (value.kind !== "int" && value.kind !== "uint")) return noSuchOverload();
    if (by.value < 0n) return error(`math.${name}() negative offset: ${by.value}`);
    const shifted = by.value > 63n ? 0n : operation(BigInt.asUintN(64, value.value), by.value) & MAX_UINT;
    return value.kind === "int" ? int(BigInt.asIntN(64, shifted)) : uint(shifted);
  };
}

export const MATH: Family<
  | "mathGreatest"
  | "mathLeast"
  | "mathCeil"
  | "mathFloor"
  | "mathRound"
  | "mathTrunc"
  | "mathAbs"
  | "mathSign"
  | "mathIsNaN"
  | "mathIsInf"
  | "mathIsFinite"
  | "mathSqrt"
  | "mathBitAnd"
  | "mathBitOr"
  | "mathBitXor"
  | "mathBitNot"
  | "mathBitShiftLeft"
  | "mathBitShiftRight"
> = {
  mathGreatest: (values) => extreme(values, (a, b) => isLess(b, a)),
  mathLeast: (values) => extreme(values, isLess),
  mathCeil: onDouble((value) => double(Math.ceil(value))),
  mathFloor: onDouble((value) => double(Math.floor(value))),
  mathRound: onDouble((value) => double(round(value))),
  mathTrunc: onDouble((value) => double(Math.trunc(value))),
  mathAbs: (value) => {
    if (value.kind === "double") return double(Math.abs(value.value));
    if (value.kind === "int") return int(value.value < 0n ? -value.value : value.value);
    return value.kind === "uint" ? value : noSuchOverload();
  },
  mathSign: (value) => {
    if (value.kind === "double") return double(Math.sign(value.value));
    if (value.kind === "int") return int(value.value < 0n ? -1n : value.value > 0n ? 1n : 0n);
    return value.kind === "uint" ? uint(value.value > 0n ? 1n : 0n) : noSuchOverload();
  },
  mathIsNaN: onDouble((value) => bool(Number.isNaN(value))),
  mathIsInf: onDouble((value) => bool(value === Infinity || value === -Infinity)),
  mathIsFinite: onDouble((value) => bool(Number.isFinite(value))),
  mathSqrt: (value) => (isNumber(value) ? double(Math.sqrt(Number(value.value))) : noSuchOverload()),
  mathBitAnd: bits((a, b) => a & b),
  mathBitOr: bits((a, b) => a | b),
  mathBitXor: bits((a, b) => a ^ b),
  mathBitNot: (value) => {
    if (value.kind === "int") return int(~value.value);
    return value.kind === "uint" ? uint(value.value ^ MAX_UINT) : noSuchOverload();
  },
  mathBitShiftLeft: shift((value, by) => value << by, "bitShiftLeft"),
  mathBitShiftRight: shift((value, by) => value >> by, "bitShiftRight"),
};
