/**
 * Diagnostics for people and for programs. Text output shows file:line:column (which editors and terminals make
 * clickable), the line with the place underlined, and how to mend it. No colours: the command line adds those.
 */
import type { Diagnostic } from "./diagnostic.ts";

/** A file whose lines can be shown; `SourceFile` is one. */
export interface RenderSource {
  readonly path: string;
  readonly text: string;
}

/** Characters of a source line that are shown; longer lines are cut around the place. */
const MAX_WIDTH = 120;

/** All diagnostics in the order given, each followed by an empty line, then the count. "" when there are none. */
export function render(diagnostics: readonly Diagnostic[], sources: readonly RenderSource[]): string {
  if (diagnostics.length === 0) {
    return "";
  }
  const texts = new Map(sources.map(({ path, text }) => [path, text]));
  const parts = diagnostics.map((diagnostic) => renderOne(diagnostic, texts.get(diagnostic.place.file)));
  return `${parts.join("\n\n")}\n\n${summary(diagnostics)}\n`;
}

/** One diagnostic, without a final line break. @param text the file's text, where known */
export function renderOne(diagnostic: Diagnostic, text: string | undefined): string {
  const { code, severity, message, place, help, length } = diagnostic;
  const lines = [`${place.file}:${place.line}:${place.column}: ${severity} ${code}: ${message}`];
  const source = text === undefined ? undefined : lineAt(text, place.line);
  if (source !== undefined && source.trim() !== "") {
    lines.push(...excerpt(source, place.line, place.column, length));
  }
  if (place.path !== "$") {
    lines.push(`  at ${printable(place.path)}`);
  }
  if (help !== "") {
    lines.push(`  help: ${help}`);
  }
  return lines.join("\n");
}

/** "2 errors, 1 warning". */
export function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [];
  if (errors > 0 || warnings === 0) {
    parts.push(`${errors} ${errors === 1 ? "error" : "errors"}`);
  }
  if (warnings > 0) {
    parts.push(`${warnings} ${warnings === 1 ? "warning" : "warnings"}`);
  }
  return parts.join(", ");
}

export interface DiagnosticJson {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly help: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly path: string;
}

/** Flat JSON form, as printed by `--json`. */
export function toJson({ code, severity, message, help, place, length }: Diagnostic): DiagnosticJson {
  const { file, line, column, path } = place;
  return { code, severity, message, help, file, line, column, length, path };
}

/** The source line with its number, and the line of carets below it. */
function excerpt(source: string, line: number, column: number, length: number): string[] {
  const from = column > MAX_WIDTH - 20 ? column - 40 : 0;
  const shown = printable(source.slice(from, from + MAX_WIDTH));
  const gutter = String(line);
  const at = Math.max(0, column - 1 - from);
  const carets = "^".repeat(Math.max(1, Math.min(length, shown.length - at)));
  const margin = " ".repeat(gutter.length);
  return [`  ${gutter} | ${shown}`, `  ${margin} | ${" ".repeat(at)}${carets}`];
}

/** Control characters would move the carets, or worse; each becomes one harmless character. */
function printable(text: string): string {
  return text.replace(/\t/g, " ").replace(/[\p{Cc}\u2028\u2029]/gu, "\u00b7");
}

function lineAt(text: string, line: number): string | undefined {
  let start = 0;
  for (let n = 1; n < line; n++) {
    start = text.indexOf("\n", start) + 1;
    if (start === 0) {
      return undefined;
    }
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? undefined : end).replace(/\r$/, "");
}
