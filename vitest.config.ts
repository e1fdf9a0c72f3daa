/**
 * vitest: every `*.test.ts` under test/, run from sources; the WASM core and dist/ come from `npm run build`. Files that start no daemons and
 * leave the process as they found it share one, because loading the compiler takes longer than most of them.
 */
import { defineConfig } from "vitest/config";
import { FailuresAtOnce } from "./test/support/failures-at-once.ts";

const SHARING = ["assembly", "bench", "compiler", "conformance", "differential", "golden"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    globalSetup: "test/support/one-cache.ts",
    reporters: process.env["CI"] === undefined ? ["default"] : ["default", new FailuresAtOnce()],
    testTimeout: 60_000,
    // Two bundles that differ would be all that is left of a log.
    diff: { truncateThreshold: 60 },
    hookTimeout: 120_000,
    pool: "forks",
    // Compiling makes much short-lived garbage; with room for it, collecting it takes less.
    execArgv: ["--max-semi-space-size=64"],
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "sharing", include: SHARING, isolate: false } },
      { extends: true, test: { name: "alone", include: ["test/**/*.test.ts"], exclude: SHARING } },
    ],
  },
});
