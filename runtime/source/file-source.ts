/**
 * A bundle file, watched: replaced by a rename, switched by a symbolic link, or written in place. Directories are watched, not the
 * file, because a watch on a file sees nothing of the one that replaces it; and the file is looked at regularly all the same, because
 * no watch sees every kind of link and file system. A file that changes while it is read is read again later.
 */
import { type FSWatcher, watch } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { BundleError, SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { spread } from "./back-off.ts";
import type { BundleSource, FetchedBundle } from "./source.ts";

/** Longest time between two looks at the file, in milliseconds. */
const LONGEST_INTERVAL = 1_000;

/** How long a burst of events may go on growing before the file is looked at, in milliseconds. */
const QUIET = 30;

/** How often in a row a file is read anew because another one has taken its place. */
const MAX_ATTEMPTS = 5;

export interface FileSourceOptions {
  readonly file: string;
  readonly maxBytes: number;
  readonly pollIntervalMs: number;
}

export class FileSource implements BundleSource {
  readonly name: string;
  readonly #options: FileSourceOptions;
  /** Which file it was, how long and from when: what the last `fetch` gave. */
  #given = "";

  constructor(options: FileSourceOptions) {
    this.name = options.file;
    this.#options = options;
  }

  async fetch(signal: AbortSignal): Promise<FetchedBundle | "unchanged"> {
    for (let attempt = 1; ; attempt++) {
      const fetched = await this.#read(signal);
      if (fetched !== "replaced") return fetched;
      if (attempt === MAX_ATTEMPTS) {
        throw new SourceError("EDICT_SOURCE_REFUSED", `\`${this.name}\` changed while it was read`);
      }
    }
  }

  /** Reads the file once; `replaced` when another one has taken its place meanwhile. */
  async #read(signal: AbortSignal): Promise<FetchedBundle | "unchanged" | "replaced"> {
    const { file, maxBytes } = this.#options;
    let handle;
    try {
      handle = await open(file, "r");
    } catch (error) {
      throw new SourceError("EDICT_SOURCE_NOT_FOUND", oneLine(error), { cause: error });
    }
    try {
      const before = await handle.stat({ bigint: true });
      if (!before.isFile()) throw new SourceError("EDICT_SOURCE_REFUSED", `\`${file}\` is not a file`);
      const identity = identityOf(before);
      if (identity === this.#given) return "unchanged";
      if (before.size > BigInt(maxBytes)) {
        throw new BundleError(
          `\`${file}\` has ${before.size} bytes, over the limit of ${maxBytes} for a bundle`,
          { code: "EDICT_BUNDLE_TOO_LARGE" },
        );
      }
      const bytes = Buffer.allocUnsafeSlow(Number(before.size));
      let length = 0;
      while (length < bytes.length) {
        signal.throwIfAborted();
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      const after = identityOf(await handle.stat({ bigint: true }));
      if (length < bytes.length || after !== identity) {
        const now = await stat(file, { bigint: true }).catch(() => null);
        if (now !== null && (now.ino !== before.ino || now.dev !== before.dev)) return "replaced";
        throw new SourceError("EDICT_SOURCE_REFUSED", `\`${file}\` changed while it was read`);
      }
      this.#given = identity;
      return { bytes, label: "", warnings: "" };
    } catch (error) {
      if (error instanceof SourceError || error instanceof BundleError) throw error;
      throw new SourceError("EDICT_SOURCE_REFUSED", oneLine(error), { cause: error });
    } finally {
      await handle.close();
    }
  }

  forget(): void {
    this.#given = "";
  }

  watch(changed: () => void): () => void {
    const { file, pollIntervalMs } = this.#options;
    const interval = Math.min(LONGEST_INTERVAL, pollIntervalMs);
    const watchers = new Map<string, FSWatcher>();
    let quiet: NodeJS.Timeout | null = null;
    let closed = false;
    const seen = (): void => {
      quiet ??= setTimeout(() => {
        quiet = null;
        changed();
      }, QUIET);
    };
    const follow = (directory: string): void => {
      if (watchers.has(directory)) return;
      try {
        const watcher = watch(directory, { persistent: false }, seen);
        watchers.set(directory, watcher);
        watcher.on("error", () => {
          watcher.close();
          watchers.delete(directory);
        });
      } catch {
        // Looked at regularly anyway.
      }
    };
    const look = async (): Promise<void> => {
      // Where the file is, and where a link leads that stands in its place.
      const places = [dirname(file), dirname(await realpath(file).catch(() => file))];
      if (closed) return;
      for (const [directory, watcher] of watchers) {
        if (places.includes(directory)) continue;
        watcher.close();
        watchers.delete(directory);
      }
      for (const place of places) follow(place);
      changed();
    };
    follow(dirname(file));
    const timer = repeat(interval, look);
    return () => {
      closed = true;
      timer.stop();
      if (quiet !== null) clearTimeout(quiet);
      for (const watcher of watchers.values()) watcher.close();
    };
  }
}

/** Runs `work` again and again, each time after a wait. */
function repeat(intervalMs: number, work: () => Promise<void>): { stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const next = (): void => {
    if (stopped) return;
    timer = setTimeout(() => void work().finally(next), spread(intervalMs));
    timer.unref();
  };
  next();
  return {
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

interface FileFacts {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: FileFacts): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
