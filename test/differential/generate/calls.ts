/**
 * Calls of the functions and operators in the compiler's overload table: which rows can give a type, and how a row is
 * written down. A function that enters the table enters here by itself.
 */
import type { CelType } from "../../../compiler/cel/expression.ts";
import type { Overload } from "../../../compiler/cel/builtins/overload.ts";
import { overloads } from "../../../compiler/cel/builtins/overload-table.ts";
import { typeArguments, withArguments } from "../../../compiler/cel/types.ts";

/** What the type parameters of a row stand for. */
export type Bindings = Map<string, CelType>;

/** `timeSince` depends on the clock, `_[?_]` and the argument lists of `math.greatest` need a form of their own. */
const LEFT_OUT = new Set(["timeSince", "_[?_]", "math.greatest", "math.least", "format"]);

const INFIX: ReadonlyMap<string, string> = new Map(
  ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"].map((operator) => [`_${operator}_`, operator]),
);

/** Families, so that one with many rows does not crowd out the others: rows by function name. */
const FUNCTIONS: readonly (readonly Overload[])[] = [...overloads.entries()]
  .filter(([name]) => !LEFT_OUT.has(name))
  .map(([, rows]) => rows);

export interface Candidate {
  readonly row: Overload;
  readonly bindings: Bindings;
}

/** By function, the rows whose result can be of the type; nothing is known of a `dyn`, so it takes every row. */
export function candidates(type: CelType): readonly (readonly Candidate[])[] {
  const key = JSON.stringify(type);
  const known = CACHE.get(key);
  if (known !== undefined) return known;
  const found = FUNCTIONS.map((rows) =>
    rows.flatMap((row) => {
      const bindings: Bindings = new Map();
      return type.kind === "dyn" || unify(row.result, type, bindings) ? [{ row, bindings }] : [];
    }),
  ).filter((rows) => rows.length > 0);
  CACHE.set(key, found);
  return found;
}

const CACHE = new Map<string, readonly (readonly Candidate[])[]>();

function unify(pattern: CelType, type: CelType, bindings: Bindings): boolean {
  if (pattern.kind === "parameter") {
    const bound = bindings.get(pattern.name);
    if (bound !== undefined) return JSON.stringify(bound) === JSON.stringify(type);
    bindings.set(pattern.name, type);
    return true;
  }
  if (pattern.kind === "dyn") return true;
  if (pattern.kind !== type.kind) return false;
  if (pattern.kind === "object" && type.kind === "object") return pattern.name === type.name;
  const inner = typeArguments(type);
  return typeArguments(pattern).every((each, index) => {
    const other = inner[index];
    return other !== undefined && unify(each, other, bindings);
  });
}

/** The type with its parameters replaced; `unbound` chooses for those that nothing binds. */
export function instantiate(type: CelType, bindings: Bindings, unbound: () => CelType): CelType {
  if (type.kind === "parameter") {
    const bound = bindings.get(type.name) ?? unbound();
    bindings.set(type.name, bound);
    return bound;
  }
  const inner = typeArguments(type);
  return inner.length === 0
    ? type
    : withArguments(
        type,
        inner.map((each) => instantiate(each, bindings, unbound)),
      );
}

/** The call as text; the arguments are already in parentheses where they need them. */
export function written({ name, style }: Overload, args: readonly string[]): string {
  const [first = "", second = ""] = args;
  const infix = INFIX.get(name);
  if (infix !== undefined) return `(${first} ${infix} ${second})`;
  if (name === "@in") return `(${first} in ${second})`;
  if (name === "!_") return `!${first}`;
  if (name === "-_") return `-(${first})`;
  if (name === "_[_]") return `${first}[${second}]`;
  if (style === "member") return `${first}.${name}(${args.slice(1).join(", ")})`;
  return `${name}(${args.join(", ")})`;
}
