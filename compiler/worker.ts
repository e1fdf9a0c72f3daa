/**
 * The compiler as a Piscina task: reads a policy directory and compiles it off the serving thread. The runtime knows this
 * file only by its address.
 */
import { join } from "node:path";
import { DirectoryStore } from "./assemble/directory-store.ts";
import { compile, type Compiled, CompileMemory, type Diagnostic } from "./index.ts";
import type { Stamp } from "./bundle/index.ts";
import { type SelfTestRequest, selfTestRequests } from "./bundle/self-test-requests.ts";
import { readChangedSources, readSources } from "./directory.ts";
import { lint } from "./lint/index.ts";
import type { SourceFile } from "./load/policy-document.ts";
import { render } from "./diagnostics/render.ts";
import { printProgram } from "./ir/print.ts";
import { SourceCache } from "./source-cache.ts";

/** What a task asks for. */
export interface CompileTask {
  readonly directory: string;
  /** Where compiled functions survive the process; nowhere unless told. */
  readonly cacheDirectory?: string;
  /** Also return the program or the generated AssemblyScript as text. */
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
  readonly stamp?: Stamp;
  /** Also make up requests, for the decisions that a bundle is tested with before it serves. */
  readonly selfTest?: boolean;
}

export interface CompileResult {
  readonly bundle: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  /** The diagnostics for people, with source lines and carets. */
  readonly rendered: string;
  readonly text?: string;
  /** Nothing was compiled, as `onlyIfChanged` allows. */
  readonly unchanged?: boolean;
  readonly selfTestRequests?: readonly SelfTestRequest[];
  /** Milliseconds. */
  readonly stats: { readonly read: number; readonly compile: number };
}

/** What is known about a directory that was compiled before. */
interface Remembered {
  readonly files: SourceCache;
  readonly memory: CompileMemory;
  /** Of the last compilation, when it was without errors. */
  sources: readonly SourceFile[];
}

/** Directories remembered at a time: a daemon compiles one, and perhaps a candidate beside it. */
const MAX_REMEMBERED = 2;

const directories = new Map<string, Remembered>();

/** Whether two lists hold the same objects; two empty ones are no reason to believe anything. */
function isSameList(left: readonly SourceFile[], right: readonly SourceFile[]): boolean {
  return (
    left.length > 0 && left.length === right.length && left.every((source, index) => source === right[index])
  );
}

/** What a compilation knows that is not remembered: compiled functions of `cacheDirectory`, if there is one. */
export function memoryWith(cacheDirectory: string | undefined): CompileMemory {
  return new CompileMemory(
    cacheDirectory === undefined ? undefined : new DirectoryStore(join(cacheDirectory, "functions")),
  );
}

function remembered(directory: string, cacheDirectory: string | undefined): Remembered {
  const known = directories.get(directory) ?? {
    files: new SourceCache(),
    memory: memoryWith(cacheDirectory),
    sources: [],
  };
  // The one used longest ago comes first, and goes first.
  directories.delete(directory);
  directories.set(directory, known);
  for (const other of directories.keys()) {
    if (directories.size <= MAX_REMEMBERED) break;
    directories.delete(other);
  }
  return known;
}

/** What can be seen from every thread without being copied. */
function inSharedMemory(size: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(size));
}

/** The program as people read it; it takes longer to write than an edit to compile. */
function textOf({ assemblyScript, program }: Partial<Compiled>, print: "ir" | "as"): string | undefined {
  return print === "as" ? assemblyScript : program && printProgram(program);
}

/**
 * Milliseconds after a compilation until the next run of asc is prepared: the answer goes out first. Where asc has not been needed so
 * far it must be loaded, too, which takes seconds of processor time that others want while a daemon starts.
 */
const PRIME_AFTER = 50;
const LOAD_AFTER = 5000;

function prime({ assemblyScript }: CompileMemory): void {
  const wait = assemblyScript.isLoaded ? PRIME_AFTER : LOAD_AFTER;
  setTimeout(() => void assemblyScript.prime(), wait).unref();
}

/** Compiles the directory of one task. Rejects only when the directory cannot be read at all. */
export default async function compileDirectory(task: CompileTask): Promise<CompileResult> {
  const started = performance.now();
  const kept = task.remember === true ? remembered(task.directory, task.cacheDirectory) : undefined;
  const changed = kept === undefined ? undefined : task.changedFiles;
  const { sources, diagnostics: unread } =
    (changed === undefined ? undefined : readChangedSources(task.directory, changed, kept?.files)) ??
    (await readSources(task.directory, {}, kept?.files));
  const read = performance.now();
  if (kept !== undefined) {
    const isSame = isSameList(kept.sources, sources) && unread.length === 0;
    kept.sources = [];
    if (isSame && task.onlyIfChanged === true) {
      kept.sources = sources;
      return {
        bundle: null,
        diagnostics: [],
        rendered: "",
        unchanged: true,
        stats: { read: read - started, compile: 0 },
      };
    }
  }
  const compiled =
    task.lint === true
      ? { diagnostics: lint(sources) }
      : await compile(sources, {
          ignoreSchemas: task.ignoreSchemas === true,
          memory: kept?.memory ?? memoryWith(task.cacheDirectory),
          // Whoever compiles again and again shares every version with its threads.
          ...(kept === undefined ? {} : { allocate: inSharedMemory }),
          ...task.stamp,
        });
  if (kept !== undefined) prime(kept.memory);
  const diagnostics = [...unread, ...compiled.diagnostics];
  const failed = diagnostics.some(({ severity }) => severity === "error");
  if (kept !== undefined && !failed) kept.sources = sources;
  const text = task.print === undefined ? undefined : textOf(compiled, task.print);
  return {
    bundle: failed ? null : (compiled.bundle ?? null),
    diagnostics,
    rendered: render(diagnostics, sources),
    ...(text === undefined ? {} : { text }),
    ...(task.selfTest === true && compiled.program !== undefined
      ? { selfTestRequests: selfTestRequests(compiled.program) }
      : {}),
    stats: { read: read - started, compile: performance.now() - read },
  };
}
