/**
 * What holds between the three error modes (DESIGN.md 4.5), for every request: an action that is allowed failing closed, or
 * strictly, is allowed in compatible mode too, because an error there is one particular value of a condition, false, and
 * the other modes allow only what no value of it could deny. (Strict does not imply fail-closed: a value that is no bool
 * is plain false in strict mode.) Checked on release WASM and on the reference interpreter, with requests in which
 * attributes are missing or of the wrong type.
 */
import { describe, expect, it } from "vitest";
import { readCases, requestOf, sourcesOf } from "../support/cases.ts";
import { ask, BUILD_CORE, bundleOf, CORE_IS_BUILT, loadEngine } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import type { ErrorMode } from "./interpreter/conditions.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "./interpreter/request.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { vocabularyOf } from "./vocabulary.ts";

const MODES: readonly ErrorMode[] = ["fail-closed", "compatible", "strict"];
const SEED = 11;
const TURNS = 100;

type Answer = (request: CheckRequest) => CheckResponse | undefined;

/** The actions allowed, as `resource index/action`; undefined for a refused request. */
function allowed(response: CheckResponse | undefined): ReadonlySet<string> | undefined {
  return response === undefined
    ? undefined
    : new Set(
        response.results.flatMap(({ actions }, index) =>
          Object.entries(actions).flatMap(([action, effect]) =>
            effect === "EFFECT_ALLOW" ? [`${index}/${action}`] : [],
          ),
        ),
      );
}

/** How the modes differed over all cases, so that a test whose requests meet no errors fails. */
const differing = { "fail-closed": 0, strict: 0 };

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "error modes" : `error modes (${BUILD_CORE})`, () => {
  it.each(readCases())("allow no more than compatible: $name", async ({ data }) => {
    const sources = sourcesOf(data);
    const { program } = programOf(sources);
    if (program === undefined) throw new Error("the policies do not compile");
    const bundle = await bundleOf(sources);
    const targets: Record<string, Record<ErrorMode, Answer>> = {};
    const engines = await Promise.all(
      MODES.map((onError) => loadEngine(bundle, { ...data.engine, onError })),
    );
    const inMode = (make: (mode: ErrorMode, index: number) => Answer): Record<ErrorMode, Answer> => ({
      "fail-closed": make("fail-closed", 0),
      compatible: make("compatible", 1),
      strict: make("strict", 2),
    });
    targets["release WASM"] = inMode((_, index) => (request) => {
      const engine = engines[index];
      const answer = engine === undefined ? { failure: "" } : ask(engine, request, "json");
      return "response" in answer ? answer.response : undefined;
    });
    targets["interpreter"] = inMode(
      (onError) => (request) => check(program, request, { ...data.engine, onError }),
    );

    const vocabulary = vocabularyOf(program);
    const random = new Random(SEED);
    const found: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const original = random.pick(data.checks, data.checks[0]);
      if (original === undefined) throw new Error("the case has no checks");
      const request = mutate(requestOf(original), vocabulary, random);
      for (const [target, answers] of Object.entries(targets)) {
        const most = allowed(answers.compatible(request));
        for (const mode of ["fail-closed", "strict"] as const) {
          const some = allowed(answers[mode](request));
          if (most === undefined || some === undefined) continue;
          if (some.size < most.size) differing[mode] += 1;
          const more = [...some].filter((action) => !most.has(action));
          if (more.length > 0)
            found.push(`${target}, ${mode} allows ${more.join()} of ${JSON.stringify(request)}`);
        }
      }
    }
    expect(found.slice(0, 5)).toEqual([]);
  });

  it("make a difference for these requests", () => {
    expect(differing["fail-closed"]).toBeGreaterThan(50);
    expect(differing.strict).toBeGreaterThan(50);
  });
});
