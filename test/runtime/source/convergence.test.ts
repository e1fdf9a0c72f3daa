/**
 * Three daemons and a source that goes through everything a source can: all of them come to the newest version once it is back, and none
 * ever goes back to an older one. How long that takes is printed, not asserted.
 */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Daemon, IS_BUILT, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { HAS_NATS, NatsServer, Origin, servedBy, type TestVersion, TestVersions } from "./support.ts";

const DAEMONS = 3;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let fleet: Fleet;

/** Daemons that are asked all the time which version they serve. */
class Fleet {
  readonly daemons: Daemon[] = [];
  readonly #sequences = new Map<string, number>();
  /** The highest sequence that each daemon has answered by. */
  readonly #reached: number[] = [];
  readonly #problems: string[] = [];
  #watching = true;
  #watches: Promise<void>[] = [];

  async start(...given: string[]): Promise<void> {
    for (let index = 0; index < DAEMONS; index++) {
      const state = join(directory.path, `state-${index}`);
      this.daemons.push(await Daemon.start("--state-dir", state, ...given));
    }
    this.#watches = this.daemons.map((daemon, index) => this.#watch(daemon, index));
  }

  know(version: TestVersion): void {
    this.#sequences.set(version.digest.slice(0, 12), version.sequence);
  }

  /** Waits until all serve `version`, and says how long that took from now. */
  async until(version: TestVersion, what: string): Promise<void> {
    const began = performance.now();
    for (const [index, daemon] of this.daemons.entries()) {
      await daemon.until(() => this.#reached[index] === version.sequence);
    }
    process.stderr.write(`${what}: all serve it after ${Math.round(performance.now() - began)} ms\n`);
  }

  /** What has gone wrong so far. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  async stop(): Promise<void> {
    this.#watching = false;
    await Promise.all(this.#watches);
    for (const daemon of this.daemons) await daemon.stop();
  }

  async #watch(daemon: Daemon, index: number): Promise<void> {
    while (this.#watching) {
      const { digest, view } = await servedBy(daemon);
      const sequence = this.#sequences.get(digest) ?? -1;
      const before = this.#reached[index] ?? 0;
      if (sequence < before) this.#problems.push(`daemon ${index} went from ${before} to ${sequence}`);
      if (view !== (sequence % 2 === 1 ? "EFFECT_ALLOW" : "EFFECT_DENY")) {
        this.#problems.push(`daemon ${index} answers ${view} by ${sequence}`);
      }
      this.#reached[index] = sequence;
      await sleep(20);
    }
  }
}

describe.skipIf(!IS_BUILT)("three daemons converge", () => {
  let versions: TestVersions;

  beforeAll(async () => {
    versions = await TestVersions.compile();
  });

  beforeEach(async () => {
    directory = await temporaryDirectory();
    fleet = new Fleet();
    for (let sequence = 1; sequence < 100; sequence++) fleet.know(versions.get(sequence));
  });

  afterEach(async () => {
    await fleet.stop();
    await directory.remove();
  });

  it("on the newest version of an HTTP origin that is killed, slow, flapping and wrong", async () => {
    const origin = await Origin.start();
    let sequence = 1;
    const publish = (): TestVersion => {
      const version = versions.get(++sequence);
      origin.publish(version.bytes);
      return version;
    };
    origin.publish(versions.get(1).bytes);
    try {
      await fleet.start("--bundle", origin.url, "--poll-interval", "300ms");
      await origin.kill();
      publish();
      await sleep(1500);
      await origin.start();
      await fleet.until(publish(), "origin killed and started again");

      for (const mode of ["hang", "trickle", "cut", "error"] as const) {
        origin.mode = mode;
        publish();
        await sleep(700);
        // A server that hangs is not well again before it is started again.
        await origin.kill();
        origin.mode = "ok";
        await origin.start();
        await fleet.until(publish(), `origin in mode ${mode}`);
      }

      for (let round = 0; round < 6; round++) {
        await origin.kill();
        await sleep(150);
        publish();
        await origin.start();
        await sleep(100);
      }
      await fleet.until(publish(), "origin flapping");

      // An older one, as from a backup: nobody follows.
      origin.publish(versions.get(2).bytes);
      await sleep(1000);
      await fleet.until(publish(), "origin went back");
      expect(fleet.problems).toEqual([]);
    } finally {
      await origin.kill();
    }
  }, 240_000);

  it.skipIf(!HAS_NATS)(
    "on the newest version of a nats-server that is killed, stands still and flaps",
    async () => {
      const server = await NatsServer.start(directory.path);
      let sequence = 0;
      const publish = async (...more: string[]): Promise<TestVersion> => {
        const version = versions.get(++sequence);
        const file = join(directory.path, "next.edict");
        await writeFile(file, version.bytes);
        const run = await runEdict(["push", file, "--to", server.address(), ...more]);
        expect(run.err).toBe("");
        return version;
      };
      try {
        await publish("--create");
        await fleet.start("--bundle", server.address(), "--poll-interval", "1h");
        await fleet.until(await publish(), "published");

        await server.kill();
        await sleep(1500);
        await server.start();
        await fleet.until(await publish(), "nats-server killed and started again");

        await server.kill("SIGTERM");
        await sleep(500);
        await server.start();
        await fleet.until(await publish(), "nats-server stopped and started again");

        server.pause();
        await sleep(2000);
        server.resume();
        await fleet.until(await publish(), "nats-server stood still");

        for (let round = 0; round < 4; round++) {
          await server.kill();
          await sleep(200);
          await server.start();
          await publish();
        }
        await fleet.until(versions.get(sequence), "nats-server flapping");
        expect(fleet.problems).toEqual([]);
      } finally {
        server.resume();
        await server.kill();
      }
    },
    240_000,
  );
});

/** A file system with 1.5 MiB, where that can be had. */
function mountSmall(path: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1536k,mode=700", "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    process.stderr.write("no tmpfs can be mounted: the test of a full disk is skipped\n");
    return false;
  }
}

describe.skipIf(!IS_BUILT)("a disk that is full", () => {
  it("keeps nobody from serving the newest version, and leaves a state that can be started from", async (context) => {
    directory = await temporaryDirectory();
    const disk = join(directory.path, "disk");
    await mkdir(disk);
    if (!mountSmall(disk)) {
      await directory.remove();
      return context.skip();
    }
    const versions = await TestVersions.compile();
    const origin = await Origin.start();
    origin.publish(versions.get(1).bytes);
    const given = ["--bundle", origin.url, "--poll-interval", "100ms", "--state-dir", disk];
    let daemon: Daemon | null = null;
    try {
      daemon = await Daemon.start(...given);
      const running = daemon;
      // Fills what is left, in pieces until no piece fits.
      for (let piece = 0, bytes = 1024 * 1024; bytes >= 4096; piece++) {
        try {
          await writeFile(join(disk, `filler-${piece}`), Buffer.alloc(bytes));
        } catch {
          bytes /= 2;
        }
      }
      origin.publish(versions.get(2).bytes);
      await running.until(async () => versions.get(2).digest.startsWith((await servedBy(running)).digest));
      await running.until(async () => JSON.stringify(await running.json("/healthz")).includes("ENOSPC"));
      await running.stop();
      await origin.kill();
      daemon = await Daemon.start(...given);
      expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);
    } finally {
      await daemon?.stop();
      await origin.kill();
      execFileSync("umount", [disk]);
      await directory.remove();
    }
  });
});
