/** Compiles policies with the built compiler, in the worker that the daemon uses. */
import { CompilePool } from "../../../runtime/pool/compile-pool.ts";
import { temporaryDirectory, writeFiles } from "./daemon.ts";

/** The bundle of a set of policy files. Throws with the diagnostics when they do not compile. */
export async function compilePolicies(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const directory = await temporaryDirectory();
  const pool = new CompilePool();
  try {
    await writeFiles(directory.path, files);
    const result = await pool.compile({ directory: directory.path });
    if (result.bundle === null) throw new Error(result.rendered ?? "the policies do not compile");
    return result.bundle;
  } finally {
    await pool.close();
    await directory.remove();
  }
}
