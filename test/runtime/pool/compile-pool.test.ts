/** The worker that compiles, between two tasks. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setEnvironmentData } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { CompilePool } from "../../../runtime/pool/compile-pool.ts";

const PREPARING_WORKER = fileURLToPath(new URL("preparing-worker.mjs", import.meta.url));

/** How often the worker has got something ready (preparing-worker.mjs). */
const PREPARED = new Int32Array(new SharedArrayBuffer(4));
setEnvironmentData("edict-test-prepared", PREPARED);

describe("the worker of the compiler", () => {
  const pool = new CompilePool(PREPARING_WORKER);
  afterEach(() => pool.close());

  // It stood still until the next task came, so what was to be ready by then delayed just that task.
  it("goes on with what it has planned while it has no task", async () => {
    for (const count of [1, 2]) {
      await pool.compile({ directory: "" });
      for (let wait = 0; wait < 500 && Atomics.load(PREPARED, 0) < count; wait++) await sleep(10);
      expect(Atomics.load(PREPARED, 0)).toBe(count);
    }
  });
});
