/**
 * The functions of compiler/cel/builtins/guest-functions.ts on interpreter values, one file per family. A function is
 * strict unless it is listed as accepting errors: an argument that is an error is the result.
 */
import { GUEST_FUNCTIONS, type GuestFunction } from "../../../../compiler/cel/builtins/guest-functions.ts";
import { bool, NULL, type Value } from "../values.ts";
import { ADDRESSES } from "./addresses.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { COMPARISON } from "./comparison.ts";
import { CONVERSION } from "./convert.ts";
import type { Family } from "./family.ts";
import { HIERARCHY } from "./hierarchy.ts";
import { LISTS } from "./lists.ts";
import { MATH } from "./math.ts";
import { NETWORK } from "./network.ts";
import { OPTIONALS } from "./optionals.ts";
import { PATHS } from "./paths.ts";
import { REGEX } from "./regex.ts";
import { SELECTION } from "./select.ts";
import { SPIFFE } from "./spiffe.ts";
import { STRINGS } from "./strings.ts";
import { TIME } from "./time.ts";

const ALL: Family<GuestFunction> = {
  ...ADDRESSES,
  ...ARITHMETIC,
  ...COMPARISON,
  ...CONVERSION,
  ...HIERARCHY,
  ...LISTS,
  ...MATH,
  ...NETWORK,
  ...OPTIONALS,
  ...PATHS,
  ...REGEX,
  ...SELECTION,
  ...SPIFFE,
  ...STRINGS,
  ...TIME,
  // Errors are looked at in callFunction.
  succeeds: () => bool(true),
};

/** Calls a guest function; throws only when the program passes the wrong number of arguments. */
export function callFunction(name: GuestFunction, args: readonly Value[]): Value {
  if (args.length !== GUEST_FUNCTIONS[name]) {
    throw new Error(`${name} takes ${GUEST_FUNCTIONS[name]} arguments, not ${args.length}`);
  }
  // The one function that is not strict.
  const failed = args.find((arg) => arg.kind === "error");
  if (name === "succeeds") return bool(failed === undefined);
  if (failed !== undefined) return failed;
  const [a = NULL, b = NULL, c = NULL, d = NULL] = args;
  return ALL[name](a, b, c, d);
}
