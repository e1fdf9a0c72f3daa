/**
 * One daemon per state directory: two of them would forget each other's versions and sequences. The lock says which process holds it;
 * one whose process has ended is taken over, so a crash leaves nothing behind that anybody has to remove. It does not see processes of other
 * containers, whose numbers mean nothing here.
 *
 *   lock                     a link that says which process holds the directory
 *   lock.<digest>            a claim: a link that says which process takes the lock over from the dead one with this digest
 *   lock.<digest>.<digest>   a claim on a claim whose process is dead, too; and so on
 *
 * INVARIANT: a link that says a dead process is changed by the holder of the claim on it alone: the claim takes its place, in one step.
 * So whoever holds the claim, and reads the dead process still, knows that nobody else takes over; to remove the link first would
 * let somebody in who has read it earlier.
 */
import { createHash } from "node:crypto";
import { readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StateError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";

/** A symbolic link that leads nowhere: made in one step with what it says, on most file systems even when the disk is full. */
const LOCK_FILE = "lock";

/** How often a link that changes while it is looked at is tried for. */
const ATTEMPTS = 3;

/**
 * Takes the lock of `directory` until this process ends. Throws `StateError` when another process has it. Where no lock can be made,
 * the daemon goes on without: a full disk must not keep a host from starting.
 */
export async function lockDirectory(directory: string): Promise<void> {
  const own = await identityOf(process.pid);
  try {
    await take(join(directory, LOCK_FILE), own);
  } catch (error) {
    if (error instanceof StateError) throw error;
    log(`warning: the state directory \`${directory}\` cannot be locked: ${oneLine(error)}`);
  }
}

/** Makes the link at `path` say `own`. Throws `StateError` when it says a process that lives, or others are faster every time. */
async function take(path: string, own: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await isMade(path, own)) return;
    const holder = await holderOf(path);
    if (holder === own) return;
    if (holder === null) continue;
    const pid = Number(holder.split(".")[0]);
    if (Number.isSafeInteger(pid) && pid > 0 && holder === (await identityOf(pid))) {
      throw new StateError(`the state directory \`${dirname(path)}\` is in use by process ${pid}`);
    }
    // Who has a claim already is about to hold the directory: then this one throws, too.
    const claim = `${path}.${createHash("sha256").update(holder).digest("hex").slice(0, 12)}`;
    await take(claim, own);
    // Somebody may have taken over and be done between the first look and the claim; a dead process never comes back.
    if ((await holderOf(path)) === holder) return rename(claim, path);
    await rm(claim, { force: true });
  }
  throw new StateError(`the state directory \`${dirname(path)}\` is being taken by other processes`);
}

/** What the link says, empty when it is none, null when nothing is there. */
async function holderOf(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    // What somebody has copied here, as a file.
    if (code === "EINVAL") return "";
    throw error;
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
