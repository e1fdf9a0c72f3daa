/** compiler/directory.ts, on real directories */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { readSources } from "../../compiler/directory.ts";

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) {
    rmSync(directory, { recursive: true, force: true });
  }
});

function directoryOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = mkdtempSync(join(tmpdir(), "edict-directory-"));
  directories.push(directory);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

const codes = async (directory: string, options = {}): Promise<string[]> =>
  (await readSources(directory, options)).diagnostics.map(({ code, place }) => `${code} ${place.file}`);

it("reads policies and schemas, sorted by path, and leaves the rest alone", async () => {
  const read = ["_schemas/a.json", "_schemas/testdata/b.json", "a/b.yaml", "a/c.json", "z.yml"];
  const skipped = [
    ".hidden.yaml",
    ".git/a.yaml",
    "_schemas/.x/a.json",
    "_schemas/a.yaml",
    "a/testdata/b.yaml",
    "a_test.yaml",
    "readme.md",
    "A_TEST.yaml",
  ];
  const directory = directoryOf(Object.fromEntries([...skipped, ...read].map((path) => [path, `# ${path}`])));
  const { sources, diagnostics } = await readSources(directory);
  expect(diagnostics).toEqual([]);
  expect(sources).toEqual(read.map((path) => ({ path, text: `# ${path}` })));
});

it("reports a schema directory below the root, even an empty one", async () => {
  const directory = directoryOf({ "a/b.yaml": "" });
  mkdirSync(join(directory, "a/_schemas"));
  expect(await codes(directory)).toEqual(["EDICT1004 a/_schemas"]);
});

it("refuses files that are too large or not UTF-8, and reads the others", async () => {
  const directory = directoryOf({
    "a.yaml": "a: 1",
    "big.yaml": "x".repeat(101),
    "edge.yaml": "x".repeat(100),
    "latin.yaml": Uint8Array.from([0x61, 0xe9]),
  });
  const { sources, diagnostics } = await readSources(directory, { maxFileBytes: 100 });
  expect(sources.map(({ path }) => path)).toEqual(["a.yaml", "edge.yaml"]);
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ["EDICT1002", "file is larger than 100 bytes"],
    ["EDICT1003", "file is not valid UTF-8"],
  ]);
});

it("stops at a bounded number of entries", async () => {
  const directory = directoryOf({ "a.yaml": "", "b.yaml": "", "c/d.yaml": "" });
  expect(await codes(directory, { maxEntries: 2 })).toEqual(["EDICT1005 ."]);
});

it("follows links to files, not to directories, and does not wait for pipes", async () => {
  const directory = directoryOf({ "real/a.yaml": "a: 1" });
  symlinkSync(join(directory, "real/a.yaml"), join(directory, "link.yaml"));
  symlinkSync(join(directory, "real"), join(directory, "loop"));
  symlinkSync(join(directory, "nowhere"), join(directory, "broken.yaml"));
  execFileSync("mkfifo", [join(directory, "pipe.yaml")]);
  const { sources } = await readSources(directory);
  expect(sources.map(({ path }) => path)).toEqual(["link.yaml", "real/a.yaml"]);
  expect(await codes(directory)).toEqual(["EDICT1001 broken.yaml", "EDICT1001 pipe.yaml"]);
});

it("reports a directory that does not exist", async () => {
  expect(await codes(join(directoryOf({}), "missing"))).toEqual(["EDICT1001 ."]);
});
