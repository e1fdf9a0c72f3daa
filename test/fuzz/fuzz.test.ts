/** A short run of the fuzzer over every transport, with a fixed seed; `npm run fuzz` runs longer ones. */
import { beforeAll, describe, expect, it } from "vitest";
import { BUILD_CORE, CORE_IS_BUILT } from "../support/engines.ts";
import { IS_BUILT } from "../runtime/support/daemon.ts";
import { DaemonUnderTest } from "./daemon-under-test.ts";
import { fuzzEngines } from "./engine-run.ts";
import { Findings } from "./findings.ts";
import { fuzzHttp } from "./http-run.ts";
import { fuzzStream } from "./stream-run.ts";
import { batchWorld, exampleWorld, loadtestWorld, type World } from "./worlds.ts";
import { timesEffort } from "../support/effort.ts";

const SEED = 20_261_121;
const TIMEOUT_MS = 300_000;

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "fuzzed requests" : `fuzzed requests (${BUILD_CORE})`, () => {
  let examples: World;

  beforeAll(async () => {
    examples = await exampleWorld();
  }, TIMEOUT_MS);

  it(
    "are refused or decided as the interpreter does, in this process",
    async () => {
      const worlds = [examples, await loadtestWorld(), await loadtestWorld({ schemaEnforcement: "reject" })];
      const findings = new Findings(null);
      const options = {
        requests: timesEffort(2500),
        seed: SEED,
        every: 5,
        everyAllow: 1,
        progress: () => {},
      };
      const counts = await fuzzEngines(
        worlds.filter((world) => world !== null),
        options,
        findings,
      );
      expect(findings.summary()).toEqual([]);
      // Both sides must be exercised for the comparison to mean anything.
      expect(counts.compared).toBeGreaterThan(200);
      expect(counts.allowed).toBeGreaterThan(200);
      expect(counts.statuses.size).toBeGreaterThan(8);
    },
    TIMEOUT_MS,
  );

  it.skipIf(!IS_BUILT)(
    "are refused or decided as the interpreter does, over HTTP and the stream, whole and in parts",
    async () => {
      const findings = new Findings(null);
      for (const world of [examples, await batchWorld()]) {
        const target = await DaemonUnderTest.start(world);
        try {
          const options = { requests: timesEffort(500), seed: SEED, every: 5, everyAllow: 1 };
          for (const fuzz of [fuzzHttp, fuzzStream]) {
            const counts = await fuzz(target, options, findings);
            expect(counts.statuses.get(200) ?? 0).toBeGreaterThan(30);
            expect(counts.statuses.get(400) ?? 0).toBeGreaterThan(30);
            expect(counts.compared).toBeGreaterThan(30);
          }
        } finally {
          await target.stop(findings);
        }
      }
      expect(findings.summary()).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
