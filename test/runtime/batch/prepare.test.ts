/** Versions on batch workers: each has a version ready before it serves, and one that cannot keeps it from serving anywhere. */
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON } from "../../../assembly/abi.ts";
import { BatchPool } from "../../../runtime/batch/batch-pool.ts";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";
import { plainOptions } from "../../../runtime/guest/options.ts";
import { Engine } from "../../../runtime/index.ts";
import { sumOfCounters } from "../../../runtime/observe/counters.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { ServingThreads } from "../../../runtime/threads/serving-threads.ts";
import { compileVersions, type VersionName } from "../admin/support.ts";
import { albumRequest, IS_BUILT } from "../support/daemon.ts";
import { encodeRequest, largeRequest } from "./support.ts";

const ODD_WORKER = fileURLToPath(new URL("odd-worker.mjs", import.meta.url));
const LATE_WORKER = fileURLToPath(new URL("late-worker.mjs", import.meta.url));

/** The version again, as one that the odd worker refuses. */
function refused({ compiled }: Engine): Engine {
  const { bundle } = compiled;
  const manifest = { ...bundle.manifest, compiler: "refuse" };
  return Engine.start({ ...compiled, bundle: { ...bundle, manifest } });
}

async function answer(workers: BatchPool): Promise<string> {
  const bytes = encodeRequest(albumRequest(), "json");
  const decided = await workers.decide(largeRequest(bytes, FORMAT_JSON, FORMAT_JSON));
  if (decided.kind === "refused") return decided.reply.status;
  const text = Buffer.concat(decided.pieces).toString();
  decided.release();
  return /"view":"(\w+)"/.exec(text)?.[1] ?? text;
}

describe.skipIf(!IS_BUILT)("a version on batch workers", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let pool: BatchPool | null = null;

  beforeAll(async () => {
    bundles = await compileVersions();
  }, 120_000);

  afterEach(async () => {
    await pool?.close();
    pool = null;
  });

  /** What a daemon with one serving thread has: its state, its workers, and the way versions are swapped. */
  async function start(
    entry = ODD_WORKER,
  ): Promise<{ state: ServingState; workers: BatchPool; threads: ServingThreads }> {
    const engine = await Engine.load(bundles.first);
    const threads = new ServingThreads(1);
    const state = new ServingState(engine, threads.traps, 0, threads.shed, threads.counters);
    const workers = new BatchPool(state, {
      workers: 2,
      minBytes: 1024,
      engine: plainOptions(engine.options),
      memory: new SharedMemory(),
      entry,
    });
    pool = workers;
    threads.prepareFirst = (prepared) => workers.prepare(prepared);
    return { state, workers, threads };
  }

  it("is ready before it serves, on workers that run", async () => {
    const { state, workers, threads } = await start();
    expect(await answer(workers)).toBe("EFFECT_ALLOW");
    const second = await Engine.load(bundles.second);
    await threads.swap(second, () => state.swap(second));
    expect(await answer(workers)).toBe("EFFECT_DENY");
    // Workers keep the version before, for requests that are under way.
    const first = await Engine.load(bundles.first);
    await threads.swap(first, () => state.swap(first));
    expect(await answer(workers)).toBe("EFFECT_ALLOW");
    expect(sumOfCounters(state.counters.all, "large")).toBe(3);
  });

  it("is ready on a worker that was still starting when the others got it", async () => {
    const { state, workers, threads } = await start(LATE_WORKER);
    // As a daemon does when it starts; the first version is there when one of them has it.
    const started = workers.start();
    expect(await answer(workers)).toBe("EFFECT_ALLOW");
    for (const name of ["second", "first"] as const) {
      const engine = await Engine.load(bundles[name]);
      await threads.swap(engine, () => state.swap(engine));
      expect(await answer(workers)).toBe(name === "first" ? "EFFECT_ALLOW" : "EFFECT_DENY");
    }
    await started;
  }, 40_000);

  it("serves nowhere when a worker refuses it", async () => {
    const { state, workers, threads } = await start();
    const before = state.engine;
    expect(await answer(workers)).toBe("EFFECT_ALLOW");
    const second = refused(await Engine.load(bundles.second));
    let swapped = false;
    const attempt = threads.swap(second, () => {
      swapped = true;
    });
    await expect(attempt).rejects.toThrow(/thread 0: a batch worker is not ready for it: told to refuse/);
    expect(swapped).toBe(false);
    expect(state.engine).toBe(before);
    expect(await answer(workers)).toBe("EFFECT_ALLOW");
  });

  it("is given to workers that start later with their first request", async () => {
    const { state, workers, threads } = await start();
    const second = await Engine.load(bundles.second);
    await threads.swap(second, () => state.swap(second));
    expect(await answer(workers)).toBe("EFFECT_DENY");
  });
});
