/** `edict test`: compiles policies, runs their test suites, and says what no test reached. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseRuleIndex } from "../bundle/rule-index.ts";
import { readBundle } from "../bundle/bundle-file.ts";
import { loadPolicies } from "../bundle/policy-source.ts";
import { EdictError, PolicyError, ServeError, UsageError } from "../errors.ts";
import type { Explanation } from "../guest/explain.ts";
import { oneLine } from "../guest/modules.ts";
import type { OnError } from "../guest/options.ts";
import { Coverage } from "../policy-test/coverage.ts";
import { policyErrors } from "../policy-test/policy-errors.ts";
import { TestFilter } from "../policy-test/filter.ts";
import { COVERAGE_FORMATS, coverageReport, percent } from "../policy-test/report-coverage.ts";
import { junitReport } from "../policy-test/report-junit.ts";
import { textReport } from "../policy-test/report-text.ts";
import type { TestResults } from "../policy-test/results.ts";
import { readRuleOutputs } from "../policy-test/rule-outputs.ts";
import type { FailedCell } from "../policy-test/run-suite.ts";
import { runSuites } from "../policy-test/run.ts";
import { CompilePool } from "../pool/compile-pool.ts";
import { type Arguments, type Command, EXIT_NO, EXIT_OK, EXIT_TESTS, type Io } from "./command.ts";
import { actionTraceLines } from "./decision-text.ts";
import { ON_ERROR_OPTION, onErrorFrom } from "./engine-options.ts";
import { watchTests } from "./watch-tests.ts";

const FORMATS = ["tree", "list", "json", "junit"] as const;

/** Clears a terminal and what it remembers, so that old failures are not taken for new ones. */
const CLEAR_SCREEN = "\u001b[2J\u001b[3J\u001b[H";

/** Milliseconds of silence after which a run says how far it is. */
const PROGRESS_INTERVAL = 2000;

export const testCommand: Command = {
  name: "test",
  summary: "run policy test suites and measure their coverage",
  usage: "<dir> [options]",
  options: {
    policies: { type: "string", value: "<dir>", help: "the policies, when <dir> has only the suites" },
    run: { type: "string", value: "<regex>", help: "run only tests whose name matches" },
    "test-filter": {
      type: "string",
      value: "<filter>",
      multiple: true,
      help: "dimension=glob1,glob2;... of suite, test, principal, resource, action",
    },
    output: { type: "string", short: "o", value: "<format>", help: "tree (default), list, json, junit" },
    verbose: { type: "boolean", help: "also show tests that passed, and why tests failed" },
    watch: { type: "boolean", help: "run again whenever policies, suites or fixtures change" },
    "on-error": {
      ...ON_ERROR_OPTION,
      help: "how an error in a condition counts: fail-closed (default, as in production), compatible (as Cerbos), strict; a suite's `strictEvaluation` wins",
    },
    "ignore-schemas": {
      type: "boolean",
      help: "decide requests that JSON schemas refuse; otherwise they are rejected",
    },
    "strict-evaluation": { type: "boolean", help: "the same as --on-error strict" },
    coverage: {
      type: "boolean",
      help: "say which rules, conditions, derived roles and outputs no test reached",
    },
    "coverage-format": { type: "string", value: "<format>", help: "text (default), json, lcov" },
    "coverage-output": { type: "string", value: "<file>", help: "write the coverage there" },
    "min-coverage": { type: "string", value: "<percent>", help: "exit with 1 when less is covered" },
  },
  examples: [
    "edict test policies",
    "edict test policies --test-filter 'suite=Expenses;action=approve'",
    "edict test policies --coverage --min-coverage 90",
    "edict test policies --coverage --coverage-format lcov --coverage-output lcov.info",
    "exit codes: 0 passed, 1 too little covered, 2 wrong use, 3 invalid policies, 4 tests failed",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const plan = planOf(given);
    const pool = new CompilePool();
    try {
      return given.flag("watch") ? await watch(plan, pool, io) : await runOnce(plan, pool, io);
    } finally {
      await pool.close();
    }
  },
};

/** What the options ask for. */
interface Plan {
  readonly directory: string;
  readonly policies: string;
  readonly form: (typeof FORMATS)[number];
  readonly verbose: boolean;
  readonly ignoreSchemas: boolean;
  readonly onError: OnError;
  readonly limits: { readonly filter: TestFilter; readonly pattern: RegExp | null };
  readonly coverage: CoveragePlan | null;
}

function planOf(given: Arguments): Plan {
  const [directory = ""] = given.positionals;
  return {
    directory: resolve(directory),
    policies: resolve(given.text("policies") ?? directory),
    form: choice(given, "output", FORMATS) ?? "tree",
    verbose: given.flag("verbose"),
    ignoreSchemas: given.flag("ignore-schemas"),
    onError: given.flag("strict-evaluation") ? "strict" : (onErrorFrom(given, "test") ?? "fail-closed"),
    limits: limitsFrom(given),
    coverage: coveragePlan(given),
  };
}

async function runOnce(plan: Plan, pool: CompilePool, io: Io): Promise<number> {
  const { form, verbose } = plan;
  const bundle = await compile(plan, pool, io);
  const coverage = plan.coverage === null ? null : await startCoverage(plan.policies, bundle);
  const traces: string[] = [];
  let last = performance.now();
  const results = await runSuites(plan.directory, bundle, {
    ...plan.limits,
    onError: plan.onError,
    ignoreSchemas: plan.ignoreSchemas,
    ...(coverage === null ? {} : { observe: (_, examination) => coverage.add(examination) }),
    ...(verbose ? { explained: (cell, explanation) => void traces.push(traceOf(cell, explanation)) } : {}),
    progress: (file, done, total) => {
      if (performance.now() - last < PROGRESS_INTERVAL) return;
      last = performance.now();
      io.stderr(`edict: ${done} of ${total} suites are done, now ${file}\n`);
    },
  });
  io.stdout(report(results, form, verbose, traces));
  const isCovered =
    coverage === null || plan.coverage === null || (await finishCoverage(coverage, plan.coverage, form, io));
  const { overallResult } = results.summary;
  if (overallResult === "RESULT_FAILED" || overallResult === "RESULT_ERRORED") {
    io.stderr("edict: tests failed\n");
    return EXIT_TESTS;
  }
  return isCovered ? EXIT_OK : EXIT_NO;
}

/** Runs again on every change, until SIGINT or SIGTERM. What is wrong with the policies is shown and waited out. */
async function watch(plan: Plan, pool: CompilePool, io: Io): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    await watchTests({
      directories: [plan.directory, plan.policies],
      stop: stop.signal,
      run: async () => {
        if (process.stdout.isTTY) io.stdout(CLEAR_SCREEN);
        await runOnce(plan, pool, io).catch((error: unknown) => {
          if (!(error instanceof EdictError)) throw error;
          const rendered = error instanceof PolicyError && plan.form !== "json" ? `${error.rendered}\n` : "";
          io.stderr(`${rendered}edict: ${error.message}\n`);
        });
      },
      idle: () => io.stderr("edict: waiting for changes, end with Ctrl-C\n"),
    });
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
  return EXIT_OK;
}

function traceOf({ suite, principal, resource, actions }: FailedCell, explanation: Explanation): string {
  const title = `${suite} - ${principal}.${resource}.${actions.join(",")}`;
  return [title, ...actionTraceLines(explanation, actions)].join("\n");
}

function choice<T extends string>(given: Arguments, option: string, known: readonly T[]): T | undefined {
  const name = given.text(option);
  if (name === undefined) return undefined;
  const found = known.find((each) => each === name);
  if (found !== undefined) return found;
  throw new UsageError(`\`--${option}\` must be one of ${known.join(", ")}, not \`${name}\``, "test");
}

function limitsFrom(given: Arguments): { readonly filter: TestFilter; readonly pattern: RegExp | null } {
  const pattern = given.text("run");
  try {
    return {
      filter: TestFilter.parse(given.texts("test-filter")),
      pattern: pattern === undefined ? null : new RegExp(pattern, "u"),
    };
  } catch (error) {
    throw new UsageError(oneLine(error), "test");
  }
}

interface CoveragePlan {
  readonly format: (typeof COVERAGE_FORMATS)[number];
  readonly file: string | undefined;
  readonly least: number;
}

/** Null when coverage is not asked for; each of its options asks for it. */
function coveragePlan(given: Arguments): CoveragePlan | null {
  const file = given.text("coverage-output");
  const least = given.text("min-coverage");
  const format = choice(given, "coverage-format", COVERAGE_FORMATS);
  const isWanted = [file, least, format].some((option) => option !== undefined);
  if (!isWanted && !given.flag("coverage")) return null;
  const number = least === undefined ? 0 : Number(least);
  if (!(number >= 0 && number <= 100)) {
    throw new UsageError(`\`--min-coverage\` must be from 0 to 100, not \`${least}\``, "test");
  }
  return { format: format ?? "text", file, least: number };
}

/** The bundle of the policies. With JSON asked for, what is wrong with them is printed as Cerbos does it. */
async function compile(
  { policies: directory, ignoreSchemas, form }: Plan,
  pool: CompilePool,
  io: Io,
): Promise<Uint8Array> {
  try {
    const source = { kind: "directory", directory, watch: false } as const;
    const { bundle, warnings } = await loadPolicies(source, pool, ignoreSchemas);
    if (warnings !== "") io.stderr(`${warnings}\n`);
    return bundle;
  } catch (error) {
    if (error instanceof PolicyError && form === "json") {
      io.stdout(`${JSON.stringify(policyErrors(error.diagnostics), null, 2)}\n`);
    }
    throw error instanceof ServeError ? new UsageError(error.message, "test") : error;
  }
}

async function startCoverage(directory: string, bundle: Uint8Array): Promise<Coverage> {
  const index = parseRuleIndex(readBundle(bundle).rules);
  return new Coverage(index, await readRuleOutputs(directory, index));
}

function report(
  results: TestResults,
  form: (typeof FORMATS)[number],
  verbose: boolean,
  traces: readonly string[],
): string {
  switch (form) {
    case "json":
      return `${JSON.stringify(results, null, 2)}\n`;
    case "junit":
      return junitReport(results, verbose);
    case "tree":
    case "list":
      return textReport(results, form, verbose, traces);
  }
}

/** Writes the coverage; whether it is enough. */
async function finishCoverage(
  coverage: Coverage,
  plan: CoveragePlan,
  form: string,
  io: Io,
): Promise<boolean> {
  const { items } = coverage;
  const text = coverageReport(items, plan.format);
  if (plan.file !== undefined) {
    await writeFile(plan.file, text).catch((error: unknown) => {
      throw new UsageError(`cannot write the coverage: ${oneLine(error)}`, "test");
    });
  } else if (form === "json" || form === "junit") {
    // Standard output is one document; the coverage must not end up in it.
    io.stderr(text);
  } else {
    io.stdout(`\n${text}`);
  }
  const share = percent(items);
  if (share >= plan.least) return true;
  io.stderr(`edict: coverage is ${Math.floor(share * 10) / 10}%, below the ${plan.least}% asked for\n`);
  return false;
}
