/** What every stage reports: one problem at one place, as a value. Rendering is in render.ts. */

/** A place in a source file. Lines and columns are 1-based, columns count UTF-16 units. */
export interface Place {
  /** Path of the file relative to the policy directory, with forward slashes. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** YAML path from the document's root, as in `$.resourcePolicy.rules[0].condition.match.expr`. */
  readonly path: string;
}

export type Severity = "error" | "warning";

export interface Diagnostic {
  /** Stable code, `EDICT` and four digits; the first digit is the stage. */
  readonly code: string;
  readonly severity: Severity;
  /** Lower-case, one line, no final period, backticks around user text. */
  readonly message: string;
  readonly place: Place;
  /** How to mend it; may be empty. */
  readonly help: string;
  /** Number of characters to underline from the place; 1 when unknown. */
  readonly length: number;
}
