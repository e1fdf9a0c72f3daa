/**
 * The conformance corpus as tests use it: where it lies, the skip message where it is absent, its JSON cases, and
 * the load-test templates multiplied into N copies. Reads only; copies go to a temporary directory.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { CheckRequest } from "../differential/interpreter/request.ts";

const DEFAULT_CORPUS = fileURLToPath(new URL("../../../shared/corpus", import.meta.url));

/** Directory of the corpus (env EDICT_CORPUS overrides), or undefined where it is absent. */
export const CORPUS: string | undefined = locate();

/** Name for the one skipped test where the corpus is absent. */
export const NO_CORPUS = "the corpus is absent: set EDICT_CORPUS to its directory";

function locate(): string | undefined {
  const directory = process.env["EDICT_CORPUS"] ?? DEFAULT_CORPUS;
  return existsSync(join(directory, "store")) ? directory : undefined;
}

/** Path of something in the corpus; the caller has made sure that it is there. */
export function corpusPath(...parts: readonly string[]): string {
  return join(CORPUS ?? "", ...parts);
}

export interface CorpusCase<T> {
  /** Path below the given folder, without the extension. */
  readonly name: string;
  readonly data: T;
}

/** All JSON files below a folder of the corpus, sorted by path; none where the corpus is absent. */
export function corpusCases<T>(...folder: readonly string[]): readonly CorpusCase<T>[] {
  if (CORPUS === undefined) return [];
  const root = corpusPath(...folder);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json"))
    .sort()
    .map((path) => {
      const data: T = JSON.parse(readFileSync(join(root, path), "utf8"));
      return { name: path.slice(0, -".json".length), data };
    });
}

/** A load-test set: its policies multiplied on disk, its requests on demand. */
export interface LoadTest {
  readonly directory: string;
  readonly copies: number;
  /** The request templates of copy `index`. */
  requests(index: number): readonly CheckRequest[];
  /** Removes the copies; a no-op when the directory was the caller's. */
  remove(): Promise<void>;
}

/**
 * Writes `copies` copies of the load-test set `classic` or `multitenant` to `target`, or to a temporary directory
 * that `remove()` deletes.
 */
export async function expandLoadTest(
  set: "classic" | "multitenant",
  copies: number,
  target?: string,
): Promise<LoadTest> {
  const root = corpusPath("loadtest", set);
  const directory = target ?? (await mkdtemp(join(tmpdir(), "edict-loadtest-")));
  await copyTemplates(join(root, "policies"), directory, copies);
  const requests = await templates(join(root, "requests"));
  return {
    directory,
    copies,
    requests: (index) =>
      requests.map(({ text }) => {
        const request: CheckRequest = JSON.parse(numbered(text, index));
        return request;
      }),
    remove: async () => {
      if (target === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Every `@N@` becomes the copy's number as five digits. */
function numbered(text: string, index: number): string {
  return text.replaceAll("@N@", String(index).padStart(5, "0"));
}

interface Template {
  readonly path: string;
  readonly text: string;
}

async function templates(root: string): Promise<readonly Template[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.sort().map(async (file) => ({ path: relative(root, file), text: await readFile(file, "utf8") })),
  );
}

async function copyTemplates(root: string, directory: string, copies: number): Promise<void> {
  for (const { path, text } of await templates(root)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    const times = path.includes("@N@") ? copies : 1;
    for (let index = 0; index < times; index += 1) {
      await writeFile(join(directory, numbered(path, index)), numbered(text, index));
    }
  }
}
