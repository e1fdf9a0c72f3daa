/** The stages that need no AssemblyScript compiler, in order: policy files in, decision program, generated code and image out. */
import { check } from "./cel/index.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { emit, type Emitted } from "./emit/index.ts";
import { lower } from "./ir/index.ts";
import { checkGlobs } from "./ir/passes/check-globs.ts";
import type { Program } from "./ir/program.ts";
import { load, type SourceFile } from "./load/index.ts";
import { CompileMemory } from "./memory.ts";
import { resolve } from "./policy/index.ts";
import type { PolicySet } from "./policy/policy-set.ts";

export interface PlanOptions {
  /** Schemas that cannot be loaded are warnings: requests that they would judge are refused, if schemas are enforced. */
  readonly ignoreSchemas?: boolean;
  /** Kept by a caller that compiles again after edits; changes nothing but the time it takes. */
  readonly memory?: CompileMemory;
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
  const memory = options.memory ?? new CompileMemory();
  const loaded = load(sources, memory.documents);
  const resolved = resolve(loaded, memory.policies);
  const typed = check(resolved.set, memory.expressions);
  const passes = checkGlobs(resolved.set, memory.sound);
  const diagnostics = [...loaded.diagnostics, ...resolved.diagnostics, ...typed.diagnostics, ...passes]
    .map((found) => (options.ignoreSchemas === true ? asWarning(found) : found))
    .sort(byPlace);
  if (diagnostics.some(({ severity }) => severity === "error")) return { diagnostics };
  const program = lower(resolved.set, typed.expressions, typed.used, memory.programs);
  return { set: resolved.set, program, emitted: emit(program), diagnostics };
}

function asWarning(diagnostic: Diagnostic): Diagnostic {
  return diagnostic.code === "EDICT2308" ? { ...diagnostic, severity: "warning" } : diagnostic;
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
  return a.place.line - b.place.line || a.place.column - b.place.column || (a.code < b.code ? -1 : 1);
}
