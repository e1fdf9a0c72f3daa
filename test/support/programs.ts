/**
 * Programs for the reference interpreter: stages 1 to 4 of the compiler on a directory, without asc. For a directory
 * that holds things edict does not support yet, `compilableSubset` leaves the offending files out.
 */
import { check } from "../../compiler/cel/index.ts";
import { readSources } from "../../compiler/directory.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { lower } from "../../compiler/ir/index.ts";
import { checkGlobs } from "../../compiler/ir/passes/check-globs.ts";
import type { Program } from "../../compiler/ir/program.ts";
import { load, type SourceFile } from "../../compiler/load/index.ts";
import { resolve } from "../../compiler/policy/index.ts";

export interface LoadedProgram {
  readonly program: Program | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Lowers sources; no program when there is an error among the diagnostics. */
export function programOf(sources: readonly SourceFile[]): LoadedProgram {
  const loaded = load(sources);
  const resolved = resolve(loaded);
  const typed = check(resolved.set);
  const passes = checkGlobs(resolved.set);
  const diagnostics = [...loaded.diagnostics, ...resolved.diagnostics, ...typed.diagnostics, ...passes];
  const failed = diagnostics.some(({ severity }) => severity === "error");
  return { program: failed ? undefined : lower(resolved.set, typed.expressions, typed.used), diagnostics };
}

/** Reads and lowers a policy directory; throws with the diagnostics when it does not compile. */
export async function programFrom(directory: string): Promise<Program> {
  const { sources } = await readSources(directory);
  const { program, diagnostics } = programOf(sources);
  if (program === undefined) throw new Error(describe(diagnostics));
  return program;
}

export interface Subset {
  readonly sources: readonly SourceFile[];
  /** Files left out, each with its first error. */
  readonly omitted: ReadonlyMap<string, string>;
}

/** The largest part of the sources found by leaving out files with errors until none is left. */
export function compilableSubset(sources: readonly SourceFile[]): Subset {
  const omitted = new Map<string, string>();
  let kept = sources;
  while (true) {
    const errors = programOf(kept).diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length === 0) return { sources: kept, omitted };
    for (const { code, message, place } of errors) {
      if (!omitted.has(place.file)) omitted.set(place.file, `${code}: ${message}`);
    }
    const rest = kept.filter(({ path }) => !omitted.has(path));
    if (rest.length === kept.length) throw new Error(describe(errors));
    kept = rest;
  }
}

function describe(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map(({ place, code, message }) => `${place.file}:${place.line}:${place.column} ${code} ${message}`)
    .join("\n");
}
