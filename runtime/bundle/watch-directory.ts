/**
 * Watches a policy directory: one watcher per directory below it, since watching directories (not files) sees
 * editors that replace files, and Node's own recursive mode does not on every system. Where the system cannot watch, it
 * compares names, sizes and times instead. It reports that something changed, and where it is sure of that, which files: a hint for
 * whoever reads them, since the system may drop events without a word.
 */
import { type Dirent, type FSWatcher, watch } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";

/** Milliseconds without a further change before it is reported, and the longest wait while changes keep coming. */
const QUIET = 20;
const LONGEST_WAIT = 500;

/** Milliseconds between two comparisons when watching is not possible. */
const POLL_INTERVAL = 1000;

/** Deepest directory and most directories watched. */
const MAX_DEPTH = 32;
const MAX_DIRECTORIES = 10_000;

/** More changed files at a time than these are not told one by one. */
const MAX_NAMES = 64;

/** Told which files changed, below the root and with forward slashes; null when it could be anything. */
export type ChangeListener = (files: readonly string[] | null) => void;

/** A running watch; `close` ends it. */
export interface DirectoryWatch {
  close(): void;
}

/**
 * Calls `onChange` after every group of changes below `root`, until closed. Resolves once changes are seen. Where `root` is a
 * file (an archive of policies), its directory is watched for what happens to that name: files are replaced, and
 * a watch on the old one would see nothing of the new one.
 */
export async function watchDirectory(root: string, onChange: ChangeListener): Promise<DirectoryWatch> {
  const facts = await stat(root).catch(() => null);
  const watcher =
    facts?.isFile() === true
      ? new Watcher(dirname(root), onChange, basename(root))
      : new Watcher(root, onChange, null);
  await watcher.sync();
  return watcher;
}

class Watcher implements DirectoryWatch {
  readonly #root: string;
  readonly #onChange: ChangeListener;
  /** Names of what changed since the last report; null when some are not known. */
  #names: Set<string> | null = new Set();
  /** The only name that counts; null for all, in directories of any depth. */
  readonly #only: string | null;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | null = null;
  #firstChange = 0;
  #poll: NodeJS.Timeout | null = null;
  #signature = "";
  #closed = false;

  constructor(root: string, onChange: ChangeListener, only: string | null) {
    this.#root = root;
    this.#onChange = onChange;
    this.#only = only;
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#poll !== null) clearTimeout(this.#poll);
  }

  /** Brings the set of watchers in line with the directories that exist. */
  async sync(): Promise<void> {
    // A directory that came into a new one before that was watched is found by listing once more.
    for (let pass = 0; pass < MAX_DEPTH; pass++) if (!(await this.#watchNew())) return;
  }

  /** Whether there were directories that had not been watched. */
  async #watchNew(): Promise<boolean> {
    if (this.#poll !== null) return false;
    const directories = this.#only === null ? await listDirectories(this.#root) : [this.#root];
    if (this.#closed) return false;
    for (const [directory, watcher] of this.#watchers) {
      if (directories.includes(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    const added = directories.filter((directory) => !this.#watchers.has(directory));
    try {
      for (const directory of added) this.#watchers.set(directory, this.#open(directory));
      return added.length > 0;
    } catch (error) {
      this.#fallBack(error);
      return false;
    }
  }

  #open(directory: string): FSWatcher {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      // Not every system says which name it was.
      if (name === null) this.#changed(null);
      else if (this.#only === null || name === this.#only) this.#seen(join(directory, name));
    });
    watcher.on("error", () => {
      // The directory vanished, or the system gave up on it; `sync` decides which.
      watcher.close();
      this.#watchers.delete(directory);
      this.#changed(null);
    });
    return watcher;
  }

  /**
   * Something has happened to `path`. A watcher sees the directory that it was opened for, not what has that name by now: if `path` is a
   * watched one, it and all below it are opened anew before the change is reported.
   */
  #seen(path: string): void {
    if (!this.#watchers.has(path)) {
      this.#changed(path);
      return;
    }
    for (const [directory, watcher] of this.#watchers) {
      if (directory !== path && !directory.startsWith(path + sep)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    this.#changed(null);
  }

  /** @param path of what changed, null when that is not known */
  #changed(path: string | null): void {
    if (this.#closed) return;
    if (path === null || (this.#names !== null && this.#names.size >= MAX_NAMES)) this.#names = null;
    else this.#names?.add(path);
    const now = performance.now();
    if (this.#timer === null) this.#firstChange = now;
    else clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(QUIET, this.#firstChange + LONGEST_WAIT - now));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#report();
    }, wait);
  }

  async #report(): Promise<void> {
    const names = this.#names;
    this.#names = new Set();
    const files = names === null || this.#only !== null ? null : await this.#filesOf(names);
    // New directories are watched before the change is reported, so nothing in them is missed.
    if (files === null) await this.sync().catch(() => undefined);
    if (!this.#closed) this.#onChange(files);
  }

  /** The names below the root when all of them are plain files, or were; null otherwise. */
  async #filesOf(paths: ReadonlySet<string>): Promise<readonly string[] | null> {
    const files: string[] = [];
    for (const path of paths) {
      const facts = await lstat(path).catch(() => null);
      if (facts === null ? this.#watchers.has(path) : !facts.isFile()) return null;
      files.push(relative(this.#root, path).split(sep).join("/"));
    }
    return files;
  }

  #fallBack(error: unknown): void {
    log(
      `cannot watch \`${this.#root}\` (${oneLine(error)}); comparing it every ${POLL_INTERVAL / 1000} s instead`,
    );
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    const poll = async (): Promise<void> => {
      const signature =
        this.#only === null
          ? await describeTree(this.#root)
          : await describeFiles([join(this.#root, this.#only)]);
      if (this.#closed) return;
      if (this.#signature !== "" && signature !== this.#signature) this.#onChange(null);
      this.#signature = signature;
      this.#poll = setTimeout(() => void poll(), POLL_INTERVAL);
    };
    this.#poll = setTimeout(() => void poll(), 0);
  }
}

/** `root` and every directory below it; unreadable ones are left out. */
async function listDirectories(root: string): Promise<string[]> {
  const found = [root];
  for (let depth = 0, level = [root]; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const directory of level) {
      for (const entry of await entriesOf(directory)) {
        if (entry.isDirectory() && !entry.name.startsWith(".")) next.push(join(directory, entry.name));
      }
    }
    found.push(...next.slice(0, MAX_DIRECTORIES - found.length));
    level = next;
  }
  return found;
}

/** Names, sizes and modification times of everything below `root`. */
async function describeTree(root: string): Promise<string> {
  const paths: string[] = [];
  for (const directory of await listDirectories(root)) {
    for (const entry of await entriesOf(directory)) paths.push(join(directory, entry.name));
  }
  return describeFiles(paths);
}

async function describeFiles(paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const path of paths) {
    const facts = await stat(path).catch(() => null);
    if (facts !== null && !facts.isDirectory()) lines.push(`${path} ${facts.size} ${facts.mtimeMs}`);
    // A file that is not there right now is a state too.
    else if (paths.length === 1) lines.push(`${path} is missing`);
  }
  return lines.join("\n");
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
