/** Test results for people: what is shown of which outcome, as a tree and as a list. */
import { describe, expect, it } from "vitest";
import { textReport } from "../../../runtime/policy-test/report-text.ts";
import type { ActionResult, TestResults } from "../../../runtime/policy-test/results.ts";

const ACTIONS: readonly ActionResult[] = [
  { name: "view", details: { result: "RESULT_PASSED", success: { effect: "EFFECT_ALLOW" } } },
  {
    name: "edit",
    details: { result: "RESULT_FAILED", failure: { expected: "EFFECT_DENY", actual: "EFFECT_ALLOW" } },
  },
  { name: "drop", details: { result: "RESULT_ERRORED", error: "it broke" } },
  { name: "skip", details: { result: "RESULT_SKIPPED", skipReason: "later" } },
  { name: "left", details: { result: "RESULT_SKIPPED", skipReason: "No actions matched the test filter" } },
];

const RESULTS: TestResults = {
  suites: [
    {
      file: "a_test.yaml",
      name: "S",
      summary: {
        overallResult: "RESULT_ERRORED",
        testsCount: 4,
        resultCounts: [{ result: "RESULT_PASSED", count: 1 }],
      },
      testCases: [{ name: "t", principals: [{ name: "p", resources: [{ name: "r", actions: ACTIONS }] }] }],
    },
    { file: "b_test.yaml", name: "B", summary: { overallResult: "RESULT_ERRORED" }, error: "broken" },
  ],
  summary: { overallResult: "RESULT_ERRORED", testsCount: 4 },
};

describe("the report", () => {
  it("is a tree of what did not pass", () => {
    expect(textReport(RESULTS, "tree", false)).toBe(`Test results
├─┬S (a_test.yaml) [1 OK]
│ └─┬t
│   └─┬p
│     └─┬r
│       ├─┬edit [FAILED]
│       │ └──OUTCOME: expected: EFFECT_DENY, actual: EFFECT_ALLOW
│       ├─┬drop [ERROR]
│       │ └──ERROR: it broke
│       └──skip [SKIPPED]
└─┬B (b_test.yaml) [ERROR]
  └──broken

4 tests executed
`);
  });

  it("shows what passed and why tests failed when asked, as a list too", () => {
    const text = textReport(RESULTS, "list", true, ["S - p.r.edit\n  ALLOW  edit"]);
    expect(text).toContain("        view [OK]\n          RESULT: EFFECT_ALLOW\n");
    expect(text).toContain("\nTRACES\nS - p.r.edit\n  ALLOW  edit\n\n4 tests executed\n");
  });
});
