/**
 * What the compilations of one test run share: compiled functions, in a directory of the run (one-cache.ts). Most tests compile the same few
 * functions, and asc takes longer than all the rest. That a bundle does not depend on the cache is tested in test/compiler.
 */
import type { CompileMemory } from "../../compiler/index.ts";
import { memoryWith } from "../../compiler/worker.ts";

/** A memory for one compilation. */
export function memoryOfTheRun(): CompileMemory {
  return memoryWith(process.env["EDICT_CACHE_DIR"]);
}
