/**
 * The only caller of the AssemblyScript compiler: policy module text to WASM. Runs asc in this process; a warm process
 * compiles a small module in tens of milliseconds.
 */
import { invariant } from "../diagnostics/invariant.ts";
import type { PolicyModule } from "../emit/policy-module.ts";

/** Result of compiling a policy module. */
export interface Assembled {
  readonly wasm: Uint8Array;
}

const FLAGS = [
  "policy.ts",
  "--outFile",
  "policy.wasm",
  "--runtime",
  "stub",
  "--importMemory",
  "--noExportMemory",
  "--bindings",
  "raw",
  "--use",
  "abort=",
  "--noAssert",
  "-O2",
] as const;

/** Compiles a policy module. Generated code that asc refuses is a bug of stage 5, never of the policies. */
export async function assemble(module: PolicyModule): Promise<Assembled> {
  const { default: asc } = await import("assemblyscript/asc");
  const files = new Map([
    ["policy.ts", module.policy],
    ["core.ts", module.core],
  ]);
  let wasm: Uint8Array | undefined;
  const complaints: string[] = [];
  const { error } = await asc.main([...FLAGS], {
    readFile: (name: string) => files.get(name) ?? null,
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
  return { wasm };
}
