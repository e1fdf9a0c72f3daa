/**
 * `npm run differential -- --suites [--requests N] [--seed S] [--only NAME] [--level L] [--keep DIR] [--jobs J] [--unchanged]`
 *
 * N sets of test suites and fixtures, broken at random, run by `edict test` (mode `compatible`) and by `cerbos compile`: the same
 * results in JSON, the same exit code? Set number i is made from seed S + i. Disagreements of level L and above are shown:
 * `result` (the outcome of a run), `outcome` (of some test), `text` (why). Exit code 1 when there is one of the first two.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { TestFilter } from "../../../runtime/policy-test/filter.ts";
import type { TestResults } from "../../../runtime/policy-test/results.ts";
import { runSuites } from "../../../runtime/policy-test/run.ts";
import { findCerbos, INSTALL_CERBOS } from "../../support/cerbos.ts";
import { bundleOf } from "../../support/engines.ts";
import { run as runProgram, writeSet } from "../compile/cerbos-verdict.ts";
import { exchangeWord, mutateText } from "../compile/mutate-set.ts";
import { mutateTree } from "../compile/mutate-tree.ts";
import type { Files } from "../compile/sets.ts";
import { Random } from "../random.ts";
import { compareRuns, type RunResult } from "./compare-runs.ts";
import { SUITE_KEYS, SUITE_VALUES } from "./vocabulary.ts";
import { type World, worlds } from "./worlds.ts";

const LEVELS = ["result", "outcome", "text"] as const;

const OPTIONS = {
  suites: { type: "boolean" },
  requests: { type: "string", default: "300" },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  only: { type: "string", default: "" },
  level: { type: "string", default: "outcome" },
  keep: { type: "string" },
  jobs: { type: "string", default: "2" },
  unchanged: { type: "boolean", default: false },
} as const;

const WORDS = { keys: SUITE_KEYS, values: SUITE_VALUES };
const EXIT_TESTS = 4;

/** Policies on disk and compiled, by their files. */
const prepared = new Map<Files, Promise<{ readonly directory: string; readonly bundle: Uint8Array }>>();

/** Runs the comparison; the exit code. */
export async function runSuiteDifferential(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const binary = findCerbos();
  if (binary === undefined) {
    console.log(INSTALL_CERBOS);
    return 1;
  }
  const all = worlds().filter(({ name }) => name.includes(values.only));
  const total = values.unchanged ? all.length : Number(values.requests);
  console.log(`${total} sets of suites from ${all.length}, --seed ${values.seed}`);
  const counts = { sets: 0, passed: 0, result: 0, outcome: 0, text: 0 };
  let next = 0;
  const work = async (): Promise<void> => {
    for (let turn = next++; turn < total; turn = next++) {
      const seed = Number(values.seed) + turn;
      const random = new Random(seed);
      const world = all[values.unchanged ? turn : random.below(all.length)];
      if (world === undefined) throw new Error("there are no suites");
      const tests = values.unchanged ? world.tests : mutateTests(world.tests, random);
      const [cerbos, edict] = await runBoth(binary, world, tests);
      counts.sets += 1;
      if (cerbos.code === 0) counts.passed += 1;
      const found = compareRuns(cerbos, edict);
      if (found === undefined) continue;
      counts[found.level] += 1;
      if (LEVELS.indexOf(found.level) > LEVELS.indexOf(values.level as (typeof LEVELS)[number])) continue;
      console.log(
        `--seed ${seed} (${world.name}), ${found.level}\n  ${found.lines.slice(0, 12).join("\n  ")}`,
      );
      if (values.keep !== undefined) await keep(join(values.keep, String(seed)), tests);
    }
  };
  try {
    await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  } finally {
    for (const one of prepared.values()) await rm((await one).directory, { recursive: true, force: true });
  }
  console.log(JSON.stringify(counts));
  return counts.result + counts.outcome === 0 ? 0 : 1;
}

function mutateTests(tests: Files, random: Random): Files {
  const changed = new Map(tests);
  for (let turn = random.chance(0.7) ? 1 : 2; turn > 0; turn -= 1) {
    const path = random.pick([...changed.keys()], undefined);
    if (path === undefined) continue;
    const text = changed.get(path) ?? "";
    const kind = random.next();
    if (kind < 0.7) changed.set(path, mutateTree(text, random, WORDS));
    else if (kind < 0.88) changed.set(path, exchangeWord(text, random));
    else if (kind < 0.96) changed.set(path, mutateText(text, random));
    else if (kind < 0.98) changed.delete(path);
    else changed.set(path.replace("_test", random.pick(["_tests", "test", "_b_test"], "_b_test")), text);
  }
  return changed;
}

async function runBoth(binary: string, world: World, tests: Files): Promise<readonly [RunResult, RunResult]> {
  const ready = prepared.get(world.policies) ?? prepare(world.policies);
  prepared.set(world.policies, ready);
  const { directory, bundle } = await ready;
  const suites = await writeSet(tests);
  try {
    const args = ["compile", `--tests=${suites}`, "--output=json", "--test-output=json", directory];
    const [cerbos, edict] = await Promise.all([runProgram(binary, args), runEdict(suites, bundle)]);
    return [{ code: cerbos.code, results: resultsOf(cerbos.stdout), text: cerbos.stderr }, edict];
  } finally {
    await rm(suites, { recursive: true, force: true });
  }
}

async function prepare(policies: Files): Promise<{ directory: string; bundle: Uint8Array }> {
  const sources = [...policies].map(([path, text]) => ({ path, text }));
  return { directory: await writeSet(policies), bundle: await bundleOf(sources) };
}

function resultsOf(text: string): TestResults | null {
  return text.trim().startsWith("{") ? (JSON.parse(text) as TestResults) : null;
}

async function runEdict(suites: string, bundle: Uint8Array): Promise<RunResult> {
  try {
    const results = await runSuites(suites, bundle, {
      filter: new TestFilter(),
      pattern: null,
      onError: "compatible",
    });
    const { overallResult } = results.summary;
    const failed = overallResult === "RESULT_FAILED" || overallResult === "RESULT_ERRORED";
    return { code: failed ? EXIT_TESTS : 0, results, text: "" };
  } catch (error) {
    return { code: -1, results: null, text: error instanceof Error ? (error.stack ?? "") : String(error) };
  }
}

async function keep(directory: string, files: Files): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}
