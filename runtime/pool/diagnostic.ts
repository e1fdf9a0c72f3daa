/**
 * The shape in which the compile worker reports problems: a structural copy of compiler/diagnostics/diagnostic.ts,
 * because runtime/ never imports compiler/. Only plain text rendering lives here; the worker renders carets.
 */

export interface Place {
  /** Relative to the policy directory, forward slashes. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, UTF-16 units. */
  readonly column: number;
  /** YAML path, as in `$.resourcePolicy.rules[0]`. */
  readonly path: string;
}

export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly place: Place;
  readonly help: string;
  readonly length: number;
}

/** One line per diagnostic, for when the worker sent no rendered text. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { place } = diagnostic;
  const help = diagnostic.help === "" ? "" : `\n  help: ${diagnostic.help}`;
  return `${place.file}:${place.line}:${place.column}: ${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message}${help}`;
}
