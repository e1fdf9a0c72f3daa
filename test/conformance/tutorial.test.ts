/** corpus/tutorial: every step compiles, and the decisions that its test suites state hold. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { suiteCells } from "../support/suites.ts";
import { sourcesFrom, TARGETS } from "./targets.ts";

const STEPS =
  CORPUS === undefined
    ? []
    : readdirSync(corpusPath("tutorial"))
        .filter((name) => /^\d\d-/u.test(name))
        .sort();

function suitesOf(step: string): readonly string[] {
  const directory = corpusPath("tutorial", step, "tests");
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .map((file) => readFileSync(join(directory, file), "utf8"));
}

const TITLE = CORPUS === undefined ? `corpus/tutorial (${NO_CORPUS})` : "corpus/tutorial";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it("has steps, and most have suites", () => {
    expect(STEPS.length).toBeGreaterThanOrEqual(7);
    expect(STEPS.filter((step) => suitesOf(step).length > 0).length).toBeGreaterThanOrEqual(5);
  });

  describe.each(TARGETS)("on $name", (target) => {
    it.each(STEPS)("step %s decides as its suites state", async (step) => {
      const prepared = await target.prepare(await sourcesFrom(corpusPath("tutorial", step, "policies")));
      const answer = await prepared.withSettings({});
      const wrong = suitesOf(step)
        .flatMap(suiteCells)
        .flatMap(({ test, principal, resource, action, want }) => {
          const { results } = answer({ principal, resources: [{ actions: [action], resource }] });
          const got = results[0]?.actions[action];
          return got === want
            ? []
            : [`${test}: ${principal.id} ${action} ${resource.id}: got ${got}, want ${want}`];
        });
      expect(wrong).toEqual([]);
    });
  });
});
