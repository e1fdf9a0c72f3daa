/** Runs `wrk`, when it is installed, as the load generator; reads the one line that post-bodies.lua prints. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { runToEnd } from "./processes.ts";
import type { LoadPlan, LoadResult } from "./load-result.ts";

const SCRIPT = fileURLToPath(new URL("post-bodies.lua", import.meta.url));

/** Whether `wrk` can be started here. */
export function hasWrk(): boolean {
  return spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined;
}

/** One burst of load from one generator thread. */
export async function runWrk(plan: LoadPlan): Promise<LoadResult> {
  const output = await runToEnd(
    "wrk",
    [
      "--threads=1",
      `--connections=${plan.connections}`,
      `--duration=${plan.seconds}s`,
      "--timeout=5s",
      `--script=${SCRIPT}`,
      `http://127.0.0.1:${plan.port}`,
    ],
    { REQUEST_FILE: plan.requestFile },
    plan.seconds + 20,
  );
  const line = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(output);
  if (line === null) throw new Error(`wrk gave no result: ${output.slice(0, 500)}`);
  const [requests = 0, microseconds = 1, failed = 0, p50 = 0, p99 = 0] = line.slice(1).map(Number);
  return { requests, seconds: microseconds / 1e6, failed, p50, p99 };
}
