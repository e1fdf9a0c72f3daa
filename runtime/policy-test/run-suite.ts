/** Runs one suite: reads it, expands its tests, asks an engine about each pair and compares. */
import type { Examination } from "../guest/engine.ts";
import type { Explanation } from "../guest/explain.ts";
import type { CheckResult, Effect, Json } from "../guest/messages.ts";
import { isDeepStrictEqual } from "node:util";
import { expandTest, InvalidTest, type Pair } from "./expand.ts";
import type { TestFilter } from "./filter.ts";
import { lines } from "./load-fixtures.ts";
import { readSuite } from "./read-suite.ts";
import {
  type ActionResult,
  type Details,
  type OutputEntry,
  type OutputFailure,
  type SuiteResult,
  Tally,
  type TestCase,
} from "./results.ts";
import { type Fixtures, NO_OPTIONS, type Suite, type SuiteOptions, type Test } from "./suite.ts";

/** How a run is limited, and how it asks. */
export interface SuiteRunner {
  readonly filter: TestFilter;
  /** Names of tests to run; null for all. */
  readonly pattern: RegExp | null;
  /** Keys of policies that are left out on purpose, as in `resource.order.vdefault`; pairs that need them are skipped. */
  readonly excludedPolicies: ReadonlySet<string>;
  /** Decides some actions of a pair. Rejects with an `Error` when there is no decision. */
  examine(pair: Pair, actions: readonly string[], options: SuiteOptions): Promise<Examination>;
  /** Sees why actions of a pair did not come as expected, right after they were decided. */
  readonly explained?: (cell: FailedCell, explanation: Explanation) => void;
}

/** Actions of one pair that failed. */
export interface FailedCell {
  readonly suite: string;
  readonly principal: string;
  readonly resource: string;
  readonly actions: readonly string[];
}

const NO_NOW = "a policy used a time-based condition, but `now` was not provided in the test options";

/** Most actions that one request may ask about. */
const MAX_ACTIONS = 500;

/** Runs the suite in `text`. `shared` are the fixtures of its directory, or the reason why there are none. */
export async function runSuite(
  file: string,
  text: string,
  shared: { readonly fixtures: Fixtures; readonly error: string },
  runner: SuiteRunner,
): Promise<SuiteResult> {
  const { suite, problems } = readSuite(text);
  if (suite === null) {
    return errored(file, "Unknown", `failed to load test suite:${lines(problems)}`);
  }
  const described = suite.description === "" ? {} : { description: suite.description };
  if (suite.skip) {
    const reason = suite.skipReason === "" ? {} : { skipReason: suite.skipReason };
    return { file, name: suite.name, summary: { overallResult: "RESULT_SKIPPED" }, ...described, ...reason };
  }
  const fail = (error: string): SuiteResult => ({ ...errored(file, suite.name, error), ...described });
  if (shared.error !== "") return fail(shared.error);
  const twice = repeatedName(suite);
  if (twice !== null) return fail(`Invalid test suite: another test named ${twice} already exists`);

  const expanded: { readonly test: Test; readonly pairs: readonly Pair[] }[] = [];
  try {
    for (const test of suite.tests) {
      expanded.push({ test, pairs: expandTest(test, [suite.fixtures, shared.fixtures]) });
    }
  } catch (error) {
    if (!(error instanceof InvalidTest)) throw error;
    return fail(`Failed to load the test suite: ${error.message}`);
  }

  const tally = new Tally();
  const testCases: TestCase[] = [];
  for (const { test, pairs } of expanded) {
    testCases.push({ name: test.name, principals: await runTest(suite, test, pairs, runner, tally) });
  }
  return { file, name: suite.name, summary: tally.summary(), testCases, ...described };
}

function errored(file: string, name: string, error: string): SuiteResult {
  return { file, name, summary: { overallResult: "RESULT_ERRORED" }, error };
}

function repeatedName(suite: Suite): string | null {
  const seen = new Set<string>();
  for (const { name } of suite.tests) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

type Principals = TestCase["principals"];

async function runTest(
  suite: Suite,
  test: Test,
  pairs: readonly Pair[],
  runner: SuiteRunner,
  tally: Tally,
): Promise<Principals> {
  const options = test.options ?? suite.options;
  const principals = new Map<string, { name: string; actions: readonly ActionResult[] }[]>();
  for (const pair of pairs) {
    const actions = await runPair(suite, test, pair, options, runner, tally);
    const resources = principals.get(pair.principalName) ?? [];
    resources.push({ name: pair.resourceName, actions });
    principals.set(pair.principalName, resources);
  }
  return [...principals].map(([name, resources]) => ({ name, resources }));
}

async function runPair(
  suite: Suite,
  test: Test,
  pair: Pair,
  options: SuiteOptions,
  runner: SuiteRunner,
  tally: Tally,
): Promise<readonly ActionResult[]> {
  const outside = filteredReason(suite, test, pair, runner.filter);
  if (outside !== null) return skip(pair.actions, outside);
  const wanted = pair.actions.filter((action) => runner.filter.matches("action", action));
  const unwanted = pair.actions.filter((action) => !wanted.includes(action));
  const left = skip(unwanted, "No actions matched the test filter");
  const skipped = skippedReason(test, pair, options, runner);
  if (skipped !== null) {
    tally.add("RESULT_SKIPPED", wanted.length);
    return [...skip(wanted, skipped), ...left];
  }
  const results: ActionResult[] = [];
  for (let at = 0; at < wanted.length; at += MAX_ACTIONS) {
    results.push(...(await decide(suite, pair, wanted.slice(at, at + MAX_ACTIONS), options, runner)));
  }
  for (const { details } of results) tally.add(details.result);
  return [...results, ...left];
}

function skip(actions: readonly string[], reason: string): readonly ActionResult[] {
  const details: Details = { result: "RESULT_SKIPPED", skipReason: reason };
  return actions.map((name) => ({ name, details }));
}

function filteredReason(suite: Suite, test: Test, pair: Pair, filter: TestFilter): string | null {
  if (!filter.matches("suite", suite.name)) return "Suite did not match the test filter";
  if (!filter.matches("test", test.name)) return "Test did not match the test filter";
  if (!filter.matches("principal", pair.principalName)) return "Principal did not match the test filter";
  return filter.matches("resource", pair.resourceName) ? null : "Resource did not match the test filter";
}

function skippedReason(test: Test, pair: Pair, options: SuiteOptions, runner: SuiteRunner): string | null {
  const excludes = (kind: string, name: string, of: { policyVersion?: string; scope?: string }): boolean => {
    const version = of.policyVersion ?? (options.defaultPolicyVersion || "default");
    const scope = of.scope ?? options.defaultScope;
    const key = `${kind}.${name}.v${version}${scope === "" || scope === "." ? "" : `/${scope}`}`;
    return runner.excludedPolicies.has(key);
  };
  if (excludes("principal", pair.principal.id, pair.principal)) {
    return "Principal matched a policy that was excluded from the bundle";
  }
  if (excludes("resource", pair.resource.kind, pair.resource)) {
    return "Resource matched a policy that was excluded from the bundle";
  }
  if (runner.pattern !== null && !runner.pattern.test(test.name)) {
    return "Test name did not match the provided pattern";
  }
  return test.skip ? test.skipReason : null;
}

async function decide(
  suite: Suite,
  pair: Pair,
  actions: readonly string[],
  options: SuiteOptions,
  runner: SuiteRunner,
): Promise<readonly ActionResult[]> {
  const failAll = (error: string): readonly ActionResult[] =>
    actions.map((name) => ({ name, details: { result: "RESULT_ERRORED", error } }));
  try {
    const examination = await runner.examine(pair, actions, options);
    const { response, usedNow } = examination;
    if (usedNow && options.now === NO_OPTIONS.now) return failAll(NO_NOW);
    const [result] = response.results;
    if (result === undefined) return failAll("the engine gave no result");
    const results = actions.map((name) => ({ name, details: compare(pair, name, result) }));
    const failed = results.filter(({ details }) => details.result === "RESULT_FAILED");
    if (failed.length > 0 && runner.explained !== undefined) {
      const { principalName: principal, resourceName: resource } = pair;
      const names = failed.map(({ name }) => name);
      runner.explained({ suite: suite.name, principal, resource, actions: names }, examination.explain());
    }
    return results;
  } catch (error) {
    return failAll(error instanceof Error ? error.message : String(error));
  }
}

function compare(pair: Pair, action: string, result: CheckResult): Details {
  const expected: Effect = pair.expected.get(action) ?? "EFFECT_DENY";
  const actual: Effect = result.actions[action] ?? "EFFECT_DENY";
  if (expected !== actual) return { result: "RESULT_FAILED", failure: { expected, actual } };
  const outputs = (result.outputs ?? []).filter((entry) => entry["action"] === action);
  const failures = [...(pair.outputs.get(action) ?? [])]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([src, value]) => outputFailure(src, value, outputs));
  if (failures.length > 0) {
    return { result: "RESULT_FAILED", failure: { expected, actual, outputs: failures } };
  }
  const given = outputs.length === 0 ? {} : { outputs };
  return { result: "RESULT_PASSED", success: { effect: actual, ...given } };
}

/** Nothing when some output of that source is as expected. */
function outputFailure(src: string, expected: Json, outputs: readonly OutputEntry[]): OutputFailure[] {
  const entry = outputs.findLast((each) => each["src"] === src);
  if (entry === undefined) return [{ src, missing: { expected } }];
  const error = entry["error"];
  if (typeof error === "string" && error !== "") return [{ src, errored: { expected, error } }];
  const actual = entry["val"] ?? null;
  return isDeepStrictEqual(actual, expected) ? [] : [{ src, mismatched: { expected, actual } }];
}
