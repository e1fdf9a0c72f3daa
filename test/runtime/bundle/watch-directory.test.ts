/** Changes below a policy directory are reported, however editors and deployments make them. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type DirectoryWatch, watchDirectory } from "../../../runtime/bundle/watch-directory.ts";

let root = "";
let watcher: DirectoryWatch | null = null;
let changes = 0;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "edict-watch-"));
  await mkdir(join(root, "team"));
  await writeFile(join(root, "team", "a.yaml"), "one");
  changes = 0;
  watcher = await watchDirectory(root, () => {
    changes++;
  });
});

afterEach(async () => {
  watcher?.close();
  await rm(root, { recursive: true, force: true });
});

/** Makes a change and waits until it is reported. */
async function expectReported(change: () => Promise<unknown>): Promise<void> {
  const before = changes;
  await change();
  await vi.waitFor(() => expect(changes).toBeGreaterThan(before), { timeout: 60_000, interval: 10 });
  // Let a change that touches several files come to rest, so that the next step starts afresh.
  await sleep(150);
}

/** Makes a directory with another one in it, in one turn. */
function fill(directory: string): void {
  mkdirSync(join(directory, "deeper"), { recursive: true });
  writeFileSync(join(directory, "deeper", "b.yaml"), "new");
}

describe("watchDirectory", () => {
  it("reports writing, creating, replacing and removing files", async () => {
    const file = join(root, "team", "a.yaml");
    await expectReported(() => writeFile(file, "two"));
    await expectReported(() => writeFile(join(root, "b.yaml"), "new"));
    await writeFile(join(root, "team", ".tmp"), "three");
    await expectReported(() => rename(join(root, "team", ".tmp"), file));
    await expectReported(() => writeFile(file, "after replacement"));
    await expectReported(() => rm(file));
  });

  it("watches directories that appear later, and survives those that vanish", async () => {
    await expectReported(() => mkdir(join(root, "new", "deeper"), { recursive: true }));
    await expectReported(() => writeFile(join(root, "new", "deeper", "c.yaml"), "x"));
    await expectReported(() => rm(join(root, "new"), { recursive: true }));
    await expectReported(() => writeFile(join(root, "team", "a.yaml"), "still watched"));
  });

  it("goes on watching a directory that is removed and made again, or replaced, before it can look", async () => {
    const deeper = join(root, "team", "deeper");
    await expectReported(async () => fill(join(root, "team")));
    await expectReported(async () => {
      rmSync(join(root, "team"), { recursive: true });
      fill(join(root, "team"));
    });
    await expectReported(() => writeFile(join(root, "team", "a.yaml"), "edited"));
    await expectReported(() => writeFile(join(deeper, "b.yaml"), "edited"));
    await expectReported(async () => fill(join(root, "next")));
    await expectReported(async () => {
      renameSync(join(root, "team"), join(root, "old"));
      renameSync(join(root, "next"), join(root, "team"));
    });
    await expectReported(() => writeFile(join(root, "team", "a.yaml"), "edited"));
    await expectReported(() => writeFile(join(deeper, "b.yaml"), "edited"));
  });

  it("reports a switched symbolic link, as mounted config maps do it", async () => {
    await symlink("team", join(root, "..current"));
    await sleep(100);
    await symlink("other", join(root, "..next"));
    await expectReported(() => rename(join(root, "..next"), join(root, "..current")));
  });

  it("reports a file that is replaced again and again, and nothing else beside it", async () => {
    watcher?.close();
    const archive = join(root, "policies.zip");
    await writeFile(archive, "one");
    watcher = await watchDirectory(archive, () => {
      changes++;
    });
    for (const text of ["two", "three", "four"]) {
      await writeFile(join(root, ".next"), text);
      await expectReported(() => rename(join(root, ".next"), archive));
    }
    const before = changes;
    await writeFile(join(root, "other.txt"), "x");
    await sleep(150);
    expect(changes).toBe(before);
    await expectReported(() => rm(archive));
    await expectReported(() => writeFile(archive, "back"));
  });

  it("gathers many changes into few reports", async () => {
    // In one turn of the event loop, so that no pause between two of them can be long enough to report the first.
    await expectReported(async () => {
      for (let index = 0; index < 50; index++) writeFileSync(join(root, `${index}.yaml`), "x");
    });
    expect(changes).toBeLessThan(10);
  });

  it("reports nothing after it was closed", async () => {
    watcher?.close();
    const before = changes;
    await writeFile(join(root, "b.yaml"), "x");
    await sleep(150);
    expect(changes).toBe(before);
  });
});
