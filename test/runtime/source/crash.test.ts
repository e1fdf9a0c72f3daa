/**
 * kill -9 at random instants while bundles arrive: start, fetch, swap, keeping. Whatever the instant, the next start decides by a
 * version that was published, answers as that version does, and never by an older one than the start before it. A handful of runs unless
 * EDICT_CRASH_RUNS says how many; the instants come from a seed that is printed (EDICT_CRASH_SEED).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { BINARY, Daemon, IS_BUILT, temporaryDirectory } from "../support/daemon.ts";
import { Origin, servedBy, TestVersions } from "./support.ts";

const RUNS = Number(process.env["EDICT_CRASH_RUNS"] ?? 5);
const SEED = Number(process.env["EDICT_CRASH_SEED"] ?? 20_261_121);

/** How long a daemon lives at most once it could be ready, in milliseconds. */
const LONGEST_LIFE = 2_000;

/** Numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

it.skipIf(!IS_BUILT)(
  `decides correctly after each of ${RUNS} crashes`,
  async () => {
    process.stderr.write(`crashes by seed ${SEED}\n`);
    const random = randomFrom(SEED);
    const versions = await TestVersions.compile();
    const sequences = new Map<string, number>();
    const directory = await temporaryDirectory();
    const origin = await Origin.start();
    const state = join(directory.path, "state");
    const given = ["--bundle", origin.url, "--poll-interval", "100ms", "--state-dir", state];
    let newest = 0;
    const publish = (): void => {
      const version = versions.get(++newest);
      sequences.set(version.digest.slice(0, 12), newest);
      origin.publish(version.bytes);
    };
    /** Whether a daemon has kept more than the first version. */
    const hasKept = async (): Promise<boolean> => {
      const text = await readFile(join(state, "state.json"), "utf8");
      return Number(/"highest":(\d+)/.exec(text)?.[1] ?? 0) > 1;
    };
    /** Starts without a newer version anywhere, and checks what serves then. */
    const startAndCheck = async (kept: number): Promise<number> => {
      const daemon = await Daemon.start(...given);
      try {
        const { digest, view } = await servedBy(daemon);
        const sequence = sequences.get(digest) ?? -1;
        expect(sequence).toBeGreaterThanOrEqual(kept);
        expect(view).toBe(sequence % 2 === 1 ? "EFFECT_ALLOW" : "EFFECT_DENY");
        expect(daemon.output().err).not.toMatch(/damaged|not used|missing/);
        return sequence;
      } finally {
        daemon.process.kill("SIGKILL");
        await daemon.stop();
      }
    };
    let child: ChildProcess | null = null;
    try {
      publish();
      const began = performance.now();
      let kept = await startAndCheck(1);
      const startTime = performance.now() - began;
      for (let run = 0; run < RUNS; run++) {
        child = spawn(process.execPath, [BINARY, "serve", ...given, "--http", "127.0.0.1:0"], {
          stdio: "ignore",
        });
        // The first one certainly gets to keep something, however slow the machine is.
        const share = run === 0 ? 1 : random();
        const end = performance.now() + share * (startTime + LONGEST_LIFE);
        const isEarly = async (): Promise<boolean> =>
          performance.now() < end || (run === 0 && !(await hasKept()));
        while (await isEarly()) {
          publish();
          const [wait, left] = [random() * 120, end - performance.now()];
          await sleep(left > 0 ? Math.min(wait, left) : wait);
        }
        const exit = once(child, "exit");
        child.kill("SIGKILL");
        await exit;
        // Half of the times the source is down, half of the times somebody replays an old version.
        if (run % 2 === 0) await origin.kill();
        else origin.publish(versions.get(1).bytes);
        kept = await startAndCheck(kept);
        if (run % 2 === 0) await origin.start();
        if (run % 10 === 9) process.stderr.write(`${run + 1} crashes, version ${kept} of ${newest} kept\n`);
      }
      expect(kept).toBeGreaterThan(1);
      process.stderr.write(`${newest} versions published, the last start decided by ${kept}\n`);
    } finally {
      child?.kill("SIGKILL");
      await origin.kill();
      await directory.remove();
    }
  },
  120_000 + RUNS * 40_000,
);
