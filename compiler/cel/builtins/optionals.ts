/** The optional types of cel-go. Optional selection and indexing are operators. */
import { BOOL, listOf, optionalOf, parameter } from "../types.ts";
import { globals, members, type Overload } from "./overload.ts";

const A = parameter("A");
const OPTIONAL = optionalOf(A);

export const optionals: readonly Overload[] = [
  ...globals("optional.of", "optionalOf", [[A], OPTIONAL]),
  ...globals("optional.ofNonZeroValue", "optionalOfNonZero", [[A], OPTIONAL]),
  ...globals("optional.none", "optionalNone", [[], OPTIONAL]),
  ...globals("optional.unwrap", "optionalUnwrap", [[listOf(OPTIONAL)], listOf(A)]),
  ...members("unwrapOpt", "optionalUnwrap", [[listOf(OPTIONAL)], listOf(A)]),
  ...members("value", "optionalValue", [[OPTIONAL], A]),
  ...members("hasValue", "optionalHasValue", [[OPTIONAL], BOOL]),
  ...members("or", "optionalOr", [[OPTIONAL, OPTIONAL], OPTIONAL]),
  ...members("orValue", "optionalOrValue", [[OPTIONAL, A], A]),
];
