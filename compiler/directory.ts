/**
 * The files of a policy directory, read from disk: the only place in compiler/ (besides bundle/) that does I/O. What to
 * skip follows COMPAT.md section 1; what the files mean is stage 1. A path that names an archive is read as one, in
 * memory (archive.ts). Does not watch.
 */
import { lstatSync, readFileSync, statSync, type Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { archiveKind, unpack, type ArchiveKind } from "./archive.ts";
import { compareText, diagnose, type Code, type Params } from "./diagnostics/codes.ts";
import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { classify, isSkippedDirectory, SCHEMA_DIRECTORY } from "./load/layout.ts";
import { misplacedSchemas } from "./load/load-schema.ts";
import type { SourceFile } from "./load/policy-document.ts";
import { lowerBound } from "./load/sorted.ts";
import { SourceCache } from "./source-cache.ts";

export interface ReadOptions {
  /** Largest file read, in bytes. */
  readonly maxFileBytes?: number;
  /** Most files and directories looked at. */
  readonly maxEntries?: number;
  /** Largest sum of what an archive unpacks to, in bytes. */
  readonly maxUnpackedBytes?: number;
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

/** Largest archive, packed; far above 40,000 policies. */
const MAX_ARCHIVE_BYTES = 128 * 1024 * 1024;

/** Largest sum of what an archive unpacks to, so that a small archive cannot fill the memory. */
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads every policy and schema file of a directory or archive. Problems are diagnostics; it rejects never.
 * @param cache kept by a caller that reads again after edits; changes nothing but the time it takes
 */
export async function readSources(
  directory: string,
  options: ReadOptions = {},
  cache = new SourceCache(),
): Promise<Sources> {
  const kind = archiveKind(directory);
  cache.last = undefined;
  if (kind !== undefined && (await isFile(directory))) return readArchive(directory, kind, options);
  const walk = new Walk(directory, options.maxEntries ?? MAX_ENTRIES);
  await walk.run();
  const { paths, diagnostics } = walk;
  const maxFileBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
  const sources: SourceFile[] = [];
  cache.begin();
  for (const path of paths) {
    const read = readSource(directory, path, maxFileBytes, cache);
    if ("code" in read) {
      diagnostics.push(read);
    } else {
      sources.push(read);
    }
  }
  sources.sort((a, b) => compareText(a.path, b.path));
  diagnostics.sort((a, b) => compareText(a.place.file, b.place.file));
  cache.last = diagnostics.length === 0 ? sources : undefined;
  return { sources, diagnostics };
}

/**
 * What `readSources` would find, given that only `changed` files (relative, forward slashes) can differ from the last time. Nothing when that
 * cannot be told from these files alone: no last time without problems, or a directory or link among them.
 */
export function readChangedSources(
  directory: string,
  changed: readonly string[],
  cache = new SourceCache(),
): Sources | undefined {
  if (cache.last === undefined) return undefined;
  const sources = [...cache.last];
  for (const path of changed) {
    const facts = lstatSync(join(directory, path), { bigint: true, throwIfNoEntry: false });
    const { kind } = classify(path);
    // A name that is gone may have been a directory.
    if (facts === undefined && cache.last.some((source) => source.path.startsWith(`${path}/`)))
      return undefined;
    if (facts !== undefined && !facts.isFile()) return undefined;
    if (kind === "ignored") continue;
    if (kind === "misplaced-schema") return undefined;
    const at = lowerBound(sources, path, (source) => source.path);
    const known = sources[at]?.path === path ? 1 : 0;
    if (facts === undefined) {
      sources.splice(at, known);
      continue;
    }
    const read = readSource(directory, path, MAX_FILE_BYTES, cache);
    if ("code" in read) return undefined;
    sources.splice(at, known, read);
  }
  cache.last = sources;
  return { sources, diagnostics: [] };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function failed(diagnostic: Diagnostic): Sources {
  return { sources: [], diagnostics: [diagnostic] };
}

async function readArchive(archive: string, kind: ArchiveKind, options: ReadOptions): Promise<Sources> {
  const maxFileBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
  const name = basename(archive);
  let bytes: Uint8Array;
  try {
    if ((await stat(archive)).size > MAX_ARCHIVE_BYTES) {
      return failed(problem("EDICT1002", { limit: MAX_ARCHIVE_BYTES }, name));
    }
    bytes = await readFile(archive);
  } catch (error) {
    return failed(unreadable(name, error));
  }
  const limits = {
    maxEntries: options.maxEntries ?? MAX_ENTRIES,
    maxTotalBytes: options.maxUnpackedBytes ?? MAX_UNPACKED_BYTES,
    maxFileBytes,
  };
  const unpacked = unpack(kind, bytes, limits, (path) => classify(path).kind !== "ignored");
  if (!unpacked.ok) return failed(problem("EDICT1001", { name, reason: unpacked.reason }, name));
  const sources: SourceFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const misplaced = new Set<string>();
  for (const { path, content } of unpacked.entries) {
    const role = classify(path);
    if (role.kind === "misplaced-schema") misplaced.add(role.directory);
    else if (content === "link") {
      diagnostics.push(problem("EDICT1001", { name: path, reason: "not a regular file" }, path));
    } else if (content === "too-large") diagnostics.push(problem("EDICT1002", { limit: maxFileBytes }, path));
    else {
      try {
        sources.push({ path, text: UTF8.decode(content) });
      } catch {
        diagnostics.push(problem("EDICT1003", {}, path));
      }
    }
  }
  for (const place of misplaced) diagnostics.push(misplacedSchemas(place));
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

/** Synchronous, since it runs where nobody waits, and many small files are read three times as fast so. */
function readSource(
  directory: string,
  path: string,
  maxBytes: number,
  cache: SourceCache,
): SourceFile | Diagnostic {
  const full = join(directory, path);
  try {
    // Links are followed, as Kubernetes mounts need; a pipe or device would block or never end.
    const link = lstatSync(full, { bigint: true });
    const facts = link.isSymbolicLink() ? statSync(full, { bigint: true }) : link;
    if (!facts.isFile()) {
      return problem("EDICT1001", { name: path, reason: "not a regular file" }, path);
    }
    if (facts.size > maxBytes) {
      return problem("EDICT1002", { limit: maxBytes }, path);
    }
    const known = cache.get(path, facts);
    if (known !== undefined) {
      return known;
    }
    const now = Date.now();
    const bytes = readFileSync(full);
    if (bytes.length > maxBytes) {
      return problem("EDICT1002", { limit: maxBytes }, path);
    }
    return cache.put({ path, text: UTF8.decode(bytes) }, facts, now);
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
