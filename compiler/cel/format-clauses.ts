/** The clauses of a format string (`%s %d %.2f`) and the types they take. Formatting itself is the guest's. */
import type { CelType } from "./expression.ts";
import { typeText } from "./types.ts";

const MAX_PRECISION = 100;

const INTEGERS = ["int", "uint"];
const NUMBERS = [...INTEGERS, "double"];

/** Kinds of types by clause; dyn fits every clause. */
const CLAUSES: Readonly<Record<string, readonly string[]>> = {
  s: [...NUMBERS, "string", "bool", "bytes", "null", "map", "list", "type", "duration", "timestamp"],
  d: NUMBERS,
  f: NUMBERS,
  e: NUMBERS,
  b: [...INTEGERS, "bool"],
  x: [...INTEGERS, "string", "bytes"],
  X: [...INTEGERS, "string", "bytes"],
  o: INTEGERS,
};

/** What is wrong with `format` for arguments of these types, or undefined. */
export function formatProblem(format: string, types: readonly CelType[]): string | undefined {
  let used = 0;
  for (let at = format.indexOf("%"); at !== -1; at = format.indexOf("%", at)) {
    at++;
    if (format[at] === "%") {
      at++;
      continue;
    }
    const precision = /^\.(\d*)/.exec(format.slice(at, at + 5));
    if (precision !== null) {
      const [written, digits = ""] = precision;
      if (digits === "") return "a precision needs digits after the point";
      if (Number(digits) > MAX_PRECISION) return `the precision is more than ${MAX_PRECISION}`;
      at += written.length;
    }
    const clause = format[at];
    if (clause === undefined) return "it ends inside a clause";
    const kinds = Object.hasOwn(CLAUSES, clause) ? CLAUSES[clause] : undefined;
    const type = types[used++];
    if (type === undefined) return `there are more clauses than the ${types.length} arguments`;
    if (kinds === undefined) return `\`%${clause}\` is not a clause`;
    if (type.kind !== "dyn" && !kinds.includes(type.kind)) {
      return `\`%${clause}\` cannot show a value of type \`${typeText(type)}\``;
    }
    at++;
  }
  return used < types.length ? `there are ${types.length} arguments for ${used} clauses` : undefined;
}
