/**
 * Which git commit a policy directory is a checkout of. The commit counts only when every file that goes into a bundle is, byte for byte,
 * the one of the commit, and none is missing or added; files of other kinds and other directories of the repository do not matter.
 *
 * A repository may come from anybody, and git runs what a repository's configuration names (hooks, filters, file system monitors).
 * So none of it is read: HEAD is resolved here, files are compared here, and git is only asked to list a tree, from a git directory
 * of our own that borrows the repository's objects and has no configuration. Without git there is no commit.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";

/** Milliseconds that listing a tree may take. */
const GIT_TIMEOUT = 30_000;

/** Largest listing in bytes: a million files. */
const MAX_LISTING = 256 * 1024 * 1024;

/** Largest file of a git directory that is read, in bytes: `packed-refs` of very many branches. */
const MAX_GIT_FILE = 16 * 1024 * 1024;

/** Files being read at a time. */
const CONCURRENT_READS = 32;

/** How often a symbolic ref may lead to another. */
const MAX_REF_DEPTH = 5;

const OBJECT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const REF = /^refs\/[\w./@+-]+$/;

/** Files that a bundle is made of: policies, schemas, test suites and their fixtures. */
const RELEVANT = /\.(?:ya?ml|json)$/i;

/** The commit in hex, null when the files are not those of one or nobody can say. Never rejects. */
export async function commitOf(directory: string): Promise<string | null> {
  try {
    const real = await realpath(directory);
    const repository = await findRepository(real);
    if (repository === null) return null;
    const commit = await resolveHead(repository);
    if (commit === null) return null;
    const prefix = relative(repository.root, real).split(sep).join("/");
    const tracked = await listTree(repository, commit, prefix);
    return tracked !== null && (await isCheckout(real, tracked, commit)) ? commit : null;
  } catch {
    return null;
  }
}

interface Repository {
  /** The work tree. */
  readonly root: string;
  /** Has HEAD. */
  readonly gitDirectory: string;
  /** Has objects and refs; the same unless the work tree is one of several. */
  readonly commonDirectory: string;
}

/** The repository whose work tree `directory` is in. */
async function findRepository(directory: string): Promise<Repository | null> {
  for (let root = directory; ; root = dirname(root)) {
    const entry = join(root, ".git");
    const facts = await lstat(entry).catch(() => null);
    if (facts?.isDirectory() === true) return { root, gitDirectory: entry, commonDirectory: entry };
    if (facts?.isFile() === true) {
      const [, target] = /^gitdir: (.+?)\s*$/.exec(await readSmall(entry)) ?? [];
      if (target === undefined) return null;
      const gitDirectory = resolve(root, target);
      const common = await readSmall(join(gitDirectory, "commondir")).catch(() => ".");
      return { root, gitDirectory, commonDirectory: resolve(gitDirectory, common.trim()) };
    }
    if (dirname(root) === root) return null;
  }
}

async function resolveHead({ gitDirectory, commonDirectory }: Repository): Promise<string | null> {
  let text = (await readSmall(join(gitDirectory, "HEAD"))).trim();
  for (let depth = 0; depth < MAX_REF_DEPTH; depth++) {
    if (OBJECT.test(text)) return text;
    const [, name = ""] = /^ref: (.+)$/.exec(text) ?? [];
    if (!REF.test(name) || name.includes("..")) return null;
    const loose = await readSmall(join(commonDirectory, name)).catch(() => null);
    text = loose === null ? await packedRef(commonDirectory, name) : loose.trim();
  }
  return null;
}

async function packedRef(commonDirectory: string, name: string): Promise<string> {
  const packed = await readSmall(join(commonDirectory, "packed-refs"));
  const line = packed.split("\n").find((one) => one.endsWith(` ${name}`));
  return line?.split(" ")[0] ?? "";
}

async function readSmall(file: string): Promise<string> {
  const facts = await lstat(file);
  if (!facts.isFile() || facts.size > MAX_GIT_FILE) throw new Error(`\`${file}\` is not a file of git`);
  return readFile(file, "utf8");
}

/** Path below `prefix` to blob of every relevant file of the commit; null when one of them is no plain file. */
async function listTree(
  { commonDirectory }: Repository,
  commit: string,
  prefix: string,
): Promise<ReadonlyMap<string, string> | null> {
  const own = await mkdtemp(join(tmpdir(), "edict-git-"));
  try {
    await mkdir(join(own, "refs"));
    await mkdir(join(own, "objects"));
    await writeFile(join(own, "HEAD"), "ref: refs/heads/none\n");
    await writeFile(join(own, "config"), configFor(commit));
    const { stdout } = await promisify(execFile)("git", ["ls-tree", "-r", "-z", `${commit}:${prefix}`], {
      cwd: own,
      timeout: GIT_TIMEOUT,
      maxBuffer: MAX_LISTING,
      env: {
        PATH: process.env["PATH"] ?? "",
        LC_ALL: "C",
        GIT_DIR: own,
        GIT_OBJECT_DIRECTORY: join(commonDirectory, "objects"),
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: join(own, "no-config"),
        GIT_TERMINAL_PROMPT: "0",
      },
    });
    const blobs = new Map<string, string>();
    for (const line of stdout.split("\0")) {
      const [, mode = "", type, object = "", path = ""] =
        /^(\d+) (\w+) ([0-9a-f]+)\t([^]+)$/.exec(line) ?? [];
      if (!isRelevant(path)) continue;
      if (type !== "blob" || !mode.startsWith("100")) return null;
      blobs.set(path, object);
    }
    return blobs;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

function configFor(commit: string): string {
  return commit.length === 40
    ? "[core]\n\trepositoryformatversion = 0\n"
    : "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n";
}

function isRelevant(path: string): boolean {
  return RELEVANT.test(path) && !path.split("/").some((part) => part.startsWith("."));
}

/** Whether the relevant files below `directory` are those of `tracked`. */
async function isCheckout(
  directory: string,
  tracked: ReadonlyMap<string, string>,
  commit: string,
): Promise<boolean> {
  const paths = await listFiles(directory);
  if (paths === null || paths.length !== tracked.size || !paths.every((path) => tracked.has(path)))
    return false;
  const algorithm = commit.length === 40 ? "sha1" : "sha256";
  let same = true;
  let next = 0;
  const compareRest = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined && same; path = paths[next++]) {
      const bytes = await readFile(join(directory, path));
      const object = createHash(algorithm).update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
      if (object !== tracked.get(path)) same = false;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, compareRest));
  return same;
}

/** Relevant files on disk; null when one of them is a link or the like, whose content no commit has. */
async function listFiles(directory: string): Promise<readonly string[] | null> {
  const found: string[] = [];
  const left = [""];
  for (let below = left.pop(); below !== undefined; below = left.pop()) {
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) left.push(path);
      else if (RELEVANT.test(entry.name)) {
        if (!entry.isFile()) return null;
        found.push(path);
      }
    }
  }
  return found;
}
