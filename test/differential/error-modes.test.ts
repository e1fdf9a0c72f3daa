/**
 * What the three error modes promise (DESIGN.md 4.5), for every request, on release WASM and on the reference interpreter:
 *
 * - An action that is allowed failing closed is allowed whatever the failing expressions had been, true or false: tried
 *   with the interpreter taking each failing expression for either. False for all of them is compatible mode.
 * - An action that is allowed strictly is allowed in compatible mode. (Strict does not imply fail-closed: a value that is no
 *   bool is plain false in strict mode.)
 * - Where no expression fails, the three modes answer the same.
 *
 * The requests have attributes missing or of the wrong type.
 */
import { describe, expect, it } from "vitest";
import { readCases, requestOf, sourcesOf } from "../support/cases.ts";
import { ask, BUILD_CORE, bundleOf, CORE_IS_BUILT, loadEngine } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { differences } from "./compare.ts";
import type { ErrorMode } from "./interpreter/conditions.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "./interpreter/request.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { vocabularyOf } from "./vocabulary.ts";
import { timesEffort } from "../support/effort.ts";

const MODES: readonly ErrorMode[] = ["fail-closed", "compatible", "strict"];
const SEED = 11;
const TURNS = timesEffort(40);

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

/** Whether a failing expression counts as true, by turns of a number. */
function guessOf(seed: number): (expr: number) => boolean {
  return (expr) => new Random(seed * 31 + expr).chance(0.5);
}

const GUESSES: readonly ((expr: number) => boolean)[] = [() => true, ...[1, 2, 3].map(guessOf)];

/** How the modes differed over all cases, so that a test whose requests meet no errors fails. */
const differing = { "fail-closed": 0, strict: 0 };
/** Requests in which nothing failed, and guesses that allowed what failing closed did not. */
const met = { sound: 0, otherGuesses: 0 };

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "error modes" : `error modes (${BUILD_CORE})`, () => {
  it.each(readCases())("keep their promises: $name", async ({ data }) => {
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
      let failures = 0;
      const counted = (): boolean => {
        failures += 1;
        return false;
      };
      check(program, request, { ...data.engine, onError: "compatible", guess: counted });
      if (failures === 0) met.sound += 1;
      const guessed = GUESSES.map((guess) =>
        allowed(check(program, request, { ...data.engine, onError: "compatible", guess })),
      );
      for (const [target, answers] of Object.entries(targets)) {
        const compatible = answers.compatible(request);
        const most = allowed(compatible);
        const least = allowed(answers["fail-closed"](request));
        for (const possible of guessed) {
          if (least === undefined || possible === undefined) continue;
          if (possible.size > least.size) met.otherGuesses += 1;
          const more = [...least].filter((action) => !possible.has(action));
          if (more.length > 0)
            found.push(`${target}: an error could deny ${more.join()} of ${JSON.stringify(request)}`);
        }
        for (const mode of failures === 0 ? MODES : []) {
          if (compatible === undefined) continue;
          const lines = differences(answers[mode](request), compatible);
          if (lines.length > 0) found.push(`${target}, ${mode} without errors: ${lines.join("; ")}`);
        }
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
    expect(met.sound).toBeGreaterThan(50);
    expect(met.otherGuesses).toBeGreaterThan(50);
  });
});
