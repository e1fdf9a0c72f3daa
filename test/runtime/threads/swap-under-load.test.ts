/**
 * Swaps under full load, every answer checked: none fails, none is decided by another version than it names, none mixes two. Twelve
 * swaps here; `EDICT_SWAPS=200` makes it that many, with the load of the acceptance test.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../runtime/index.ts";
import { AdminDaemon, compileVersions, type VersionName } from "../admin/support.ts";
import { IS_BUILT } from "../support/daemon.ts";
import { askOverHttp, askOverStream, Findings, type Swaps } from "./checked-load.ts";

const SWAPS = Number(process.env["EDICT_SWAPS"] ?? 12);
const IS_FULL = SWAPS >= 100;
const LARGE = 600;

/** Swaps without load, for what they leave behind, and bytes that memory may grow by after the first quarter of them. */
const IDLE_SWAPS = Number(process.env["EDICT_IDLE_SWAPS"] ?? 40);
const MAX_GROWTH = 120 * 1024 * 1024;

const many = (count: number, one: () => ReturnType<typeof askOverHttp>) => Array.from({ length: count }, one);

describe.skipIf(!IS_BUILT)("swaps under load", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let running: AdminDaemon | null = null;

  beforeAll(async () => {
    bundles = await compileVersions();
  }, 120_000);

  afterEach(async () => {
    await running?.stop();
    running = null;
  });

  it(
    `${SWAPS} times: no request fails, no answer mixes versions or names another than its own`,
    async () => {
      const daemon = await AdminDaemon.start(bundles.first, () => [
        "--threads",
        "2",
        "--set",
        `server.requestLimits.maxResourcesPerRequest=${LARGE}`,
        "--set",
        "server.batches.workers=2",
        "--set",
        "server.batches.minBytes=20000",
      ]);
      running = daemon;
      const short = (name: VersionName): string => readBundle(bundles[name]).digest.slice(0, 12);
      const swaps: Swaps = { done: 0, begun: 0, versions: [short("first"), short("second")] };
      const findings = new Findings();
      const { port } = daemon.daemon;
      const asking = [
        ...many(IS_FULL ? 48 : 12, () => askOverHttp(port, 1, swaps, findings)),
        ...many(IS_FULL ? 4 : 2, () => askOverHttp(port, LARGE, swaps, findings)),
        ...many(IS_FULL ? 8 : 3, () => askOverStream(port, 8, swaps, findings)),
      ];
      /** Waits until the version that serves has answered, and requests of every kind have been answered. */
      const untilAnswered = async (): Promise<void> => {
        const counts = (): readonly number[] => [
          ...Object.values(findings.answers),
          findings.byVersion.get(swaps.versions[swaps.done % 2] ?? "") ?? 0,
        ];
        const before = counts();
        const isBehind = (): boolean => counts().some((count, index) => count === before[index]);
        while (isBehind() && findings.problems.length === 0) await sleep(5);
      };
      await untilAnswered();
      while (swaps.begun < SWAPS && findings.problems.length === 0) {
        // The daemon may see the file before anybody asks for a reload.
        const next = swaps.begun++ % 2 === 0 ? bundles.second : bundles.first;
        await daemon.put(next);
        const answer = await daemon.ask("/v1/reload", {});
        const serving = answer.ok
          ? (answer.value as { bundle: string }).bundle.slice(0, 12)
          : answer.refusal.message;
        if (serving !== swaps.versions[swaps.begun % 2]) {
          findings.problem(
            `swap ${swaps.begun}: ${serving} serves; ${daemon.daemon.output().err.slice(-2000)}`,
          );
        }
        swaps.done++;
        await sleep(IS_FULL ? 20 : 50);
        await untilAnswered();
      }
      await Promise.all(asking.map((one) => one.stop()));

      expect(findings.problems).toEqual([]);
      expect(swaps.done).toBe(SWAPS);
      for (const version of swaps.versions) expect(findings.byVersion.get(version)).toBeGreaterThan(0);
      for (const count of Object.values(findings.answers)) expect(count).toBeGreaterThan(SWAPS);
      const { counters } = await daemon.status();
      expect(counters, daemon.daemon.output().err.slice(-2000)).toMatchObject({
        swaps: SWAPS,
        failedSwaps: 0,
        traps: 0,
        shed: 0,
        refused: 0,
      });
      const answers = Object.values(findings.answers).reduce((sum, count) => sum + count, 0);
      // Those that a swap has overtaken are decided again, and counted twice.
      expect(counters.requests).toBeGreaterThanOrEqual(answers);
      if (IS_FULL) console.log(JSON.stringify({ swaps: SWAPS, ...findings.answers, counters }));
    },
    IS_FULL ? 1_200_000 : 240_000,
  );

  it(
    `${IDLE_SWAPS} times leave nothing behind`,
    async () => {
      const daemon = await AdminDaemon.start(bundles.first, () => ["--threads", "2"]);
      running = daemon;
      let early = 0;
      for (let swap = 1; swap <= IDLE_SWAPS; swap++) {
        const name = swap % 2 === 1 ? "second" : "first";
        await daemon.put(bundles[name]);
        const answer = await daemon.ask("/v1/reload", {});
        expect(answer).toMatchObject({ ok: true, value: { bundle: readBundle(bundles[name]).digest } });
        if (swap === Math.ceil(IDLE_SWAPS / 4)) early = await daemon.daemon.memory();
      }
      const late = await daemon.daemon.memory();
      // A version that is kept alive on two threads takes some ten megabytes.
      expect(late - early).toBeLessThan(MAX_GROWTH);
      if (IDLE_SWAPS >= 100) console.log(JSON.stringify({ swaps: IDLE_SWAPS, early, late }));
    },
    IDLE_SWAPS >= 100 ? 1_200_000 : 300_000,
  );
});
