/**
 * Texts in files of a directory, for what a compiler may forget but had better not: one file per key, written beside its place and renamed,
 * so that no reader sees half of one. A file begins with the digest of key and text; what does not match it is not used. Writing goes
 * on only while the directory belongs to this user alone; a cache that anybody may write to would decide what policies do.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TextStore } from "./object-cache.ts";

/** Most files kept; one is about half a kilobyte. When there are more, the oldest half goes. */
const MAX_FILES = 50_000;

/** Longest text read, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

const DIGEST_LENGTH = 64;

const KEY = /^[0-9a-f]{64}$/;

export class DirectoryStore implements TextStore {
  readonly #directory: string;
  readonly #isUsable: boolean;
  #written = 0;

  /** Makes the directory when it is missing. One that cannot be used, or that others may write to, keeps nothing. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#isUsable = prepare(directory);
    this.#prune();
  }

  async get(key: string): Promise<string | undefined> {
    if (!this.#isUsable || !KEY.test(key)) return undefined;
    try {
      const file = join(this.#directory, key);
      if (statSync(file).size > MAX_BYTES) return undefined;
      const content = readFileSync(file, "utf8");
      const text = content.slice(DIGEST_LENGTH);
      return content.slice(0, DIGEST_LENGTH) === digest(key, text) ? text : undefined;
    } catch {
      return undefined;
    }
  }

  async put(key: string, text: string): Promise<void> {
    if (!this.#isUsable || !KEY.test(key)) return;
    const temporary = join(this.#directory, `${randomBytes(8).toString("hex")}.tmp`);
    try {
      writeFileSync(temporary, digest(key, text) + text, { mode: 0o600, flag: "wx" });
      renameSync(temporary, join(this.#directory, key));
      if (++this.#written % 1000 === 0) this.#prune();
    } catch {
      // A full disk costs time, nothing else.
      rmSync(temporary, { force: true });
    }
  }

  /** Removes the older half when there is too much, and what writers that died have left. */
  #prune(): void {
    if (!this.#isUsable) return;
    try {
      const names = readdirSync(this.#directory);
      const kept = names.filter((name) => KEY.test(name));
      const left = names.filter((name) => name.endsWith(".tmp"));
      const aged = (list: readonly string[]): { name: string; time: number }[] =>
        list.map((name) => ({ name, time: this.#timeOf(name) })).sort((a, b) => a.time - b.time);
      const old = kept.length <= MAX_FILES ? [] : aged(kept).slice(0, Math.ceil(kept.length / 2));
      // A writer of this moment still needs its own.
      const dead = aged(left).slice(0, -8);
      for (const { name } of [...old, ...dead]) rmSync(join(this.#directory, name), { force: true });
    } catch {
      // Somebody else has tidied up.
    }
  }

  #timeOf(name: string): number {
    return statSync(join(this.#directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}

function prepare(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const facts = statSync(directory);
    const isOwn = typeof process.getuid !== "function" || facts.uid === process.getuid();
    return facts.isDirectory() && isOwn && (facts.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

function digest(key: string, text: string): string {
  return createHash("sha256").update(`${key}\n${text}`).digest("hex");
}
