/**
 * Places in files for places in expressions. Exact for plain scalars and block scalars, whose lines stand in the file as
 * they stand in the text; a best effort for quoted scalars with escapes and for folded ones.
 */
import type { Place } from "../diagnostics/diagnostic.ts";
import type { CelSource } from "../policy/policy-set.ts";
import type { Span } from "./expression.ts";

/** The place of `span` and the number of characters to underline there, which never reach into the next line. */
export function placeOf(source: CelSource, span: Span): { readonly place: Place; readonly length: number } {
  const { place, text } = source;
  const start = Math.min(span.start, text.length);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lines = start === 0 || lineStart === 0 ? 0 : countLines(text, lineStart);
  const column = place.column + start - (lines === 0 ? 0 : lineStart);
  const lineEnd = text.indexOf("\n", start);
  const end = Math.min(span.end, lineEnd === -1 ? text.length : lineEnd);
  return { place: { ...place, line: place.line + lines, column }, length: Math.max(1, end - start) };
}

function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
