/**
 * corpus/loadtest (`classic`, a few copies): compiles, and every request gets the same answer from every copy, from the
 * interpreter, from release WASM in both formats, and from the real Cerbos where it is installed. The large runs are in
 * test/differential/run.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSources } from "../../compiler/directory.ts";
import type { SourceFile } from "../../compiler/load/index.ts";
import { differences } from "../differential/compare.ts";
import { check } from "../differential/interpreter/decide.ts";
import { mutate } from "../differential/mutate.ts";
import { Random } from "../differential/random.ts";
import { vocabularyOf } from "../differential/vocabulary.ts";
import { findCerbos, INSTALL_CERBOS, startCerbos } from "../support/cerbos.ts";
import { CORPUS, expandLoadTest, NO_CORPUS, type LoadTest } from "../support/corpus.ts";
import { ask, CORE_IS_BUILT, engineOf } from "../support/engines.ts";
import { programFrom } from "../support/programs.ts";

const COPIES = 3;
const SEED = 20_261_121;
const REQUESTS = 200;
const NO_CERBOS = findCerbos() === undefined;
const TITLE = CORPUS === undefined ? `corpus/loadtest (${NO_CORPUS})` : "corpus/loadtest";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  let set: LoadTest;
  let sources: readonly SourceFile[];
  beforeAll(async () => {
    set = await expandLoadTest("classic", COPIES);
    ({ sources } = await readSources(set.directory));
  });
  afterAll(() => set.remove());

  it("answers every copy alike, with both effects among the answers", async () => {
    const program = await programFrom(set.directory);
    const effects = new Set<string>();
    const answers = Array.from({ length: COPIES }, (_, copy) =>
      set.requests(copy).map((request) => {
        const response = check(program, { ...request, includeMeta: true }, { onError: "compatible" });
        for (const { actions } of response.results)
          for (const effect of Object.values(actions)) effects.add(effect);
        return JSON.stringify(response).replaceAll(String(copy).padStart(5, "0"), "N");
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect([...effects].sort()).toEqual(["EFFECT_ALLOW", "EFFECT_DENY"]);
  });

  it.skipIf(!CORE_IS_BUILT)("is answered by release WASM as by the interpreter, mutations too", async () => {
    const program = await programFrom(set.directory);
    const engine = await engineOf(sources, { onError: "compatible" });
    const closed = await engineOf(sources, { onError: "fail-closed" });
    const random = new Random(SEED);
    const vocabulary = vocabularyOf(program);
    const found: string[] = [];
    for (let turn = 0; turn < REQUESTS; turn += 1) {
      const original = random.pick(set.requests(random.below(COPIES)), undefined);
      if (original === undefined) throw new Error("the load test has no requests");
      const request = mutate(original, vocabulary, random);
      for (const format of ["json", "msgpack"] as const) {
        for (const [mode, each] of [
          ["compatible", engine],
          ["fail-closed", closed],
        ] as const) {
          const answer = ask(each, request, format);
          const got = "response" in answer ? answer.response : answer;
          const lines = differences(got, check(program, request, { onError: mode }));
          found.push(...lines.map((line) => `${turn} ${mode} ${format} ${line}`));
        }
      }
    }
    expect(found).toEqual([]);
  });

  it.skipIf(NO_CERBOS)(
    `is answered by the interpreter as by the real Cerbos, mutations too${NO_CERBOS ? ` (${INSTALL_CERBOS})` : ""}`,
    async () => {
      const program = await programFrom(set.directory);
      const cerbos = await startCerbos(set.directory);
      try {
        const random = new Random(SEED);
        const vocabulary = vocabularyOf(program);
        const found: string[] = [];
        for (let turn = 0; turn < REQUESTS; turn += 1) {
          const original = random.pick(set.requests(random.below(COPIES)), undefined);
          if (original === undefined) throw new Error("the load test has no requests");
          const request = mutate(original, vocabulary, random);
          const { body } = await cerbos.check(request);
          const lines = differences(check(program, request, { onError: "compatible" }), body);
          found.push(...lines.map((line) => `${turn} ${line}`));
        }
        expect(found).toEqual([]);
      } finally {
        await cerbos.stop();
      }
    },
  );
});
