/**
 * Random mutations of the requests of every decision case, in every error mode: release WASM answers as the
 * reference interpreter does. The real Cerbos takes part in test/differential/run.ts only, because the cases hold
 * policies on which it is known to differ.
 */
import { describe, expect, it } from "vitest";
import { readCases, requestOf, sourcesOf } from "../support/cases.ts";
import { ask, BUILD_CORE, bundleOf, CORE_IS_BUILT, loadEngine } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { differences } from "./compare.ts";
import type { ErrorMode } from "./interpreter/conditions.ts";
import { check } from "./interpreter/decide.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { vocabularyOf } from "./vocabulary.ts";
import { timesEffort } from "../support/effort.ts";

const MODES: readonly ErrorMode[] = ["fail-closed", "compatible", "strict"];
const SEED = 7;
const TURNS = timesEffort(25);

describe.skipIf(!CORE_IS_BUILT)(
  CORE_IS_BUILT ? "mutated requests" : `mutated requests (${BUILD_CORE})`,
  () => {
    it.each(readCases())("$name", async ({ data }) => {
      const sources = sourcesOf(data);
      const { program } = programOf(sources);
      if (program === undefined) throw new Error("the policies do not compile");
      const bundle = await bundleOf(sources);
      const vocabulary = vocabularyOf(program);
      const found: string[] = [];
      for (const onError of MODES) {
        const settings = { ...data.engine, onError };
        const engine = await loadEngine(bundle, settings);
        const random = new Random(SEED);
        for (let turn = 0; turn < TURNS; turn += 1) {
          const original = random.pick(data.checks, data.checks[0]);
          if (original === undefined) throw new Error("the case has no checks");
          const request = mutate(requestOf(original), vocabulary, random);
          const answer = ask(engine, request, turn % 2 === 0 ? "json" : "msgpack");
          const got = "response" in answer ? answer.response : answer;
          const lines = differences(got, check(program, request, settings));
          if (lines.length > 0)
            found.push(`${onError} turn ${turn}: ${lines.join("; ")} for ${JSON.stringify(request)}`);
        }
        expect(engine.traps).toBe(0);
      }
      expect(found.slice(0, 5)).toEqual([]);
    });
  },
);
