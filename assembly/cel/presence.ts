/**
 * `has(V.name)`: whether a variable has a value. Cerbos evaluates variables one by one and leaves out those that fail.
 */
import { FALSE, TRUE, isError } from "../value/value";

/** Not strict: false for an error value. */
export function succeeds(value: u64): u64 {
  return isError(value) ? FALSE : TRUE;
}
