/**
 * The compiler: policy files in, one bundle out, as six stages. A pure function of its sources and of the guest core.
 */
import { bundle, type Stamp } from "./bundle/index.ts";
import { readCore } from "./bundle/core.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import type { Program } from "./ir/program.ts";
import type { SourceFile } from "./load/index.ts";
import { CompileMemory } from "./memory.ts";
import { plan, type PlanOptions } from "./plan.ts";

export { CompileMemory } from "./memory.ts";
export { plan, type Planned, type PlanOptions } from "./plan.ts";
export type { Diagnostic } from "./diagnostics/diagnostic.ts";
export type { SourceFile } from "./load/index.ts";

export interface CompileOptions extends PlanOptions, Stamp {
  /** core.wasm; by default the one that `npm run build` made. */
  readonly core?: Uint8Array;
  /** Memory for the bundle, all zero; memory of its own unless told. */
  readonly allocate?: (size: number) => Uint8Array;
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

/** Compiles policy files. Never throws for what is in them; every problem is a diagnostic. */
export async function compile(
  sources: readonly SourceFile[],
  options: CompileOptions = {},
): Promise<Compiled> {
  const memory = options.memory ?? new CompileMemory();
  const { set, program, emitted, diagnostics } = plan(sources, { ...options, memory });
  if (set === undefined || program === undefined || emitted === undefined) return { diagnostics };
  const core = options.core ?? (await readCore());
  const { allocate } = options;
  const file = await bundle({
    emitted,
    program,
    set,
    sources,
    core,
    stamp: options,
    memory,
    ...(allocate === undefined ? {} : { allocate }),
  });
  return { bundle: file, program, assemblyScript: emitted.module.policy, diagnostics };
}
