/** What a test run found, in the shape of Cerbos's TestResults message, and its summaries. */
import type { Effect, Json } from "../guest/messages.ts";

export type Outcome = "RESULT_SKIPPED" | "RESULT_PASSED" | "RESULT_FAILED" | "RESULT_ERRORED";

/** From harmless to bad: the worst one is the result of a whole. */
export const OUTCOMES: readonly Outcome[] = [
  "RESULT_SKIPPED",
  "RESULT_PASSED",
  "RESULT_FAILED",
  "RESULT_ERRORED",
];

export type OutputEntry = Readonly<Record<string, Json>>;

/** An expected output that did not come as expected. */
export type OutputFailure = { readonly src: string } & (
  | { readonly mismatched: { readonly expected: Json; readonly actual: Json } }
  | { readonly missing: { readonly expected: Json } }
  | { readonly errored: { readonly expected: Json; readonly error: string } }
);

export type Details =
  | {
      readonly result: "RESULT_PASSED";
      readonly success: { readonly effect: Effect; readonly outputs?: readonly OutputEntry[] };
    }
  | {
      readonly result: "RESULT_FAILED";
      readonly failure: {
        readonly expected: Effect;
        readonly actual: Effect;
        readonly outputs?: readonly OutputFailure[];
      };
    }
  | { readonly result: "RESULT_ERRORED"; readonly error: string }
  | { readonly result: "RESULT_SKIPPED"; readonly skipReason?: string };

export interface ActionResult {
  readonly name: string;
  readonly details: Details;
}

export interface TestCase {
  readonly name: string;
  readonly principals: readonly {
    readonly name: string;
    readonly resources: readonly { readonly name: string; readonly actions: readonly ActionResult[] }[];
  }[];
}

export interface Summary {
  readonly overallResult: Outcome;
  readonly testsCount?: number;
  readonly resultCounts?: readonly { readonly result: Outcome; readonly count: number }[];
}

export interface SuiteResult {
  readonly file: string;
  readonly name: string;
  readonly summary: Summary;
  readonly error?: string;
  readonly testCases?: readonly TestCase[];
  readonly description?: string;
  readonly skipReason?: string;
}

export interface TestResults {
  readonly suites: readonly SuiteResult[];
  readonly summary: Summary;
}

/** Counts outcomes. Cells that a filter left out are not counted. */
export class Tally {
  readonly #counts = new Map<Outcome, number>();

  add(outcome: Outcome, count = 1): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + count);
  }

  /** `least`: outcomes that count for the whole without being tests, such as a broken suite. */
  summary(least: readonly Outcome[] = []): Summary {
    const resultCounts = OUTCOMES.flatMap((result) => {
      const count = this.#counts.get(result) ?? 0;
      return count === 0 ? [] : [{ result, count }];
    });
    const testsCount = resultCounts.reduce((sum, { count }) => sum + count, 0);
    const overallResult = worst([...least, ...resultCounts.map(({ result }) => result)]);
    return testsCount === 0 ? { overallResult } : { overallResult, testsCount, resultCounts };
  }
}

/** The worst of some outcomes; of none, skipped. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  return OUTCOMES.findLast((outcome) => outcomes.includes(outcome)) ?? "RESULT_SKIPPED";
}

/** The summary of a whole run. */
export function summarize(suites: readonly SuiteResult[]): Summary {
  const tally = new Tally();
  for (const { summary } of suites) {
    for (const { result, count } of summary.resultCounts ?? []) tally.add(result, count);
  }
  return tally.summary(suites.map(({ summary }) => summary.overallResult));
}
