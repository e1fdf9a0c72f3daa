/** compiler/source-cache.ts and hinted reading in compiler/directory.ts: the same sources as reading everything, or no answer. */
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readChangedSources, readSources } from "../../compiler/directory.ts";
import { SourceCache } from "../../compiler/source-cache.ts";

let root = "";
let cache = new SourceCache();

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "edict-sources-"));
  mkdirSync(join(root, "sub"));
  mkdirSync(join(root, "_schemas"));
  writeFileSync(join(root, "a.yaml"), "a: 1\n");
  writeFileSync(join(root, "sub", "b.yaml"), "b: 1\n");
  writeFileSync(join(root, "_schemas", "s.json"), "{}");
  cache = new SourceCache();
  await readSources(root, {}, cache);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A file that has been at rest for long, as far as its times say that can be set. */
function age(path: string): void {
  const { mtimeMs } = statSync(join(root, path));
  utimesSync(join(root, path), new Date(mtimeMs - 60_000), new Date(mtimeMs - 60_000));
}

describe("reading only what changed", () => {
  it.each<[string, readonly string[], () => void]>([
    ["an edit", ["a.yaml"], () => writeFileSync(join(root, "a.yaml"), "a: 2\n")],
    ["a new file", ["c.yaml"], () => writeFileSync(join(root, "c.yaml"), "c: 1\n")],
    ["a file that is gone", ["sub/b.yaml"], () => rmSync(join(root, "sub", "b.yaml"))],
    ["a schema", ["_schemas/s.json"], () => writeFileSync(join(root, "_schemas", "s.json"), "[]")],
    [
      "a file put in place of another",
      ["a.yaml", "a.tmp"],
      () => {
        writeFileSync(join(root, "a.tmp"), "a: 3\n");
        renameSync(join(root, "a.tmp"), join(root, "a.yaml"));
      },
    ],
    ["a file that is no policy", ["notes.txt"], () => writeFileSync(join(root, "notes.txt"), "x")],
    ["a hidden one", [".a.yaml.swp"], () => writeFileSync(join(root, ".a.yaml.swp"), "x")],
  ])("gives what reading everything gives after %s", async (_, changed, edit) => {
    edit();
    const hinted = readChangedSources(root, changed, cache);
    expect(hinted).toEqual(await readSources(root));
  });

  it.each<[string, readonly string[], () => void]>([
    ["a directory", ["new"], () => mkdirSync(join(root, "new"))],
    ["a directory that is gone", ["sub"], () => rmSync(join(root, "sub"), { recursive: true })],
    ["a link", ["l.yaml"], () => symlinkSync(join(root, "a.yaml"), join(root, "l.yaml"))],
    ["a file that is no text", ["a.yaml"], () => writeFileSync(join(root, "a.yaml"), Uint8Array.of(0xff))],
  ])("leaves it to reading everything after %s", (_, changed, edit) => {
    edit();
    expect(readChangedSources(root, changed, cache)).toBeUndefined();
  });

  it("leaves it to reading everything when the last time had problems", async () => {
    writeFileSync(join(root, "a.yaml"), Uint8Array.of(0xff));
    await readSources(root, {}, cache);
    writeFileSync(join(root, "a.yaml"), "a: 1\n");
    expect(readChangedSources(root, ["a.yaml"], cache)).toBeUndefined();
  });
});

describe("reading again", () => {
  it("reads a file that was written in the same instant as before, though its size and time are the same", async () => {
    const before = statSync(join(root, "a.yaml"));
    writeFileSync(join(root, "a.yaml"), "a: 9\n");
    utimesSync(join(root, "a.yaml"), before.atime, before.mtime);
    const { sources } = await readSources(root, {}, cache);
    expect(sources.find(({ path }) => path === "a.yaml")?.text).toBe("a: 9\n");
  });

  it("gives the same objects for files that are the same", async () => {
    age("a.yaml");
    const first = await readSources(root, {}, cache);
    const second = await readSources(root, {}, cache);
    expect(second).toEqual(first);
    second.sources.forEach((source, index) => expect(source).toBe(first.sources[index]));
  });

  it("forgets what is gone", async () => {
    rmSync(join(root, "a.yaml"));
    const { sources } = await readSources(root, {}, cache);
    expect(sources.map(({ path }) => path)).toEqual(["_schemas/s.json", "sub/b.yaml"]);
  });
});
