/**
 * What the lexer, the parser and the checker report: a code of diagnostics/cel-codes.ts, its parameters and a place in
 * the expression's text. Places in files are computed later (source-map.ts), because one text stands in many files.
 */
import type { celCodes } from "../diagnostics/cel-codes.ts";
import type { Span } from "./expression.ts";

export type CelCode = keyof typeof celCodes;

export interface Problem {
  readonly code: CelCode;
  readonly params: Readonly<Record<string, string | number>>;
  readonly span: Span;
}
