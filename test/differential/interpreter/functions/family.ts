/** The shape of a family of guest functions; each family is one file of this directory. */
import type { GuestFunction } from "../../../../compiler/cel/builtins/guest-functions.ts";
import type { Value } from "../values.ts";

/** Arguments beyond the function's arity are never read. None of the arguments is an error value. */
export type Implementation = (a: Value, b: Value, c: Value, d: Value) => Value;

export type Family<Name extends GuestFunction> = Readonly<Record<Name, Implementation>>;
