/**
 * The compiler as a Piscina task: reads a policy directory and compiles it off the serving thread. The runtime knows this
 * file only by its address.
 */
import { compile, type Diagnostic } from "./index.ts";
import { readSources } from "./directory.ts";
import { lint } from "./lint/index.ts";
import { render } from "./diagnostics/render.ts";
import { printProgram } from "./ir/print.ts";

/** What a task asks for. */
export interface CompileTask {
  readonly directory: string;
  /** Also return the program or the generated AssemblyScript as text. */
  readonly print?: "ir" | "as";
  /** Review the policies instead of compiling them: there is no bundle then. */
  readonly lint?: boolean;
  /** Schemas that cannot be loaded are warnings. */
  readonly ignoreSchemas?: boolean;
}

export interface CompileResult {
  readonly bundle: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  /** The diagnostics for people, with source lines and carets. */
  readonly rendered: string;
  readonly text?: string;
  /** Milliseconds. */
  readonly stats: { readonly read: number; readonly compile: number };
}

/** Compiles the directory of one task. Rejects only when the directory cannot be read at all. */
export default async function compileDirectory(task: CompileTask): Promise<CompileResult> {
  const started = performance.now();
  const { sources, diagnostics: unread } = await readSources(task.directory);
  const read = performance.now();
  const compiled =
    task.lint === true
      ? { diagnostics: lint(sources) }
      : await compile(sources, { ignoreSchemas: task.ignoreSchemas === true });
  const diagnostics = [...unread, ...compiled.diagnostics];
  const failed = diagnostics.some(({ severity }) => severity === "error");
  const text =
    task.print === "as" ? compiled.assemblyScript : compiled.program && printProgram(compiled.program);
  return {
    bundle: failed ? null : (compiled.bundle ?? null),
    diagnostics,
    rendered: render(diagnostics, sources),
    ...(task.print !== undefined && text !== undefined ? { text } : {}),
    stats: { read: read - started, compile: performance.now() - read },
  };
}
