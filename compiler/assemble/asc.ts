/**
 * The only caller of the AssemblyScript compiler: text to WASM. Runs asc in this process. Most of what asc does for a small module
 * is to parse its own library; `prime` lets it do that before the text is known, while nobody waits.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { invariant } from "../diagnostics/invariant.ts";

/** The two files of a compilation. */
export interface AssemblySources {
  /** `core.ts`: declarations of what is imported. */
  readonly core: string;
  /** `policy.ts`. */
  readonly policy: string;
}

const FLAGS = [
  "policy.ts",
  "--outFile",
  "policy.wasm",
  "--runtime",
  "stub",
  "--importMemory",
  "--noExportMemory",
  "--use",
  "abort=",
  "--noAssert",
  "-O2",
] as const;

/** One run of asc, which waits for its sources after it has read its library. */
interface Run {
  readonly give: (sources: AssemblySources) => void;
  readonly wasm: Promise<Uint8Array>;
}

/** Compiles one text at a time, each by a run of its own. */
export class AssemblyScript {
  /** The next run. A promise, so that whoever comes while it starts waits for it instead of starting another, which nobody would end. */
  #primed: Promise<Run> | undefined;
  #isLoaded = false;

  /** Whether it has run or been prepared before, so that asc is in memory. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Starts the next run, so that `compile` only has to hand it the sources. */
  async prime(): Promise<void> {
    this.#isLoaded = true;
    this.#primed ??= start();
    await this.#primed;
  }

  /** Compiles generated code. That asc refuses some is a bug of stage 5, never of the policies. */
  async compile(sources: AssemblySources): Promise<Uint8Array> {
    this.#isLoaded = true;
    const starting = this.#primed ?? start();
    this.#primed = undefined;
    const run = await starting;
    run.give(sources);
    return run.wasm;
  }
}

let version: string | undefined;

/** The version of asc, on which the code that it makes depends; known without loading it, which takes most of a second. */
export function assemblyScriptVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  const file = createRequire(import.meta.url).resolve("assemblyscript/package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

async function start(): Promise<Run> {
  const { default: asc } = await import("assemblyscript/asc");
  const { promise: sources, resolve: give } = deferred<AssemblySources>();
  const run = async (): Promise<Uint8Array> => {
    let wasm: Uint8Array | undefined;
    const complaints: string[] = [];
    const { error } = await asc.main([...FLAGS], {
      readFile: async (name: string) => {
        if (name === "policy.ts") return (await sources).policy;
        return name === "core.ts" ? (await sources).core : null;
      },
      writeFile: (name: string, contents: string | Uint8Array) => {
        if (name === "policy.wasm" && typeof contents !== "string") wasm = contents;
      },
      listFiles: () => [],
      stderr: { write: (text: string | Uint8Array) => complaints.push(String(text)) },
    });
    invariant(
      error === null && wasm !== undefined,
      `generated AssemblyScript compiles: ${String(error)} ${complaints.join("")}`,
    );
    return wasm;
  };
  return { give, wasm: run() };
}

/** A promise and what settles it. */
function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  const settle: ((value: T) => void)[] = [];
  const promise = new Promise<T>((resolve) => {
    settle.push(resolve);
  });
  return { promise, resolve: (value) => settle[0]?.(value) };
}
