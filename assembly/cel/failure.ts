/**
 * What strict functions answer when they cannot be applied: the leftmost argument that is already an error,
 * else "no such overload". Also the two resource failures. Nothing here inspects an argument that is fine.
 */
import { ERROR_FUEL, ERROR_MEMORY, ERROR_NO_SUCH_OVERLOAD } from "../abi";
import { fail, isError, NULL } from "../value/value";

/** For a unary function whose argument has the wrong type. */
export function noOverload1(first: u64): u64 {
  return isError(first) ? first : fail(ERROR_NO_SUCH_OVERLOAD, NULL);
}

export function noOverload2(first: u64, second: u64): u64 {
  return isError(first) ? first : noOverload1(second);
}

export function noOverload3(first: u64, second: u64, third: u64): u64 {
  return isError(first) ? first : noOverload2(second, third);
}

export function noOverload4(first: u64, second: u64, third: u64, fourth: u64): u64 {
  return isError(first) ? first : noOverload3(second, third, fourth);
}

/** The arena cannot hold the result; the request ends in STATUS_MEMORY whatever is done with this. */
export function noMemory(): u64 {
  return fail(ERROR_MEMORY, NULL);
}

/** The request's fuel is used up; it ends in STATUS_FUEL. */
export function noFuel(): u64 {
  return fail(ERROR_FUEL, NULL);
}
