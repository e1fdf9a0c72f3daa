/** Operators `+ - * / %` and unary `-` on numbers, strings, bytes, lists, timestamps and durations. */
import {
  double,
  duration,
  error,
  int,
  list,
  noSuchOverload,
  string,
  timestamp,
  uint,
  type Value,
} from "../values.ts";
import type { Family } from "./family.ts";

interface Operation {
  readonly integer: (left: bigint, right: bigint) => bigint;
  readonly float: (left: number, right: number) => number;
}

/** Both operands of one number type; anything else has no overload. */
function numeric(left: Value, right: Value, operation: Operation): Value {
  if (left.kind === "int" && right.kind === "int") return int(operation.integer(left.value, right.value));
  if (left.kind === "uint" && right.kind === "uint") return uint(operation.integer(left.value, right.value));
  if (left.kind === "double" && right.kind === "double")
    return double(operation.float(left.value, right.value));
  return noSuchOverload();
}

function add(left: Value, right: Value): Value {
  if (left.kind === "string" && right.kind === "string") return string(left.value + right.value);
  if (left.kind === "bytes" && right.kind === "bytes") {
    return { kind: "bytes", value: Uint8Array.from([...left.value, ...right.value]) };
  }
  if (left.kind === "list" && right.kind === "list") return list([...left.items, ...right.items]);
  if (left.kind === "timestamp" && right.kind === "duration")
    return timestamp(left.nanos + right.nanos, left.offset);
  if (left.kind === "duration" && right.kind === "timestamp")
    return timestamp(left.nanos + right.nanos, right.offset);
  if (left.kind === "duration" && right.kind === "duration") return duration(left.nanos + right.nanos);
  return numeric(left, right, { integer: (a, b) => a + b, float: (a, b) => a + b });
}

function subtract(left: Value, right: Value): Value {
  if (left.kind === "timestamp" && right.kind === "timestamp") return duration(left.nanos - right.nanos);
  if (left.kind === "timestamp" && right.kind === "duration")
    return timestamp(left.nanos - right.nanos, left.offset);
  if (left.kind === "duration" && right.kind === "duration") return duration(left.nanos - right.nanos);
  return numeric(left, right, { integer: (a, b) => a - b, float: (a, b) => a - b });
}

function isIntegerZero(value: Value): boolean {
  return (value.kind === "int" || value.kind === "uint") && value.value === 0n;
}

export const ARITHMETIC: Family<"add" | "subtract" | "multiply" | "divide" | "modulo" | "negate"> = {
  add,
  subtract,
  multiply: (left, right) => numeric(left, right, { integer: (a, b) => a * b, float: (a, b) => a * b }),
  divide: (left, right) => {
    if (left.kind === right.kind && isIntegerZero(right)) return error("division by zero");
    return numeric(left, right, { integer: (a, b) => a / b, float: (a, b) => a / b });
  },
  modulo: (left, right) => {
    if (left.kind === "double" || right.kind === "double") return noSuchOverload();
    if (left.kind === right.kind && isIntegerZero(right)) return error("modulus by zero");
    return numeric(left, right, { integer: (a, b) => a % b, float: () => Number.NaN });
  },
  negate: (value) => {
    if (value.kind === "int") return int(-value.value);
    if (value.kind === "double") return double(-value.value);
    if (value.kind === "duration") return duration(-value.nanos);
    return noSuchOverload();
  },
};
