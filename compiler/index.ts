/**
 * The compiler: policy files in, one bundle out, as six stages. A pure function of its sources and of the guest core.
 */
import { bundle } from "./bundle/index.ts";
import { readCore } from "./bundle/core.ts";
import { check } from "./cel/index.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { emit, type Emitted } from "./emit/index.ts";
import { lower } from "./ir/index.ts";
import { checkGlobs } from "./ir/passes/check-globs.ts";
import type { Program } from "./ir/program.ts";
import { load, type SourceFile } from "./load/index.ts";
import { resolve } from "./policy/index.ts";
import type { PolicySet } from "./policy/policy-set.ts";

export type { Diagnostic } from "./diagnostics/diagnostic.ts";
export type { SourceFile } from "./load/index.ts";

export interface PlanOptions {
  /** Schemas that cannot be loaded are warnings: requests that they would judge are refused, if schemas are enforced. */
  readonly ignoreSchemas?: boolean;
}

export interface CompileOptions extends PlanOptions {
  /** core.wasm; by default the one that `npm run build` made. */
  readonly core?: Uint8Array;
}

export interface Compiled {
  /** The `*.edict` file; absent when there is an error among the diagnostics. */
  readonly bundle?: Uint8Array;
  /** The decision program, for tools; absent with the bundle. */
  readonly program?: Program;
  /** The generated AssemblyScript, for people; absent with the bundle. */
  readonly assemblyScript?: string;
  /** Everything found in the sources, sorted by file and place. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What the first five stages make of the sources; everything but the diagnostics is absent when there is an error. */
export interface Planned {
  readonly set?: PolicySet;
  readonly program?: Program;
  readonly emitted?: Emitted;
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs the stages that need no AssemblyScript compiler: enough to check policies and to print what they become. */
export function plan(sources: readonly SourceFile[], options: PlanOptions = {}): Planned {
  const loaded = load(sources);
  const resolved = resolve(loaded);
  const typed = check(resolved.set);
  const passes = checkGlobs(resolved.set);
  const diagnostics = [...loaded.diagnostics, ...resolved.diagnostics, ...typed.diagnostics, ...passes]
    .map((found) => (options.ignoreSchemas === true ? asWarning(found) : found))
    .sort(byPlace);
  if (diagnostics.some(({ severity }) => severity === "error")) return { diagnostics };
  const program = lower(resolved.set, typed.expressions, typed.used);
  return { set: resolved.set, program, emitted: emit(program), diagnostics };
}

/** Compiles policy files. Never throws for what is in them; every problem is a diagnostic. */
export async function compile(
  sources: readonly SourceFile[],
  options: CompileOptions = {},
): Promise<Compiled> {
  const { set, program, emitted, diagnostics } = plan(sources, options);
  if (set === undefined || program === undefined || emitted === undefined) return { diagnostics };
  const core = options.core ?? (await readCore());
  const file = await bundle({ emitted, program, set, sources, core });
  return { bundle: file, program, assemblyScript: emitted.module.policy, diagnostics };
}

function asWarning(diagnostic: Diagnostic): Diagnostic {
  return diagnostic.code === "EDICT2308" ? { ...diagnostic, severity: "warning" } : diagnostic;
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
  return a.place.line - b.place.line || a.place.column - b.place.column || (a.code < b.code ? -1 : 1);
}
