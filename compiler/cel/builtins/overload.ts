/** The shape of the overload table's rows and short ways to write them. The rows are one file per family. */
import type { CelType } from "../expression.ts";
import type { GuestFunction } from "./guest-functions.ts";

/** `global`: `f(x)`; `member`: `x.f()`, the receiver being the first parameter. */
export type CallStyle = "global" | "member";

export interface Overload {
  /** CEL name; operators have the names of cel-spec (`_+_`). */
  readonly name: string;
  readonly style: CallStyle;
  /** Types may hold parameters, which stand for any type, the same one throughout the row. */
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  readonly guest: GuestFunction;
}

type Row = readonly [parameters: readonly CelType[], result: CelType];

/** Rows of one function called as `name(...)`. */
export function globals(name: string, guest: GuestFunction, ...rows: readonly Row[]): readonly Overload[] {
  return rows.map(([parameters, result]) => ({ name, style: "global", parameters, result, guest }));
}

/** Rows of one function called as `receiver.name(...)`. */
export function members(name: string, guest: GuestFunction, ...rows: readonly Row[]): readonly Overload[] {
  return rows.map(([parameters, result]) => ({ name, style: "member", parameters, result, guest }));
}

/** Rows of one function that can be called both ways. */
export function both(name: string, guest: GuestFunction, ...rows: readonly Row[]): readonly Overload[] {
  return [...globals(name, guest, ...rows), ...members(name, guest, ...rows)];
}
