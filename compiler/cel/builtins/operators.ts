/** Operators (cel-spec langdef, "List of Standard Definitions"). `&&` and `||` are nodes of their own. */
import type { CelType } from "../expression.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  INT,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
  optionalOf,
  parameter,
} from "../types.ts";
import type { GuestFunction } from "./guest-functions.ts";
import { HIERARCHY } from "./hierarchies.ts";
import { globals, type Overload } from "./overload.ts";

const A = parameter("A");
const B = parameter("B");

/** Pairs that `<` and its relatives compare: like with like, and numbers of all kinds with each other. */
const ORDERED: readonly (readonly [CelType, CelType])[] = [
  [BOOL, BOOL],
  [INT, INT],
  [INT, DOUBLE],
  [INT, UINT],
  [UINT, UINT],
  [UINT, DOUBLE],
  [UINT, INT],
  [DOUBLE, DOUBLE],
  [DOUBLE, INT],
  [DOUBLE, UINT],
  [STRING, STRING],
  [BYTES, BYTES],
  [TIMESTAMP, TIMESTAMP],
  [DURATION, DURATION],
];

function order(name: string, guest: GuestFunction): readonly Overload[] {
  return globals(name, guest, ...ORDERED.map((pair) => [pair, BOOL] as const));
}

export const operators: readonly Overload[] = [
  ...globals("!_", "not", [[BOOL], BOOL]),
  ...globals("_==_", "equals", [[A, A], BOOL]),
  ...globals("_!=_", "notEquals", [[A, A], BOOL]),
  ...order("_<_", "less"),
  ...order("_<=_", "lessEquals"),
  ...order("_>_", "greater"),
  ...order("_>=_", "greaterEquals"),
  ...globals("@in", "isIn", [[A, listOf(A)], BOOL], [[A, mapOf(A, B)], BOOL]),
  ...globals(
    "_+_",
    "add",
    [[BYTES, BYTES], BYTES],
    [[DOUBLE, DOUBLE], DOUBLE],
    [[DURATION, DURATION], DURATION],
    [[DURATION, TIMESTAMP], TIMESTAMP],
    [[TIMESTAMP, DURATION], TIMESTAMP],
    [[INT, INT], INT],
    [[listOf(A), listOf(A)], listOf(A)],
    [[STRING, STRING], STRING],
    [[UINT, UINT], UINT],
  ),
  ...globals(
    "_-_",
    "subtract",
    [[DOUBLE, DOUBLE], DOUBLE],
    [[DURATION, DURATION], DURATION],
    [[INT, INT], INT],
    [[TIMESTAMP, DURATION], TIMESTAMP],
    [[TIMESTAMP, TIMESTAMP], DURATION],
    [[UINT, UINT], UINT],
  ),
  ...globals("_*_", "multiply", [[DOUBLE, DOUBLE], DOUBLE], [[INT, INT], INT], [[UINT, UINT], UINT]),
  ...globals("_/_", "divide", [[DOUBLE, DOUBLE], DOUBLE], [[INT, INT], INT], [[UINT, UINT], UINT]),
  ...globals("_%_", "modulo", [[INT, INT], INT], [[UINT, UINT], UINT]),
  ...globals("-_", "negate", [[DOUBLE], DOUBLE], [[INT], INT]),
  ...globals("_[_]", "index", [[listOf(A), INT], A], [[mapOf(A, B), A], B], [[HIERARCHY, INT], STRING]),
  // Indexing what may be absent gives what may be absent.
  ...globals(
    "_[_]",
    "optionalIndex",
    [[optionalOf(listOf(A)), INT], optionalOf(A)],
    [[optionalOf(mapOf(A, B)), A], optionalOf(B)],
  ),
  ...globals(
    "_[?_]",
    "optionalIndex",
    [[listOf(A), INT], optionalOf(A)],
    [[optionalOf(listOf(A)), INT], optionalOf(A)],
    [[mapOf(A, B), A], optionalOf(B)],
    [[optionalOf(mapOf(A, B)), A], optionalOf(B)],
  ),
];
