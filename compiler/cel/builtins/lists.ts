/** Lists and lists as sets: the lists and sets extensions of cel-go, and the list functions of Cerbos. */
import type { CelType } from "../expression.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  optionalOf,
  parameter,
} from "../types.ts";
import { both, globals, members, type Overload } from "./overload.ts";

const A = parameter("A");
const LIST = listOf(A);

/** Types whose values have an order; only these can be sorted or be the keys of `sortBy`. */
export const SORTABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];

export const lists: readonly Overload[] = [
  ...members("slice", "slice", [[LIST, INT, INT], LIST]),
  ...members("flatten", "flatten1", [[listOf(LIST)], LIST]),
  ...members("flatten", "flatten2", [[listOf(DYN), INT], listOf(DYN)]),
  ...members("distinct", "distinct", [[LIST], LIST]),
  ...members("sort", "sort", ...SORTABLE.map((type) => [[listOf(type)], listOf(type)] as const)),
  ...members("first", "first", [[LIST], optionalOf(A)]),
  ...members("last", "last", [[LIST], optionalOf(A)]),
  ...globals("lists.range", "listsRange", [[INT], listOf(INT)]),
  ...globals("sets.contains", "setsContains", [[LIST, LIST], BOOL]),
  ...globals("sets.equivalent", "setsEquivalent", [[LIST, LIST], BOOL]),
  ...globals("sets.intersects", "setsIntersects", [[LIST, LIST], BOOL]),
  ...both("except", "except", [[LIST, LIST], LIST]),
  ...both("intersect", "intersect", [[LIST, LIST], LIST]),
  ...both("hasIntersection", "hasIntersection", [[LIST, LIST], BOOL]),
  ...both("has_intersection", "hasIntersection", [[LIST, LIST], BOOL]),
  ...both("isSubset", "isSubset", [[LIST, LIST], BOOL]),
  ...both("is_subset", "isSubset", [[LIST, LIST], BOOL]),
];
