/** The math and encoders extensions of cel-go. `math.greatest` and `math.least` reach the guest as one list. */
import type { CelType } from "../expression.ts";
import { BOOL, BYTES, DOUBLE, DYN, INT, STRING, UINT, listOf } from "../types.ts";
import { globals, type Overload } from "./overload.ts";

type Row = readonly [readonly CelType[], CelType];

const NUMBERS = [DOUBLE, INT, UINT];

const EXTREME: readonly Row[] = [
  ...NUMBERS.map((type): Row => [[type], type]),
  ...NUMBERS.flatMap((left) => NUMBERS.map((right): Row => [[left, right], left === right ? left : DYN])),
  ...NUMBERS.map((type): Row => [[listOf(type)], type]),
];

const BITS: readonly Row[] = [
  [[INT, INT], INT],
  [[UINT, UINT], UINT],
];

const SHIFT: readonly Row[] = [
  [[INT, INT], INT],
  [[UINT, INT], UINT],
];

export const numbers: readonly Overload[] = [
  ...globals("math.greatest", "mathGreatest", ...EXTREME),
  ...globals("math.least", "mathLeast", ...EXTREME),
  ...globals("math.ceil", "mathCeil", [[DOUBLE], DOUBLE]),
  ...globals("math.floor", "mathFloor", [[DOUBLE], DOUBLE]),
  ...globals("math.round", "mathRound", [[DOUBLE], DOUBLE]),
  ...globals("math.trunc", "mathTrunc", [[DOUBLE], DOUBLE]),
  ...globals("math.abs", "mathAbs", ...NUMBERS.map((type): Row => [[type], type])),
  ...globals("math.sign", "mathSign", ...NUMBERS.map((type): Row => [[type], type])),
  ...globals("math.isNaN", "mathIsNaN", [[DOUBLE], BOOL]),
  ...globals("math.isInf", "mathIsInf", [[DOUBLE], BOOL]),
  ...globals("math.isFinite", "mathIsFinite", [[DOUBLE], BOOL]),
  ...globals("math.sqrt", "mathSqrt", ...NUMBERS.map((type): Row => [[type], DOUBLE])),
  ...globals("math.bitAnd", "mathBitAnd", ...BITS),
  ...globals("math.bitOr", "mathBitOr", ...BITS),
  ...globals("math.bitXor", "mathBitXor", ...BITS),
  ...globals("math.bitNot", "mathBitNot", [[INT], INT], [[UINT], UINT]),
  ...globals("math.bitShiftLeft", "mathBitShiftLeft", ...SHIFT),
  ...globals("math.bitShiftRight", "mathBitShiftRight", ...SHIFT),
  ...globals("json.encode", "jsonEncode", [[DYN], STRING]),
  ...globals("base64.encode", "base64Encode", [[BYTES], STRING]),
  ...globals("base64.decode", "base64Decode", [[STRING], BYTES]),
];
