/**
 * Files that are there whole or not at all, whatever happens while they are written: written under another name, flushed, renamed,
 * and the directory flushed. Existing files are never written into.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const OWNER_ONLY = 0o600;

const TEMPORARY = /^\..+\.[\da-f]{16}\.tmp$/;

/** Makes `name` in `directory` hold `bytes`, readable by its owner alone, for good. When it rejects, the old file is as it was. */
export async function writeDurably(
  directory: string,
  name: string,
  bytes: Uint8Array | string,
): Promise<void> {
  await replaceFile(directory, name, bytes, OWNER_ONLY);
  await flushDirectory(directory);
}

/** The same with permission bits of one's own; it lasts once the directory is flushed too. */
export async function replaceFile(
  directory: string,
  name: string,
  bytes: Uint8Array | string,
  mode: number,
): Promise<void> {
  const temporary = join(directory, `.${name}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, join(directory, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Makes renames and removals in `directory` survive a crash of the machine. */
export async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what writes that never ended have left behind. */
export async function removeTemporaries(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (TEMPORARY.test(name)) await rm(join(directory, name), { force: true });
  }
}

/** The bytes of `name` in `directory`, null when there is no such file. Links are not followed, larger files refused. */
export async function readBounded(directory: string, name: string, maxBytes: number): Promise<Buffer | null> {
  let handle;
  try {
    handle = await open(
      join(directory, name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw new Error(`\`${name}\` is not a file`);
    if (facts.size > maxBytes) throw new Error(`\`${name}\` is larger than ${maxBytes} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
