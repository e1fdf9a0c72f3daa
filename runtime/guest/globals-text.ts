/**
 * `engine.globals` as the text that the guest reads. A number written there without point and exponent is an int (or uint) in conditions, any other a
 * double; JSON has one kind of number, so what whole numbers are to be is said here.
 */

/** What whole numbers are: `int` in Cerbos's server, `double` in the options of its test suites. */
export type WholeGlobals = "int" | "double";

/** JSON text of `globals`. A bigint is a whole number of any size. Values that JSON does not have become null, as in `JSON.stringify`. */
export function globalsText(globals: Readonly<Record<string, unknown>>, whole: WholeGlobals): string {
  return textOf(globals, whole) ?? "{}";
}

function textOf(value: unknown, whole: WholeGlobals): string | undefined {
  if (typeof value === "bigint") return whole === "int" ? String(value) : textOf(Number(value), whole);
  if (typeof value === "number" && whole === "double" && /^-?\d+$/.test(String(value))) return `${value}.0`;
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, whole) ?? "null").join()}]`;
  if (Object.prototype.toString.call(value) !== "[object Object]") return JSON.stringify(value);
  const members = Object.entries(value as object).flatMap(([name, member]) => {
    const text = textOf(member, whole);
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
  });
  return `{${members.join()}}`;
}
