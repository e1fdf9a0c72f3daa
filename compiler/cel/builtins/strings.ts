/** `size` and strings: cel-spec langdef ("Functions") and the strings extension. */
import { BOOL, BYTES, DYN, INT, STRING, listOf, mapOf, parameter } from "../types.ts";
import { HIERARCHY } from "./hierarchies.ts";
import { both, globals, members, type Overload } from "./overload.ts";

const A = parameter("A");
const B = parameter("B");

export const strings: readonly Overload[] = [
  ...both("size", "size", [[BYTES], INT], [[listOf(A)], INT], [[mapOf(A, B)], INT], [[STRING], INT]),
  ...members("size", "size", [[HIERARCHY], INT]),
  ...members("contains", "contains", [[STRING, STRING], BOOL]),
  ...members("endsWith", "endsWith", [[STRING, STRING], BOOL]),
  ...members("startsWith", "startsWith", [[STRING, STRING], BOOL]),
  ...both("matches", "matches", [[STRING, STRING], BOOL]),
  ...members("charAt", "charAt", [[STRING, INT], STRING]),
  ...members("indexOf", "indexOf2", [[STRING, STRING], INT]),
  ...members("indexOf", "indexOf3", [[STRING, STRING, INT], INT]),
  ...members("lastIndexOf", "lastIndexOf2", [[STRING, STRING], INT]),
  ...members("lastIndexOf", "lastIndexOf3", [[STRING, STRING, INT], INT]),
  ...members("lowerAscii", "lowerAscii", [[STRING], STRING]),
  ...members("upperAscii", "upperAscii", [[STRING], STRING]),
  ...members("replace", "replace3", [[STRING, STRING, STRING], STRING]),
  ...members("replace", "replace4", [[STRING, STRING, STRING, INT], STRING]),
  ...members("split", "split2", [[STRING, STRING], listOf(STRING)]),
  ...members("split", "split3", [[STRING, STRING, INT], listOf(STRING)]),
  ...members("substring", "substring2", [[STRING, INT], STRING]),
  ...members("substring", "substring3", [[STRING, INT, INT], STRING]),
  ...members("trim", "trim", [[STRING], STRING]),
  ...members("join", "join1", [[listOf(STRING)], STRING]),
  ...members("join", "join2", [[listOf(STRING), STRING], STRING]),
  ...members("format", "format", [[STRING, listOf(DYN)], STRING]),
  // The order decides what the reverse of `optional.none().value()`, which has no type yet, is: a list, as in Cerbos.
  ...members("reverse", "reverse", [[listOf(A)], listOf(A)], [[STRING], STRING]),
  ...globals("strings.quote", "quote", [[STRING], STRING]),
];
