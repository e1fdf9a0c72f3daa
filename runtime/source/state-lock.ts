/**
 * One daemon per state directory: two of them would forget each other's versions and sequences. The lock says which process holds it;
 * one whose process has ended is taken over, so a crash leaves nothing behind that anybody has to remove. It does not see processes of other
 * containers, whose numbers mean nothing here.
 */
import { readFile, readlink, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { StateError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";

/** A symbolic link that leads nowhere: made in one step with what it says, on most file systems even when the disk is full. */
const LOCK_FILE = "lock";

/** How often a lock that somebody else gives up at the same moment is tried for. */
const ATTEMPTS = 3;

/**
 * Takes the lock of `directory` until this process ends. Throws `StateError` when another process has it. Where no lock can be made,
 * the daemon goes on without: a full disk must not keep a host from starting.
 */
export async function lockDirectory(directory: string): Promise<void> {
  const lock = join(directory, LOCK_FILE);
  const own = await identityOf(process.pid);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await isMade(lock, own)) return;
      const holder = await readlink(lock).catch(() => "");
      if (holder === own) return;
      const pid = Number(holder.split(".")[0]);
      if (Number.isSafeInteger(pid) && pid > 0 && holder === (await identityOf(pid))) {
        throw new StateError(`the state directory \`${directory}\` is in use by process ${pid}`);
      }
      await rm(lock, { force: true });
    }
    throw new Error("somebody else is taking it");
  } catch (error) {
    if (error instanceof StateError) throw error;
    log(`warning: the state directory \`${directory}\` cannot be locked: ${oneLine(error)}`);
  }
}

/** Makes the link unless it is there. */
async function isMade(lock: string, says: string): Promise<boolean> {
  try {
    await symlink(says, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** A process, told from others that get its number later by when it was started; empty when there is none. */
async function identityOf(pid: number): Promise<string> {
  let facts: string;
  try {
    facts = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return isAlive(pid) ? `${pid}` : "";
  }
  // The name in the second field may hold anything; the start is the 20th field behind it.
  const started = facts.slice(facts.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return `${pid}.${started}.${boot.slice(0, 8)}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
