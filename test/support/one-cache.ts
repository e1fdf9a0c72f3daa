/** vitest's global set-up: a directory in which all compilations of the run, in every process, keep compiled functions; gone afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), "edict-cache-"));
  process.env["EDICT_CACHE_DIR"] = directory;
  return () => rmSync(directory, { recursive: true, force: true });
}
