/**
 * Writes a file so that whoever reads it finds the old content or the new one, never a part of either, whatever happens to
 * this process or the machine in between.
 */
import { open, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { replaceFile } from "../source/durable-file.ts";

/**
 * Replaces or creates `path`: a new file beside it, flushed, renamed, its directory flushed. A link is followed; what is not a
 * regular file (a pipe, `/dev/stdout`) is written to as it is.
 * @param mode permission bits of the file
 */
export async function writeFileAtomically(path: string, content: Uint8Array, mode = 0o644): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const facts = await stat(target).catch(() => null);
  if (facts !== null && !facts.isFile()) {
    await writeInto(target, content);
    return;
  }
  const directory = dirname(target);
  await replaceFile(directory, basename(target), content, mode);
  await flushDirectory(directory);
}

async function writeInto(target: string, content: Uint8Array): Promise<void> {
  const handle = await open(target, "w");
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

/** Makes a rename last. Where directories cannot be flushed, the file system decides. */
async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r").catch(() => null);
  if (handle === null) return;
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}
