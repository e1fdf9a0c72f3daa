/** Test results as JUnit XML: one test suite per file, one test case per cell. */
import type { Json } from "../guest/messages.ts";
import { compactJson, sourceOf } from "./report-text.ts";
import type { Details, OutputEntry, OutputFailure, SuiteResult, Summary, TestResults } from "./results.ts";

/** An element; children are elements or, alone, text. */
interface Element {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly children?: readonly Element[];
  readonly text?: string;
  /** Text that is JSON or prose with marks of its own. */
  readonly cdata?: string;
}

interface Counts {
  readonly errors: number;
  readonly failures: number;
  readonly skipped: number;
  readonly tests: number;
}

/** The whole document, ending in a line break. `verbose`: with the outputs of passed tests. */
export function junitReport(results: TestResults, verbose: boolean): string {
  const suites = results.suites.map((suite) => ({ suite, counts: suiteCounts(suite) }));
  const total = countsOf(results.summary);
  // Suites that did not run are counted as one each, beside the tests of the others.
  const sum = (pick: (counts: Counts) => number, of: number): number =>
    suites.reduce((left, { suite, counts }) => left + (suite.testCases === undefined ? pick(counts) : 0), of);
  const root: Element = {
    name: "testsuites",
    attributes: {
      errors: sum(({ errors }) => errors, total.errors),
      failures: total.failures,
      skipped: sum(({ skipped }) => skipped, total.skipped),
      tests: total.tests,
    },
    children: suites.map(({ suite, counts }) => suiteElement(suite, counts, verbose)),
  };
  return `${render(root, "")}\n`;
}

function countsOf(summary: Summary): Counts {
  const count = (result: string): number =>
    summary.resultCounts?.find((each) => each.result === result)?.count ?? 0;
  return {
    errors: count("RESULT_ERRORED"),
    failures: count("RESULT_FAILED"),
    skipped: count("RESULT_SKIPPED"),
    tests: summary.testsCount ?? 0,
  };
}

function suiteCounts({ summary, error, testCases }: SuiteResult): Counts {
  if (error !== undefined) return { errors: 1, failures: 0, skipped: 0, tests: 0 };
  return testCases === undefined ? { errors: 0, failures: 0, skipped: 1, tests: 0 } : countsOf(summary);
}

function suiteElement(suite: SuiteResult, counts: Counts, verbose: boolean): Element {
  const { file, name, description, error, testCases } = suite;
  const state: Element[] = [];
  if (error !== undefined) state.push({ name: "error", attributes: { type: "RESULT_ERRORED" }, text: error });
  else if (testCases === undefined) {
    state.push({ name: "skipped", attributes: { message: "This test suite was skipped" }, text: "" });
  }
  return {
    name: "testsuite",
    attributes: { ...(description === undefined ? {} : { description }), name, file, ...counts },
    children: [...state, { name: "properties", text: "" }, ...caseElements(suite, verbose)],
  };
}

function caseElements({ file, testCases = [] }: SuiteResult, verbose: boolean): Element[] {
  return testCases.flatMap((test) =>
    test.principals.flatMap((principal) =>
      principal.resources.flatMap((resource) =>
        resource.actions.map((action): Element => {
          return {
            name: "testcase",
            attributes: {
              file,
              classname: `${principal.name}.${resource.name}.${action.name}`,
              name: test.name,
            },
            children: [
              ...stateElements(action.details, verbose),
              {
                name: "properties",
                children: [
                  property("principal", principal.name),
                  property("resource", resource.name),
                  property("action", action.name),
                ],
              },
            ],
          };
        }),
      ),
    ),
  );
}

function property(name: string, text: string): Element {
  return { name: "property", attributes: { name }, text };
}

function stateElements(details: Details, verbose: boolean): Element[] {
  switch (details.result) {
    case "RESULT_SKIPPED":
      return [{ name: "skipped", attributes: { message: "This test was skipped" }, text: "" }];
    case "RESULT_ERRORED":
      return [{ name: "error", attributes: { type: details.result }, text: details.error }];
    case "RESULT_PASSED": {
      const { effect, outputs } = details.success;
      if (!verbose) return [];
      const shown = outputs === undefined ? [] : [{ name: "outputs", children: outputs.map(passedOutput) }];
      return [
        {
          name: "success",
          attributes: { type: details.result },
          children: [...shown, { name: "actual", text: effect }, { name: "expected", text: effect }],
        },
      ];
    }
    case "RESULT_FAILED": {
      const { expected, actual, outputs } = details.failure;
      const shown = outputs === undefined ? [] : [{ name: "outputs", children: outputs.map(failedOutput) }];
      const what = outputs === undefined ? "Effect" : "Output";
      return [
        {
          name: "failure",
          attributes: { type: details.result, message: `${what} expectation unsatisfied` },
          children: [...shown, { name: "actual", text: actual }, { name: "expected", text: expected }],
        },
      ];
    }
  }
}

function passedOutput(entry: OutputEntry): Element {
  const error = entry["error"];
  const value = json(entry["val"] ?? null);
  const actual = typeof error === "string" && error !== "" ? evaluationError(error) : value;
  return outputElement(sourceOf(entry), value, actual);
}

function failedOutput(failure: OutputFailure): Element {
  if ("missing" in failure) return outputElement(failure.src, json(failure.missing.expected), null);
  if ("errored" in failure) {
    const { expected, error } = failure.errored;
    return outputElement(failure.src, json(expected), evaluationError(error));
  }
  const { expected, actual } = failure.mismatched;
  return outputElement(failure.src, json(expected), json(actual));
}

function json(value: Json): string {
  return compactJson(value, ",");
}

function evaluationError(error: string): string {
  return `Failed to evaluate output expression: ${error}`;
}

function outputElement(src: string, expected: string, actual: string | null): Element {
  return {
    name: "output",
    attributes: { src },
    children: [
      { name: "expected", cdata: expected },
      actual === null ? { name: "actual", text: "" } : { name: "actual", cdata: actual },
    ],
  };
}

function render(element: Element, indent: string): string {
  const { name, attributes = {}, children, text = "", cdata } = element;
  const open = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join("");
  if (children === undefined) {
    const content =
      cdata === undefined ? escapeXml(text) : `<![CDATA[${cdata.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
    return `${indent}<${name}${open}>${content}</${name}>`;
  }
  const inner = children.map((child) => render(child, `${indent}  `)).join("\n");
  return `${indent}<${name}${open}>\n${inner}\n${indent}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\n": "&#xA;",
  "\r": "&#xD;",
  "\t": "&#x9;",
};

function escapeXml(text: string): string {
  // XML cannot hold control characters at all.
  return text
    .replaceAll(/[&<>"'\n\r\t]/g, (char) => ENTITIES[char] ?? char)
    .replaceAll(/[\p{Cc}\ufffe\uffff]/gu, "\ufffd");
}
