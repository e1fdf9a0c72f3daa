/**
 * CEL `!`. The other logical operators decide what is evaluated, so generated code has them; how errors count
 * in conditions is decided in decide/.
 */
import { FALSE, TRUE } from "../value/value";
import { noOverload1 } from "./failure";

/** CEL `!value`. */
export function not(value: u64): u64 {
  return value == TRUE ? FALSE : value == FALSE ? TRUE : noOverload1(value);
}
