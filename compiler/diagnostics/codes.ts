/**
 * The one table of diagnostic codes and the one way to make a diagnostic. Each stage keeps its rows in its own file;
 * this file only merges them. Every code is explained in docs/errors.md (a test compares the two).
 */
import { bundleCodes } from "./bundle-codes.ts";
import { celCodes } from "./cel-codes.ts";
import type { CodeEntry } from "./code-table.ts";
import type { Diagnostic, Place } from "./diagnostic.ts";
import { emitCodes } from "./emit-codes.ts";
import { invariant } from "./invariant.ts";
import { irCodes } from "./ir-codes.ts";
import { lintCodes } from "./lint-codes.ts";
import { loadCodes } from "./load-codes.ts";
import { policyCodes } from "./policy-codes.ts";

export const codes = {
  ...loadCodes,
  ...policyCodes,
  ...celCodes,
  ...irCodes,
  ...emitCodes,
  ...bundleCodes,
  ...lintCodes,
} as const;

export type Code = keyof typeof codes;

export type Params = Readonly<Record<string, string | number>>;

/** Longest piece of user text shown in a message, in UTF-16 units: messages stay one readable line. */
const MAX_PARAMETER_LENGTH = 160;

/**
 * Makes a diagnostic from the table.
 * @param params value of every `{name}` in the message and help of the code
 * @param length characters to underline from the place, 1 when unknown
 */
export function diagnose(code: Code, params: Params, place: Place, length = 1): Diagnostic {
  const entry: CodeEntry = codes[code];
  return {
    code,
    severity: entry.severity ?? "error",
    message: fill(entry.message, params, code),
    place,
    help: fill(entry.help, params, code),
    length,
  };
}

function fill(template: string, params: Params, code: string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    invariant(value !== undefined, `${code} needs the parameter ${name}`);
    return oneLine(String(value));
  });
}

/** User text as it may stand in a message: no line breaks or control characters, not endless. */
function oneLine(text: string): string {
  const cut = text.length > MAX_PARAMETER_LENGTH ? `${text.slice(0, MAX_PARAMETER_LENGTH)}…` : text;
  // A control character in a file name or a key must not reach a terminal.
  return cut.replace(/[\p{Cc}\u2028\u2029]/gu, (char) =>
    char === "\n" ? "\\n" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Order in which diagnostics are shown: by place, then code, so that the order of files and rules never shows. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  return (
    compareText(a.place.file, b.place.file) ||
    a.place.line - b.place.line ||
    a.place.column - b.place.column ||
    compareText(a.code, b.code) ||
    compareText(a.message, b.message)
  );
}

/** Compares by UTF-16 units: the same everywhere, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
