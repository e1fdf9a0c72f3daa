/** `edict test --watch`: runs again after changes, once for changes during a run, and ends when told. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchTests } from "../../../runtime/cli/watch-tests.ts";
import { replaceFile } from "../support/daemon.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "edict-watch-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const WAIT = { timeout: 50_000, interval: 10 };

it("runs at once, again for every change, and ends between runs", async () => {
  const stop = new AbortController();
  let [runs, idle] = [0, 0];
  const done = watchTests({
    directories: [root, root],
    stop: stop.signal,
    run: async () => void runs++,
    idle: () => void idle++,
  });
  await vi.waitFor(() => expect(idle).toBe(1), WAIT);
  // One change: making a file and writing to it are two, which a slow machine may report one by one.
  await replaceFile(join(root, "a_test.yaml"), "x");
  await vi.waitFor(() => expect(idle).toBe(2), WAIT);
  expect(runs).toBe(2);
  stop.abort();
  await done;
});

it("runs once more for changes during a run, and finishes the run that is under way", async () => {
  const stop = new AbortController();
  const started: (() => void)[] = [];
  const done = watchTests({
    directories: [root],
    stop: stop.signal,
    run: () => new Promise((resolve) => started.push(resolve)),
    idle: () => undefined,
  });
  await vi.waitFor(() => expect(started.length).toBe(1), WAIT);
  await replaceFile(join(root, "a.yaml"), "x");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(started.length).toBe(1);
  started[0]?.();
  await vi.waitFor(() => expect(started.length).toBe(2), WAIT);
  stop.abort();
  started[1]?.();
  await done;
  expect(started.length).toBe(2);
});

it("rejects with what a run throws, and leaves no watch behind", async () => {
  const watching = watchTests({
    directories: [root],
    stop: new AbortController().signal,
    run: () => Promise.reject(new Error("broken")),
    idle: () => undefined,
  });
  await expect(watching).rejects.toThrow("broken");
});
