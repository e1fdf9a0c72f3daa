/** A bundle file that is replaced, switched by a link, or written slowly while a daemon serves it. */
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FileSource } from "../../../runtime/source/file-source.ts";
import type { FetchedBundle } from "../../../runtime/source/source.ts";
import { Daemon, IS_BUILT, temporaryDirectory } from "../support/daemon.ts";
import { servedBy, TestVersions, untilServes } from "./support.ts";

const NEVER = new AbortController().signal;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(async () => {
  await directory.remove();
});

function sourceOf(file: string, maxBytes = 1024): FileSource {
  return new FileSource({ file, maxBytes, pollIntervalMs: 50 });
}

/** Bytes that take a moment to read, and how often the file is replaced. */
const SIZE = 8 * 1024 * 1024;
const ROUNDS = 30;

async function replaceSoon(file: string, round: number): Promise<void> {
  await sleep(round % 5);
  await rename(`${file}.new`, file);
}

describe("a bundle file", () => {
  it("is given once, and again when it was replaced or written to", async () => {
    const file = join(directory.path, "a.edict");
    await writeFile(file, "one");
    const source = sourceOf(file);
    expect(await source.fetch(NEVER)).toMatchObject({ bytes: Buffer.from("one") });
    expect(await source.fetch(NEVER)).toBe("unchanged");
    await writeFile(`${file}.new`, "two");
    await rename(`${file}.new`, file);
    expect(await source.fetch(NEVER)).toMatchObject({ bytes: Buffer.from("two") });
    await sleep(20);
    await writeFile(file, "six");
    expect(await source.fetch(NEVER)).toMatchObject({ bytes: Buffer.from("six") });
    source.forget();
    expect(await source.fetch(NEVER)).toMatchObject({ bytes: Buffer.from("six") });
  });

  it("is read whole when another takes its place while it is read", async () => {
    const file = join(directory.path, "a.edict");
    const source = sourceOf(file, SIZE);
    await writeFile(file, Buffer.alloc(SIZE, 0));
    const read = new Set<number>();
    for (let round = 1; round <= ROUNDS; round++) {
      await writeFile(`${file}.new`, Buffer.alloc(SIZE, round));
      source.forget();
      // Both begin at once, so that the rename falls into some of the reads.
      const [fetched] = await Promise.all([source.fetch(NEVER), replaceSoon(file, round)]);
      const bytes = Buffer.from((fetched as FetchedBundle).bytes);
      expect(bytes.equals(Buffer.alloc(SIZE, bytes[0]))).toBe(true);
      read.add(bytes[0] ?? -1);
    }
    expect(read.size).toBeGreaterThan(1);
  });

  it("is refused when it is too large, missing, or no file", async () => {
    const file = join(directory.path, "a.edict");
    await expect(sourceOf(file).fetch(NEVER)).rejects.toMatchObject({ code: "EDICT_SOURCE_NOT_FOUND" });
    await expect(sourceOf(directory.path).fetch(NEVER)).rejects.toMatchObject({
      code: "EDICT_SOURCE_REFUSED",
    });
    await writeFile(file, Buffer.alloc(2000));
    await expect(sourceOf(file).fetch(NEVER)).rejects.toMatchObject({ code: "EDICT_BUNDLE_TOO_LARGE" });
  });
});

describe.skipIf(!IS_BUILT)("a daemon with a bundle file", () => {
  let versions: TestVersions;
  let daemon: Daemon | null = null;

  beforeAll(async () => {
    versions = await TestVersions.compile();
  });

  afterEach(async () => {
    await daemon?.stop();
    daemon = null;
  });

  it("serves what replaces the file, however that comes about", async () => {
    const file = join(directory.path, "a.edict");
    await writeFile(file, versions.get(1).bytes);
    const running = await Daemon.start("--bundle", file);
    daemon = running;
    await writeFile(`${file}.new`, versions.get(2).bytes);
    await rename(`${file}.new`, file);
    await untilServes(running, versions.get(2));
    await writeFile(file, versions.get(3).bytes);
    await untilServes(running, versions.get(3));
    await rm(file);
    await running.until(async () =>
      JSON.stringify(await running.json("/healthz")).includes("EDICT_SOURCE_NOT_FOUND"),
    );
    expect(versions.get(3).digest).toContain((await servedBy(running)).digest);
    await writeFile(file, versions.get(4).bytes);
    await untilServes(running, versions.get(4));
  });

  it("follows a link to another directory that is switched, as mounted volumes do it", async () => {
    for (const sequence of [1, 2, 3]) {
      await mkdir(join(directory.path, `release-${sequence}`));
      await writeFile(join(directory.path, `release-${sequence}`, "a.edict"), versions.get(sequence).bytes);
    }
    const current = join(directory.path, "..data");
    const mount = join(directory.path, "mount");
    await mkdir(mount);
    await symlink("release-1", current);
    await symlink("../..data/a.edict", join(mount, "a.edict"));
    const running = await Daemon.start("--bundle", join(mount, "a.edict"));
    daemon = running;
    for (const sequence of [2, 3]) {
      await symlink(`release-${sequence}`, `${current}.new`);
      await rename(`${current}.new`, current);
      await untilServes(running, versions.get(sequence));
    }
  });

  it("keeps the old version while the new one is written piece by piece", async () => {
    const file = join(directory.path, "a.edict");
    await writeFile(file, versions.get(1).bytes);
    const running = await Daemon.start("--bundle", file);
    daemon = running;
    const { bytes } = versions.get(2);
    for (const share of [0, 0.3, 0.7]) {
      await writeFile(file, bytes.subarray(0, bytes.length * share));
      // Time to look at it; a machine that needs more only looks at less.
      await sleep(200);
      expect(versions.get(1).digest).toContain((await servedBy(running)).digest);
    }
    await running.until(async () =>
      JSON.stringify(await running.json("/healthz")).includes('"code":"EDICT_BUNDLE_MALFORMED"'),
    );
    expect(await running.json("/healthz")).toMatchObject({ lastReload: { ok: false } });
    expect(versions.get(1).digest).toContain((await servedBy(running)).digest);
    await writeFile(file, bytes);
    await untilServes(running, versions.get(2));
    await running.until(async () => JSON.stringify(await running.json("/healthz")).includes('"ok":true'));
  });
});
