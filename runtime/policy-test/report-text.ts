/** Test results for people: a tree or an indented list. Passed tests are only shown when asked for. */
import type { Json } from "../guest/messages.ts";
import type {
  ActionResult,
  Details,
  Outcome,
  OutputEntry,
  SuiteResult,
  Summary,
  TestResults,
} from "./results.ts";

/** A line and what belongs below it. */
interface Branch {
  readonly text: string;
  readonly children: readonly Branch[];
}

const LABELS: Readonly<Record<Outcome, string>> = {
  RESULT_SKIPPED: "SKIPPED",
  RESULT_PASSED: "OK",
  RESULT_FAILED: "FAILED",
  RESULT_ERRORED: "ERROR",
};

/** Why the cells that a filter left out were left out; they are not shown. */
const FILTERED = /did not match the test filter$|^No actions matched/;

/**
 * Results as text ending in a line break.
 * @param traces why tests failed, one text of several lines each
 */
export function textReport(
  results: TestResults,
  form: "tree" | "list",
  verbose: boolean,
  traces: readonly string[] = [],
): string {
  const suites = results.suites
    .filter(({ summary, error }) => error !== undefined || summary.testsCount !== undefined)
    .map((suite) => suiteBranch(suite, verbose));
  const body = form === "tree" ? treeLines(suites, "") : listLines(suites, "");
  return [
    "Test results",
    ...body,
    "",
    ...(traces.length === 0 ? [] : ["", "TRACES", ...traces.flatMap((trace) => [trace, ""])]),
    `${results.summary.testsCount ?? 0} tests executed${counts(results.summary)}`,
    "",
  ].join("\n");
}

function suiteBranch(suite: SuiteResult, verbose: boolean): Branch {
  const { file, name, summary, error, testCases = [] } = suite;
  const label = summary.testsCount === undefined ? ` [${LABELS[summary.overallResult]}]` : counts(summary);
  const children =
    error === undefined ? testCases.flatMap((test) => testBranch(test, verbose)) : [leaf(error)];
  return { text: `${name} (${file})${label}`, children };
}

/** ` [1 SKIPPED] [2 OK]`, empty when nothing ran. */
function counts(summary: Summary): string {
  return (summary.resultCounts ?? []).map(({ result, count }) => ` [${count} ${LABELS[result]}]`).join("");
}

type Test = NonNullable<SuiteResult["testCases"]>[number];

function testBranch(test: Test, verbose: boolean): Branch[] {
  const hasFailed = test.principals.some(({ resources }) =>
    resources.some(({ actions }) => actions.some(({ details }) => isNews(details, verbose))),
  );
  if (!hasFailed) return [];
  const principals = test.principals.flatMap(({ name, resources }) =>
    branchOf(
      name,
      resources.flatMap((resource) =>
        branchOf(
          resource.name,
          resource.actions.filter(({ details }) => isNews(details, verbose)).map(actionBranch),
        ),
      ),
    ),
  );
  return branchOf(test.name, principals);
}

function branchOf(text: string, children: readonly Branch[]): Branch[] {
  return children.length === 0 ? [] : [{ text, children }];
}

function isNews(details: Details, verbose: boolean): boolean {
  if (details.result === "RESULT_SKIPPED") return !FILTERED.test(details.skipReason ?? "");
  return verbose || details.result !== "RESULT_PASSED";
}

function actionBranch({ name, details }: ActionResult): Branch {
  return { text: `${name} [${LABELS[details.result]}]`, children: detailBranches(details) };
}

function detailBranches(details: Details): Branch[] {
  switch (details.result) {
    case "RESULT_SKIPPED":
      return [];
    case "RESULT_ERRORED":
      return [leaf(`ERROR: ${details.error}`)];
    case "RESULT_PASSED": {
      const { effect, outputs = [] } = details.success;
      const children = outputs.map((entry) => ({
        text: sourceOf(entry),
        children: [leaf(valueOf(entry))],
      }));
      return [leaf(`RESULT: ${effect}`), ...branchOf("OUTPUTS:", children)];
    }
    case "RESULT_FAILED": {
      const { expected, actual, outputs } = details.failure;
      if (outputs === undefined) return [leaf(`OUTCOME: expected: ${expected}, actual: ${actual}`)];
      const children = outputs.map((failure) => {
        if ("missing" in failure) return mismatch(failure.src, failure.missing.expected, "ACTUAL: MISSING");
        if ("errored" in failure) {
          return mismatch(failure.src, failure.errored.expected, `ERROR: ${failure.errored.error}`);
        }
        const { expected: wanted, actual: given } = failure.mismatched;
        return mismatch(failure.src, wanted, `ACTUAL: ${compactJson(given)}`);
      });
      return [{ text: "OUTCOME: output expectation unsatisfied", children }];
    }
  }
}

function mismatch(src: string, expected: Json, actual: string): Branch {
  return { text: src, children: [leaf(`EXPECTED: ${compactJson(expected)}`), leaf(actual)] };
}

function valueOf(entry: OutputEntry): string {
  const error = entry["error"];
  return typeof error === "string" && error !== "" ? `ERROR: ${error}` : compactJson(entry["val"] ?? null);
}

/** The rule that an output comes from. */
export function sourceOf(entry: OutputEntry): string {
  const src = entry["src"];
  return typeof src === "string" ? src : "";
}

function leaf(text: string): Branch {
  return { text, children: [] };
}

/** JSON on one line with sorted keys, so that the same value always reads the same. */
export function compactJson(value: Json, comma = ", "): string {
  const inner = (item: Json): string => compactJson(item, comma);
  if (Array.isArray(value)) return `[${value.map(inner).join(comma)}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${inner(field)}`).join(comma)}}`;
  }
  return JSON.stringify(value);
}

function treeLines(branches: readonly Branch[], indent: string): string[] {
  return branches.flatMap(({ text, children }, index) => {
    const isLast = index === branches.length - 1;
    const head = `${indent}${isLast ? "└" : "├"}─${children.length > 0 ? "┬" : "─"}${text}`;
    return [head, ...treeLines(children, `${indent}${isLast ? "  " : "│ "}`)];
  });
}

function listLines(branches: readonly Branch[], indent: string): string[] {
  return branches.flatMap(({ text, children }) => [
    `${indent}${text}`,
    ...listLines(children, `${indent}  `),
  ]);
}
