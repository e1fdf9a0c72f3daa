/**
 * What generated code needs where CEL decides which operands are evaluated: `&&`, `||` and the conditional operator
 * (cel-spec langdef, "Logical Operators"). Generated code skips an operand that cannot matter; these merge two results.
 */
import { ERROR_NO_SUCH_OVERLOAD } from "../abi";
import { FALSE, NULL, TRUE, fail, isError } from "../value/value";

/** An operand of a logical operator: a bool or an error stays, anything else is an error. */
export function asBool(value: u64): u64 {
  return value == TRUE || value == FALSE ? value : notABool(value);
}

/** The error for a value that should have been a bool; an error stays itself. */
export function notABool(value: u64): u64 {
  return isError(value) ? value : fail(ERROR_NO_SUCH_OVERLOAD, NULL);
}

/** `left && right` of two evaluated operands: false wins over an error, an error over true; the left error first. */
export function and(left: u64, right: u64): u64 {
  if (right == FALSE || left == FALSE) return FALSE;
  return left == TRUE ? asBool(right) : left;
}

/** `left || right` of two evaluated operands: true wins over an error, an error over false. */
export function or(left: u64, right: u64): u64 {
  if (right == TRUE || left == TRUE) return TRUE;
  return left == FALSE ? asBool(right) : left;
}
