/** Versions that are set aside: which, until when, and what is left of it for the next process. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VersionHold } from "../../../runtime/admin/version-hold.ts";
import { temporaryDirectory } from "../support/daemon.ts";

const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];

describe("a hold", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>;

  beforeEach(async () => {
    scratch = await temporaryDirectory();
  });

  afterEach(() => scratch.remove());

  it("sets aside what was left, and ends with any other version", async () => {
    const hold = await VersionHold.open(null);
    expect(hold.isSetAside(B)).toBe(false);
    hold.set("rollback", [B], A);
    expect([A, B, C].map((digest) => hold.isSetAside(digest))).toEqual([false, true, false]);
    hold.note(A);
    expect(hold.isSetAside(B)).toBe(true);
    // It was on its way to serve when it was set aside.
    hold.note(B);
    expect(hold.isSetAside(B)).toBe(true);
    hold.note(A);
    expect(hold.replaced).toBe(B);
    hold.note(C);
    expect(hold.current).toBeNull();
  });

  it("sets aside every version that was left one after the other, but not the one that is chosen", async () => {
    const hold = await VersionHold.open(null);
    hold.set("rollback", [C], B);
    hold.set("rollback", [B], A);
    expect([A, B, C].map((digest) => hold.isSetAside(digest))).toEqual([false, true, true]);
    hold.set("promote", [A], C);
    expect([A, B, C].map((digest) => hold.isSetAside(digest))).toEqual([true, true, false]);
  });

  it("outlives the process, until it ends", async () => {
    const hold = await VersionHold.open(scratch.path);
    hold.set("rollback", [B], A);
    const file = join(scratch.path, "hold.json");
    await until(async () => (await readFile(file, "utf8").catch(() => "")).includes(B));
    const next = await VersionHold.open(scratch.path);
    expect(next.current).toEqual(hold.current);
    next.release();
    await until(async () => (await readFile(file, "utf8").catch(() => null)) === null);
    expect((await VersionHold.open(scratch.path)).current).toBeNull();
  });

  it("is not read from a file that is damaged", async () => {
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      '{"reason":"rollback","chosen":"x","setAside":[]}',
      `{"setAside":["${A}"]}`,
    ]) {
      await writeFile(join(scratch.path, "hold.json"), text);
      expect((await VersionHold.open(scratch.path)).current).toBeNull();
    }
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let wait = 0; wait < 1000; wait++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error("nothing came of it");
}
