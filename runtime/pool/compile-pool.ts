/**
 * Compiles policies in a worker thread, so that a serving thread never stalls. The worker is warm from the first
 * compilation on, because loading the AssemblyScript compiler takes longer than compiling an edit.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { ServeError } from "../errors.ts";
import type { CheckRequest } from "../guest/messages.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** What the worker is asked (compiler/worker.ts). */
export interface CompileTask {
  readonly directory: string;
  /** Where compiled functions survive the process; by default what the environment says in EDICT_CACHE_DIR, or nowhere. */
  readonly cacheDirectory?: string;
  /** Also return this form of the policies as text. */
  readonly print?: "ir" | "as";
  /** Review the policies instead of compiling them: there is no bundle then. */
  readonly lint?: boolean;
  /** Schemas that cannot be loaded are warnings. */
  readonly ignoreSchemas?: boolean;
  /** Keep what was found out, because the directory will be compiled again. */
  readonly remember?: boolean;
  /** All files that can have changed since the directory was compiled last, as far as anybody knows; the others are not looked at. */
  readonly changedFiles?: readonly string[];
  /** Compile only when some file is not as it was the last time. */
  readonly onlyIfChanged?: boolean;
  /** Sequence and git commit for the manifest. */
  readonly stamp?: { readonly sequence?: number; readonly gitCommit?: string };
  /** Also make up requests, for the decisions that a bundle is tested with before it serves. */
  readonly selfTest?: boolean;
}

/** What the worker answers. */
export interface CompileResult {
  /** Null when there are errors, and after a review. */
  readonly bundle: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  /** The diagnostics with source lines and carets; empty when there are none. */
  readonly rendered?: string;
  /** What `print` asked for. */
  readonly text?: string;
  /** Nothing was compiled, as `onlyIfChanged` allows. */
  readonly unchanged?: boolean;
  /** What `selfTest` asked for. */
  readonly selfTestRequests?: readonly CheckRequest[];
  /** Milliseconds per stage. */
  readonly stats: Readonly<Record<string, number>>;
}

/** One worker that compiles; started by the first task. */
export class CompilePool {
  readonly #entry: string | null;
  #pool: Piscina | null = null;

  /** `entry` is another file for the worker to run, for tests. */
  constructor(entry: string | null = null) {
    this.#entry = entry;
  }

  async compile(task: CompileTask): Promise<CompileResult> {
    this.#pool ??= new Piscina({
      filename: this.#entry ?? workerFile(),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Otherwise the idle worker stands still in `Atomics.wait`, and what it would get ready for the next task (compiler/worker.ts)
      // begins when that has come.
      atomics: "disabled",
    });
    const cacheDirectory = task.cacheDirectory ?? process.env["EDICT_CACHE_DIR"];
    const whole = cacheDirectory === undefined || cacheDirectory === "" ? task : { ...task, cacheDirectory };
    return (await this.#pool.run(whole)) as CompileResult;
  }

  /** Stops the worker; a later `compile` starts another. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }
}

/** The compiled worker, seen from `dist/runtime/pool/` or, in tests, from `runtime/pool/`. */
function workerFile(): string {
  for (const candidate of ["../../compiler/worker.js", "../../dist/compiler/worker.js"]) {
    const file = fileURLToPath(new URL(candidate, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new ServeError("EDICT_COMPILER_UNAVAILABLE", "the compiler is not built; run `npm run build`");
}
