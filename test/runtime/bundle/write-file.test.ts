/** Files are replaced whole or not at all. */
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomically } from "../../../runtime/bundle/write-file.ts";
import { temporaryDirectory } from "../support/daemon.ts";

const NEW = new TextEncoder().encode("new");

let directory: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  const temporary = await temporaryDirectory();
  directory = temporary.path;
  remove = () => temporary.remove();
});
afterEach(() => remove());

describe("writeFileAtomically", () => {
  it("makes a file with the permissions asked for, and leaves nothing else behind", async () => {
    await writeFileAtomically(join(directory, "a"), NEW, 0o600);
    expect(await readFile(join(directory, "a"), "utf8")).toBe("new");
    expect((await stat(join(directory, "a"))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["a"]);
  });

  it("puts another file in place of the old one, which readers keep", async () => {
    const file = join(directory, "a");
    await writeFile(file, "old");
    const { ino } = await stat(file);
    await writeFileAtomically(file, NEW);
    expect((await stat(file)).ino).not.toBe(ino);
    expect(await readFile(file, "utf8")).toBe("new");
  });

  it("writes through a link instead of replacing it", async () => {
    await writeFile(join(directory, "a"), "old");
    await symlink("a", join(directory, "b"));
    await writeFileAtomically(join(directory, "b"), NEW);
    expect(await readFile(join(directory, "a"), "utf8")).toBe("new");
    expect((await readdir(directory)).toSorted()).toEqual(["a", "b"]);
  });

  it("writes to what is not a file without replacing it", async () => {
    await writeFileAtomically("/dev/null", NEW);
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  it("leaves the old content and nothing else when it fails", async () => {
    await mkdir(join(directory, "taken"));
    await expect(writeFileAtomically(join(directory, "taken"), NEW)).rejects.toThrow(/EISDIR/);
    await expect(writeFileAtomically(join(directory, "none", "a"), NEW)).rejects.toThrow(/ENOENT/);
    expect(await readdir(directory)).toEqual(["taken"]);
  });
});
