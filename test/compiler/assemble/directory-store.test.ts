/** compiler/assemble/directory-store.ts: gives back what was put, or nothing. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryStore } from "../../../compiler/assemble/directory-store.ts";

const KEY = "ab".repeat(32);
const OTHER = "cd".repeat(32);

let directory = "";

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "edict-store-")), "functions");
});

afterEach(() => rmSync(join(directory, ".."), { recursive: true, force: true }));

describe("a store of texts", () => {
  it("gives a text back, also to another process", async () => {
    await new DirectoryStore(directory).put(KEY, "text é\n");
    expect(await new DirectoryStore(directory).get(KEY)).toBe("text é\n");
    expect(await new DirectoryStore(directory).get(OTHER)).toBeUndefined();
    expect(readdirSync(directory)).toEqual([KEY]);
  });

  it("gives nothing for a file that was changed, cut off or put under another name", async () => {
    const store = new DirectoryStore(directory);
    await store.put(KEY, "a text");
    const content = readFileSync(join(directory, KEY), "utf8");
    for (const damaged of [content.slice(0, -1), content.replace("a text", "b text"), "", content.slice(1)]) {
      writeFileSync(join(directory, KEY), damaged);
      expect(await store.get(KEY)).toBeUndefined();
    }
    writeFileSync(join(directory, OTHER), content);
    expect(await store.get(OTHER)).toBeUndefined();
  });

  it("is left alone when others may write to it", async () => {
    const store = new DirectoryStore(directory);
    await store.put(KEY, "a text");
    chmodSync(directory, 0o777);
    expect(await new DirectoryStore(directory).get(KEY)).toBeUndefined();
  });

  it("does without a directory that cannot be made", async () => {
    const store = new DirectoryStore("/dev/null/functions");
    await store.put(KEY, "a text");
    expect(await store.get(KEY)).toBeUndefined();
  });

  it("takes nothing but digests for names", async () => {
    const store = new DirectoryStore(directory);
    await store.put("../escaped", "a text");
    expect(readdirSync(join(directory, ".."))).toEqual(["functions"]);
  });
});
