/**
 * The files of a policy directory, read from disk: the only place in compiler/ (besides bundle/) that does I/O. What to
 * skip follows COMPAT.md section 1; what the files mean is stage 1. Does not watch and does not read archives.
 */
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import type { Dirent } from "node:fs";
import { join } from "node:path";
import { compareText, diagnose, type Code, type Params } from "./diagnostics/codes.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { classify, isSkippedDirectory, SCHEMA_DIRECTORY } from "./load/layout.ts";
import { misplacedSchemas } from "./load/load-schema.ts";
import type { SourceFile } from "./load/policy-document.ts";

export interface ReadOptions {
  /** Largest file read, in bytes. */
  readonly maxFileBytes?: number;
  /** Most files and directories looked at. */
  readonly maxEntries?: number;
}

export interface Sources {
  /** Policies and schemas, sorted by path. */
  readonly sources: readonly SourceFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A policy is a few kilobytes; beyond this a file is most likely not one. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Far beyond the 40,000 policies that edict is built for, and soon reached when pointed at a whole disk. */
const MAX_ENTRIES = 1_000_000;

/** Files being read at a time: enough to keep libuv's threads busy, few enough not to run out of descriptors. */
const CONCURRENT_READS = 64;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Reads every policy and schema file below a directory. Problems are diagnostics; it rejects never. */
export async function readSources(directory: string, options: ReadOptions = {}): Promise<Sources> {
  const walk = new Walk(directory, options.maxEntries ?? MAX_ENTRIES);
  await walk.run();
  const { paths, diagnostics } = walk;
  const maxFileBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
  const sources: SourceFile[] = [];
  let next = 0;
  const readRest = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      const read = await readSource(directory, path, maxFileBytes);
      if ("code" in read) {
        diagnostics.push(read);
      } else {
        sources.push(read);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, readRest));
  sources.sort((a, b) => compareText(a.path, b.path));
  diagnostics.sort((a, b) => compareText(a.place.file, b.place.file));
  return { sources, diagnostics };
}

/** Finds the files to read, breadth first. */
class Walk {
  readonly paths: string[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly directory: string;
  private readonly maxEntries: number;
  private entries = 0;

  constructor(directory: string, maxEntries: number) {
    this.directory = directory;
    this.maxEntries = maxEntries;
  }

  async run(): Promise<void> {
    for (let level = [""]; level.length > 0;) {
      const next: string[] = [];
      for (const path of level) {
        next.push(...(await this.list(path)));
        if (this.entries > this.maxEntries) {
          this.diagnostics.push(problem("EDICT1005", { limit: this.maxEntries }, path || "."));
          return;
        }
      }
      level = next;
    }
  }

  /** Sorts the entries of one directory into `paths`; returns the directories to go into. */
  private async list(path: string): Promise<string[]> {
    let entries: Dirent[];
    try {
      entries = await readdir(join(this.directory, path), { withFileTypes: true });
    } catch (error) {
      this.diagnostics.push(unreadable(path || ".", error));
      return [];
    }
    this.entries += entries.length;
    const directories: string[] = [];
    for (const entry of entries) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      if (!entry.isDirectory()) {
        const { kind } = classify(child);
        if (kind === "policy" || kind === "schema") {
          this.paths.push(child);
        }
      } else if (entry.name === SCHEMA_DIRECTORY && path !== "" && !insideSchemas(path)) {
        this.diagnostics.push(misplacedSchemas(child));
      } else if (!isSkippedDirectory(entry.name) || (insideSchemas(path) && !entry.name.startsWith("."))) {
        directories.push(child);
      }
    }
    return directories;
  }
}

function insideSchemas(path: string): boolean {
  return path === SCHEMA_DIRECTORY || path.startsWith(`${SCHEMA_DIRECTORY}/`);
}

async function readSource(
  directory: string,
  path: string,
  maxBytes: number,
): Promise<SourceFile | Diagnostic> {
  const full = join(directory, path);
  try {
    // Links are followed, as Kubernetes mounts need; a pipe or device would block or never end.
    const link = await lstat(full);
    const file = link.isSymbolicLink() ? await stat(full) : link;
    if (!file.isFile()) {
      return problem("EDICT1001", { name: path, reason: "not a regular file" }, path);
    }
    if (file.size > maxBytes) {
      return problem("EDICT1002", { limit: maxBytes }, path);
    }
    const bytes = await readFile(full);
    if (bytes.length > maxBytes) {
      return problem("EDICT1002", { limit: maxBytes }, path);
    }
    return { path, text: UTF8.decode(bytes) };
  } catch (error) {
    return error instanceof TypeError ? problem("EDICT1003", {}, path) : unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): Diagnostic {
  const code = error instanceof Error && "code" in error ? error.code : error;
  return problem("EDICT1001", { name: path, reason: String(code) }, path);
}

function problem(code: Code, params: Params, file: string): Diagnostic {
  return diagnose(code, params, { file, line: 1, column: 1, path: "$" });
}
