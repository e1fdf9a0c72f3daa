/**
 * A few generated sets on every run of the tests: the interpreter = release WASM, failing closed too, and = the real Cerbos
 * where it is installed. Fixed seeds; the large runs are `npm run differential -- --generated`.
 */
import { describe, expect, it } from "vitest";
import { findCerbos } from "../../support/cerbos.ts";
import { BUILD_CORE, CORE_IS_BUILT } from "../../support/engines.ts";
import { Random } from "../random.ts";
import { makeBatch } from "./batch.ts";
import { checkBatch } from "./check-batch.ts";
import { randomRequest } from "./requests.ts";

const SEEDS = [101];
const REQUESTS = 60;
const WITH_CERBOS = findCerbos() !== undefined;

describe.skipIf(!CORE_IS_BUILT)(
  CORE_IS_BUILT ? "generated policy sets" : `generated policy sets (${BUILD_CORE})`,
  () => {
    it.each(SEEDS)("are decided alike by everybody, seed %i", { timeout: 300_000 }, async (seed) => {
      const batch = await makeBatch(seed, WITH_CERBOS);
      expect(batch.disputed.filter(({ message }) => !message.includes("not supported yet"))).toEqual([]);
      const random = new Random(seed);
      const requests = Array.from({ length: REQUESTS }, () => randomRequest(batch.world, random));
      const result = await checkBatch(batch.policies, batch.settings, requests, WITH_CERBOS);
      expect(result.differences.slice(0, 3)).toEqual([]);
      expect(result.traps).toBe(0);
      expect(result.allowed).toBeGreaterThan(0);
    });
  },
);
