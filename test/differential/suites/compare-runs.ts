/** The results of two runs of the same suites: how much they differ, from "another exit code" down to "another text". */
import type { Details, SuiteResult, TestResults } from "../../../runtime/policy-test/results.ts";

export interface RunResult {
  readonly code: number;
  /** Null when there were none to print. */
  readonly results: TestResults | null;
  /** What else was said. */
  readonly text: string;
}

export interface RunDifference {
  readonly level: "result" | "outcome" | "text";
  readonly lines: readonly string[];
}

/** The heaviest difference; undefined when there is none. */
export function compareRuns(cerbos: RunResult, edict: RunResult): RunDifference | undefined {
  if (/goroutine|panic:/u.test(cerbos.text)) return undefined;
  const [left, right] = [suitesOf(cerbos), suitesOf(edict)];
  for (const level of ["result", "outcome", "text"] as const) {
    const lines: string[] = [];
    if (level === "result" && cerbos.code !== edict.code) {
      lines.push(`exit code ${cerbos.code} of Cerbos, ${edict.code} of edict: ${cerbos.text} ${edict.text}`);
    }
    for (const file of new Set([...left.keys(), ...right.keys()])) {
      const [some, others] = [describe(left.get(file), level), describe(right.get(file), level)];
      for (const line of some.filter((each) => !others.includes(each))) lines.push(`Cerbos: ${file} ${line}`);
      for (const line of others.filter((each) => !some.includes(each))) lines.push(`edict: ${file} ${line}`);
    }
    if (lines.length > 0) return { level, lines };
  }
  return undefined;
}

function suitesOf({ results }: RunResult): ReadonlyMap<string, SuiteResult> {
  return new Map((results?.suites ?? []).map((suite) => [suite.file, suite]));
}

function describe(suite: SuiteResult | undefined, level: RunDifference["level"]): readonly string[] {
  if (suite === undefined) return ["no suite"];
  const lines: string[] = [suite.summary.overallResult];
  if (level === "result") return lines;
  const counts = (suite.summary.resultCounts ?? []).map(({ result, count }) => `${count} ${result}`);
  lines.push(`${suite.name}: ${suite.summary.testsCount ?? 0} ${counts.join(" ")}`);
  if (level === "text") {
    lines.push(JSON.stringify([suite.description, suite.skipReason]), plain(suite.error ?? ""));
  }
  for (const { name: test, principals } of suite.testCases ?? []) {
    for (const { name: principal, resources } of principals) {
      for (const { name: resource, actions } of resources) {
        for (const { name: action, details } of actions) {
          const cell = `${test} ${principal} ${resource} ${action}`;
          lines.push(`${cell} ${level === "text" ? plain(stable(details)) : outcome(details)}`);
        }
      }
    }
  }
  return lines;
}

function outcome(details: Details): string {
  if (details.result === "RESULT_FAILED") {
    return `${details.result} ${details.failure.expected} ${details.failure.actual}`;
  }
  return details.result === "RESULT_PASSED" ? `${details.result} ${details.success.effect}` : details.result;
}

/** JSON with sorted keys. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([one], [other]) => (one < other ? -1 : 1)))
      : field,
  );
}

function plain(text: string): string {
  return text.replaceAll("\u00a0", " ");
}
