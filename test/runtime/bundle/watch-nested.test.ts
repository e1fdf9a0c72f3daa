/** A directory that comes into a new one before that is watched: what happens in it is reported. */
import type * as FileSystem from "node:fs/promises";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type DirectoryWatch, watchDirectory } from "../../../runtime/bundle/watch-directory.ts";

/** Called behind every listing of a directory, before anybody knows what it came to. */
let listed: (path: string) => Promise<void> = async () => undefined;

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof FileSystem>();
  const readdir = async (path: string, options: object): Promise<unknown> => {
    const entries = await real.readdir(path, options as never);
    await listed(path);
    return entries;
  };
  return { ...real, readdir };
});

let root: string;
let watching: DirectoryWatch | null = null;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "edict-watch-"));
});

afterEach(async () => {
  watching?.close();
  await rm(root, { recursive: true });
});

it("is watched, too", async () => {
  let changes = 0;
  watching = await watchDirectory(root, () => {
    changes++;
  });
  const fresh = join(root, "fresh");
  const inner = join(fresh, "inner");
  listed = async (path) => {
    if (path === fresh) await mkdir(inner, { recursive: true });
  };
  await mkdir(fresh);
  await vi.waitFor(() => expect(changes).toBeGreaterThan(0), { timeout: 50_000 });
  // What is still on its way is about the directories themselves.
  await sleep(200);
  const before = changes;
  await writeFile(join(inner, "policy.yaml"), "x");
  await vi.waitFor(() => expect(changes).toBeGreaterThan(before), { timeout: 50_000 });
});
