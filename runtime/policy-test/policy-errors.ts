/**
 * What is wrong with policies, in the shape that `cerbos compile --output json` prints instead of test results: lint errors where
 * the files or the set cannot be loaded, compile errors otherwise. Texts and kinds are edict's own.
 */
import type { Diagnostic } from "../pool/diagnostic.ts";

interface Position {
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

interface LintErrors {
  readonly load_failures?: readonly {
    readonly file: string;
    readonly error: string;
    readonly error_details: { readonly kind: number; readonly position: Position; readonly message: string };
  }[];
  readonly duplicate_defs?: readonly { readonly file: string; readonly position: Position }[];
  readonly missing_imports?: readonly {
    readonly importing_file: string;
    readonly desc: string;
    readonly position: Position;
  }[];
  readonly missing_scope_details?: readonly { readonly missing_policy: string }[];
  readonly scope_permissions_conflicts?: readonly { readonly file: string; readonly desc: string }[];
}

export interface PolicyErrors {
  readonly lintErrors?: LintErrors;
  readonly compileErrors?: {
    readonly errors: readonly {
      readonly file: string;
      /** The code of the diagnostic. */
      readonly error: string;
      readonly description: string;
      readonly position: Position;
    }[];
  };
}

const LOAD = /^EDICT(1\d{3}|20\d\d|210[1-5]|2109)$/;
const INDEX = /^EDICT(1\d{3}|20\d\d|210[1-5]|2109|230[1-4])$/;
const PARSE = /^EDICT(1\d{3}|200\d)$/;

const KIND_PARSE_ERROR = 1;
const KIND_VALIDATION_ERROR = 2;

/** The errors among some diagnostics. As in Cerbos there are no compile errors where there are lint errors. */
export function policyErrors(diagnostics: readonly Diagnostic[]): PolicyErrors {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const index = errors.filter(({ code }) => INDEX.test(code));
  if (index.length > 0) return { lintErrors: lintErrors(index) };
  return {
    compileErrors: {
      errors: errors.map((one) => ({
        file: one.place.file,
        error: one.code,
        description: one.message,
        position: positionOf(one),
      })),
    },
  };
}

function lintErrors(errors: readonly Diagnostic[]): LintErrors {
  const of = (codes: RegExp): readonly Diagnostic[] => errors.filter(({ code }) => codes.test(code));
  const loads = of(LOAD).map((one) => ({
    file: one.place.file,
    error: one.message,
    error_details: {
      kind: PARSE.test(one.code) ? KIND_PARSE_ERROR : KIND_VALIDATION_ERROR,
      position: positionOf(one),
      message: one.message,
    },
  }));
  const duplicates = of(/2301$/).map((one) => ({
    file: one.place.file,
    policy: named(one),
    position: positionOf(one),
  }));
  const imports = of(/2302$/).map((one) => ({
    importing_file: one.place.file,
    desc: one.message,
    position: positionOf(one),
  }));
  const scopes = [...new Set(of(/2303$/).map(named))].map((missing_policy) => ({ missing_policy }));
  const conflicts = of(/2304$/).map((one) => ({ file: one.place.file, desc: one.message }));
  return {
    ...(loads.length > 0 ? { load_failures: loads } : {}),
    ...(duplicates.length > 0 ? { duplicate_defs: duplicates } : {}),
    ...(imports.length > 0 ? { missing_imports: imports } : {}),
    ...(scopes.length > 0 ? { missing_scope_details: scopes } : {}),
    ...(conflicts.length > 0 ? { scope_permissions_conflicts: conflicts } : {}),
  };
}

function positionOf({ place: { line, column, path } }: Diagnostic): Position {
  return { line, column, path };
}

/** The first name in backticks: the policy that a message is about. */
function named({ message }: Diagnostic): string {
  return /`([^`]*)`/.exec(message)?.[1] ?? "";
}
