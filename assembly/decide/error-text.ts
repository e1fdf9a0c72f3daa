/** The texts of CEL run-time errors, as cel-go words them; shown in outputs and explanations. */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_BAD_CONVERSION,
  ERROR_DERIVED_ROLES,
  ERROR_DIVISION_BY_ZERO,
  ERROR_FUEL,
  ERROR_INDEX_OUT_OF_RANGE,
  ERROR_MEMORY,
  ERROR_MODULUS_BY_ZERO,
  ERROR_NO_SUCH_KEY,
  ERROR_NO_SUCH_OVERLOAD,
  ERROR_OPTIONAL_NONE,
  ERROR_OVERFLOW,
  TAG_STRING,
} from "../abi";
import { allocate, fits } from "../memory/arena";
import { errorCode, errorDetail, lengthOf, startOf, tagOf } from "../value/value";
import { fragment, fragmentLength, fragmentStart } from "./fragments";

const NO_SUCH_KEY = fragment("no such key: ");
const NO_SUCH_OVERLOAD = fragment("no such overload");
const DIVISION_BY_ZERO = fragment("division by zero");
const MODULUS_BY_ZERO = fragment("modulus by zero");
const OVERFLOW = fragment("integer overflow");
const INDEX_OUT_OF_RANGE = fragment("index out of bounds");
const BAD_CONVERSION = fragment("type conversion error");
const BAD_ARGUMENT = fragment("invalid argument");
const FUEL = fragment("evaluation budget exceeded");
const MEMORY = fragment("out of memory");
const DERIVED_ROLES = fragment("failed to compute effective derived roles");
const OPTIONAL_NONE = fragment("optional.none() dereference");
const NOT_CONVERTIBLE = fragment("value cannot be converted to JSON");

export let errorTextStart: usize = 0;
export let errorTextLength: u32 = 0;

/** Writes the text of an error value into `errorTextStart`, `errorTextLength`. */
export function describeError(error: u64): void {
  const code = errorCode(error);
  if (code == ERROR_NO_SUCH_KEY) withDetail(NO_SUCH_KEY, errorDetail(error));
  else use(textOf(code));
}

/** The text for a value that has no JSON form. */
export function describeNotConvertible(): void {
  use(NOT_CONVERTIBLE);
}

function textOf(code: i32): usize {
  switch (code) {
    case ERROR_NO_SUCH_OVERLOAD:
      return NO_SUCH_OVERLOAD;
    case ERROR_DIVISION_BY_ZERO:
      return DIVISION_BY_ZERO;
    case ERROR_MODULUS_BY_ZERO:
      return MODULUS_BY_ZERO;
    case ERROR_OVERFLOW:
      return OVERFLOW;
    case ERROR_INDEX_OUT_OF_RANGE:
      return INDEX_OUT_OF_RANGE;
    case ERROR_BAD_CONVERSION:
      return BAD_CONVERSION;
    case ERROR_BAD_ARGUMENT:
      return BAD_ARGUMENT;
    case ERROR_FUEL:
      return FUEL;
    case ERROR_MEMORY:
      return MEMORY;
    case ERROR_DERIVED_ROLES:
      return DERIVED_ROLES;
    case ERROR_OPTIONAL_NONE:
      return OPTIONAL_NONE;
    default:
      return BAD_ARGUMENT;
  }
}

function use(text: usize): void {
  errorTextStart = fragmentStart(text);
  errorTextLength = fragmentLength(text);
}

function withDetail(prefix: usize, detail: u64): void {
  use(prefix);
  if (tagOf(detail) != TAG_STRING) return;
  const size = fragmentLength(prefix) + lengthOf(detail);
  if (!fits(size)) return;
  const start = allocate(size);
  memory.copy(start, fragmentStart(prefix), fragmentLength(prefix));
  memory.copy(start + fragmentLength(prefix), startOf(detail), lengthOf(detail));
  errorTextStart = start;
  errorTextLength = size;
}
