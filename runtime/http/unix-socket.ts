/**
 * The file of a Unix socket: taken over from a dead process but never from a living one, never anything that is not a socket, open to
 * nobody until it has its permission bits, and removed at the end unless somebody else has replaced it.
 */
import { once } from "node:events";
import { chmodSync, lstatSync, type Stats, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";

/** A socket file that this process has made. */
export interface SocketFile {
  /** Removes it. Never throws. */
  remove(): void;
}

/** Removes the socket that a dead process left behind. Throws `ServeError` when something else is at `path`. */
export async function clearSocketPath(path: string): Promise<void> {
  const found = statOf(path);
  if (found === null) return;
  if (!found.isSocket()) throw refusal(path, "the file is not a socket");
  const probe = connect({ path });
  try {
    await once(probe, "connect");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ECONNREFUSED") remove(path);
    else if (code !== "ENOENT") throw refusal(path, oneLine(error), error);
    return;
  } finally {
    probe.destroy();
  }
  throw refusal(path, "another process serves it");
}

/**
 * Calls `listen`, which makes the socket at `path` before it returns, and gives it the permission bits `mode`.
 * Returns null when there is no socket afterwards.
 */
export function makeSocketFile(path: string, mode: number, listen: () => void): SocketFile | null {
  // Nobody connects to it between its making and its permission bits.
  const before = process.umask(0o777);
  try {
    listen();
  } finally {
    process.umask(before);
  }
  const made = statOf(path);
  if (made === null || !made.isSocket()) return null;
  chmodSync(path, mode);
  return {
    remove: () => {
      const now = statOf(path);
      if (now?.ino !== made.ino || now.dev !== made.dev) return;
      try {
        remove(path);
      } catch (error) {
        log(`the socket file \`${path}\` could not be removed: ${oneLine(error)}`);
      }
    },
  };
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    throw refusal(path, oneLine(error), error);
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw refusal(path, oneLine(error), error);
  }
}

function refusal(path: string, reason: string, cause?: unknown): ServeError {
  return new ServeError("EDICT_LISTEN", `cannot listen on \`unix:${path}\`: ${reason}`, { cause });
}
