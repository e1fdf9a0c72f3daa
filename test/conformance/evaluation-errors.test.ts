/**
 * corpus/evaluation_errors: CEL errors in Cerbos's default mode and under strict evaluation. Plan cases are left out
 * (no planner yet); error expressions are not compared (no response shows them).
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { CheckRequest, Principal, Resource } from "../differential/interpreter/request.ts";
import { readFileSync } from "node:fs";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { sourcesFrom, TARGETS, type Prepared } from "./targets.ts";

interface ErrorCase {
  readonly name: string;
  readonly api: "check" | "plan";
  readonly strictEvaluation: boolean;
  readonly principal: Principal;
  readonly resource: Resource;
  readonly actions: readonly string[];
  readonly want: Readonly<Record<string, string>>;
}

function readErrorCases(): readonly ErrorCase[] {
  if (CORPUS === undefined) return [];
  const all: readonly ErrorCase[] = JSON.parse(
    readFileSync(corpusPath("evaluation_errors", "cases.json"), "utf8"),
  );
  return all.filter(({ api }) => api === "check");
}

const CASES = readErrorCases();
const TITLE = CORPUS === undefined ? `corpus/evaluation_errors (${NO_CORPUS})` : "corpus/evaluation_errors";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  describe.each(TARGETS)("on $name", (target) => {
    let prepared: Prepared;
    beforeAll(async () => {
      prepared = await target.prepare(await sourcesFrom(corpusPath("evaluation_errors", "policies")));
    });
    it.each(CASES)(
      "$name, strict $strictEvaluation",
      async ({ strictEvaluation, principal, resource, actions, want }) => {
        const answer = await prepared.withSettings({ onError: strictEvaluation ? "strict" : "compatible" });
        const request: CheckRequest = { principal, resources: [{ actions, resource }] };
        expect(answer(request).results[0]?.actions).toEqual(want);
      },
    );
  });
});
