/** The state directory: what is kept, what of it is used when a daemon starts without its source, and what never is. */
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { elapsedBetween } from "../../../runtime/source/confirmation-file.ts";
import { DiskVersionStore } from "../../../runtime/source/disk-version-store.ts";
import { Daemon, IS_BUILT, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { Origin, servedBy, type TestVersion, TestVersions, untilServes } from "./support.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let state: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  state = join(directory.path, "state");
});

afterEach(async () => {
  await directory.remove();
});

const digest = (letter: string): string => letter.repeat(64);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a state directory", () => {
  it("keeps the last versions and the highest sequence for the next start", async () => {
    const store = await DiskVersionStore.open(state);
    for (const [index, letter] of ["a", "b", "c", "d"].entries()) {
      await store.keep({ digest: digest(letter), sequence: index + 1 }, bytes(letter));
    }
    await store.keep({ digest: digest("b"), sequence: 2 }, bytes("b"));
    const next = await DiskVersionStore.open(state);
    expect(next.highest()).toBe(4);
    expect(next.versions().map((version) => version.digest)).toEqual(["b", "d", "c"].map(digest));
    expect(await next.read(digest("d"))).toEqual(Buffer.from("d"));
    expect(await next.read(digest("a"))).toBeNull();
    expect((await readdir(state)).sort()).toEqual(
      [...["b", "c", "d"].map((letter) => `${digest(letter)}.edict`), "lock", "state.json"].sort(),
    );
  });

  it("is open to nobody else", async () => {
    const store = await DiskVersionStore.open(state);
    await store.keep({ digest: digest("a"), sequence: 1 }, bytes("a"));
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    for (const name of (await readdir(state)).filter((entry) => entry !== "lock")) {
      expect((await stat(join(state, name))).mode & 0o777).toBe(0o600);
    }
    await chmod(state, 0o777);
    await expect(DiskVersionStore.open(state)).rejects.toMatchObject({ code: "EDICT_STATE" });
  });

  it("finds damage to its record, and does without", async () => {
    const store = await DiskVersionStore.open(state);
    await store.keep({ digest: digest("a"), sequence: 7 }, bytes("a"));
    const text = await readFile(join(state, "state.json"), "utf8");
    await writeFile(join(state, "state.json"), text.replace('"highest":7', '"highest":6'));
    expect((await DiskVersionStore.open(state)).highest()).toBeNull();
    await writeFile(join(state, "state.json"), "");
    expect((await DiskVersionStore.open(state)).versions()).toEqual([]);
  });

  it("removes what a write that never ended has left", async () => {
    await DiskVersionStore.open(state);
    await writeFile(join(state, ".state.json.0123456789abcdef.tmp"), "half");
    await DiskVersionStore.open(state);
    expect(await readdir(state)).toEqual(["lock"]);
  });

  it("remembers the sequence although it cannot be written, and writes it when it can", async () => {
    const store = await DiskVersionStore.open(state);
    await rm(state, { recursive: true });
    await store.keep({ digest: digest("a"), sequence: 3 }, bytes("a"));
    await store.accept(3);
    expect(store.problem).toContain("could not be kept");
    expect(store.highest()).toBe(3);
    expect(await store.read(digest("a"))).toEqual(bytes("a"));
    await mkdir(state, { mode: 0o700 });
    await store.mend();
    expect(store.problem).toBeNull();
    const next = await DiskVersionStore.open(state);
    expect(next.highest()).toBe(3);
    expect(await next.read(digest("a"))).toEqual(Buffer.from("a"));
  });

  it("knows how old what it keeps is, whatever the clock says, until the machine starts again", () => {
    const then = { boot: "b1", uptimeMs: 10_000, wallMs: 1_000_000 };
    expect(elapsedBetween(then, { boot: "b1", uptimeMs: 15_000, wallMs: 0 })).toBe(5_000);
    expect(elapsedBetween(then, { boot: "b1", uptimeMs: 15_000, wallMs: 9e12 })).toBe(5_000);
    expect(elapsedBetween(then, { boot: "b2", uptimeMs: 100, wallMs: 1_060_000 })).toBe(60_000);
    expect(elapsedBetween(then, { boot: "b2", uptimeMs: 100, wallMs: 0 })).toBe(0);
  });
});

describe.skipIf(!IS_BUILT)("a daemon without its source", { timeout: 180_000 }, () => {
  let versions: TestVersions;
  let origin: Origin;
  const daemons: Daemon[] = [];

  beforeAll(async () => {
    versions = await TestVersions.compile();
  });

  beforeEach(async () => {
    origin = await Origin.start();
  });

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop();
    await origin.kill();
  });

  async function start(...more: string[]): Promise<Daemon> {
    const daemon = await Daemon.start("--bundle", origin.url, "--state-dir", state, ...more);
    daemons.push(daemon);
    return daemon;
  }

  /** Leaves a state directory behind in which `served` was accepted one after the other. */
  async function leave(...served: TestVersion[]): Promise<void> {
    origin.publish(served[0]?.bytes ?? new Uint8Array(0));
    const daemon = await start("--poll-interval", "100ms");
    for (const version of served) {
      origin.publish(version.bytes);
      await untilServes(daemon, version);
    }
    await daemon.stop();
    await origin.kill();
  }

  it("starts with the last good version, says so, and follows the source when it is back", async () => {
    await leave(versions.get(1), versions.get(2));
    const daemon = await start();
    expect(versions.get(2).digest).toContain((await servedBy(daemon)).digest);
    expect(await daemon.json("/readyz")).toMatchObject({
      status: "SERVING",
      lastReload: { ok: false, code: "EDICT_SOURCE_UNREACHABLE" },
    });
    origin.publish(versions.get(3).bytes);
    await origin.start();
    await untilServes(daemon, versions.get(3));
  });

  it("does not wait for a source that says nothing", async () => {
    await leave(versions.get(1));
    origin.mode = "hang";
    await origin.start();
    const daemon = await start();
    expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);
    origin.mode = "ok";
    origin.publish(versions.get(2).bytes);
    await untilServes(daemon, versions.get(2));
  });

  it("uses no kept bundle that is damaged, and none instead that is older", async () => {
    await leave(versions.get(1), versions.get(2));
    const file = join(state, `${versions.get(2).digest}.edict`);
    const kept = await readFile(file);
    kept[kept.length - 9] = (kept[kept.length - 9] ?? 0) ^ 1;
    await writeFile(file, kept);
    await expect(start()).rejects.toThrow(/the kept bundle \w{12} is not used: .*does not match its digest/);
    await rm(file);
    await expect(start()).rejects.toThrow(/the kept bundle \w{12} is missing/);
    // Nor does the source get an older one in because of that.
    origin.publish(versions.get(1).bytes);
    await origin.start();
    await expect(start()).rejects.toThrow(/sequence 2 has been accepted before/);
    origin.publish(versions.get(2).bytes);
    const daemon = await start();
    expect(versions.get(2).digest).toContain((await servedBy(daemon)).digest);
  });

  it("waits for a slow source when no kept bundle can serve instead", async () => {
    await leave(versions.get(1));
    await rm(join(state, `${versions.get(1).digest}.edict`));
    origin.intercept = (_, response) => {
      setTimeout(() => response.end(versions.get(2).bytes), 3_000);
      return true;
    };
    await origin.start();
    const daemon = await start();
    expect(versions.get(2).digest).toContain((await servedBy(daemon)).digest);
    expect(daemon.output().err).toMatch(/the kept bundle \w{12} is missing/);
  });

  it("goes by the bundles when the record of them is lost", async () => {
    await leave(versions.get(1), versions.get(2));
    await writeFile(join(state, "state.json"), "nothing of use");
    origin.publish(versions.get(1).bytes);
    await origin.start();
    const daemon = await start();
    expect(versions.get(2).digest).toContain((await servedBy(daemon)).digest);
    expect(daemon.output().err).toContain("is damaged and ignored (wrong checksum)");
    const refusal = "sequence 2 has been accepted before";
    await daemon.until(() => daemon.output().err.includes(refusal));
  });

  it("uses no kept bundle that is not signed as it has to be", async () => {
    await leave(versions.get(1));
    const key = join(directory.path, "release");
    expect((await runEdict(["keygen", "-o", key])).code).toBe(0);
    const files = await readdir(directory.path);
    const publicKey = files.find((name) => name.startsWith("release") && name.includes("public")) ?? "";
    await expect(start("--verify-key", join(directory.path, publicKey))).rejects.toThrow(
      /the kept bundle \w{12} is not used: the bundle is not signed/,
    );
  });

  it("serves new versions although the disk takes none, says so, and keeps them when it does again", async () => {
    origin.publish(versions.get(1).bytes);
    const daemon = await start("--poll-interval", "100ms");
    // Root may write anywhere, but not into a directory that is not there.
    await rm(state, { recursive: true });
    origin.publish(versions.get(2).bytes);
    await untilServes(daemon, versions.get(2));
    const health = async (): Promise<string> => JSON.stringify(await daemon.json("/healthz"));
    await daemon.until(async () => (await health()).includes("could not be kept"));
    await mkdir(state, { mode: 0o700 });
    await daemon.until(async () => !(await health()).includes("could not be kept"));
    await daemon.stop();
    await origin.kill();
    const again = await start();
    expect(versions.get(2).digest).toContain((await servedBy(again)).digest);
  });

  it("shares its directory with no other, and takes it over from one that was killed", async () => {
    origin.publish(versions.get(1).bytes);
    const daemon = await start();
    // What it may be writing at this moment.
    const temporary = join(state, `.state.json.${"0".repeat(16)}.tmp`);
    await writeFile(temporary, "");
    await expect(start()).rejects.toThrow(/is in use by process \d+/);
    expect(await readFile(temporary, "utf8")).toBe("");
    daemon.process.kill("SIGKILL");
    await daemon.stop();
    expect(versions.get(1).digest).toContain((await servedBy(await start())).digest);
    await expect(readFile(temporary)).rejects.toThrow(/ENOENT/);
  });

  it("does not use a directory that others may write to", async () => {
    await mkdir(state, { mode: 0o700 });
    await chmod(state, 0o777);
    await expect(start()).rejects.toThrow(/others than its owner may write to it/);
  });
});
