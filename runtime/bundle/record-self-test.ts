/**
 * Records the decisions that a bundle is tested with before it serves (self-test.ts): a sample of the pairs that the policies' own
 * test suites ask about, and requests that the compiler made up. What is recorded is what the bundle decides, not what a suite expects:
 * whether policies are right is the business of `edict test`. Same files, same section, on every machine.
 */
import { readFile, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { SECTION_SELF_TEST } from "../../assembly/abi.ts";
import type { CheckRequest } from "../guest/messages.ts";
import { type CompiledBundle, compileModules } from "../guest/modules.ts";
import { discoverSuites } from "../policy-test/discover.ts";
import { expandTest, InvalidTest, type Pair } from "../policy-test/expand.ts";
import { loadFixtures } from "../policy-test/load-fixtures.ts";
import { readSuite } from "../policy-test/read-suite.ts";
import type { Fixtures, Suite, SuiteOptions, Test } from "../policy-test/suite.ts";
import { isBlank } from "../policy-test/suite-tree.ts";
import { readBundle } from "./bundle-file.ts";
import { withSection } from "./bundle-writer.ts";
import {
  MAX_REQUEST_FUEL,
  MAX_SELF_TEST_BYTES,
  MAX_SELF_TEST_DECISIONS,
  MAX_SELF_TEST_GROUPS,
  SELF_TEST_VERSION,
  type SelfTestCase,
  SelfTestGuest,
  type SelfTestOptions,
  type SelfTestQuestion,
} from "./self-test.ts";

/** A question and the options that it is asked with. */
interface Candidate {
  readonly options: SelfTestOptions;
  readonly question: SelfTestQuestion;
  /** Whether an answer that depends on the time is no use, because nobody has fixed it. */
  readonly timeless: boolean;
}

/** Decisions taken from suites when there are made-up requests as well. */
const MAX_FROM_SUITES = 120;

/** Suites that are read, and the largest one in bytes: reading all of a large repository's would slow compiling down. */
const MAX_SUITES = 64;
const MAX_SUITE_BYTES = 256 * 1024;

/** Most pairs of a suite's test that are expanded; larger tests are left out. */
const MAX_TEST_PAIRS = 5_000;

/** Pairs of suites that are looked at, and actions of each that are asked about. */
const MAX_PAIRS = 200;
const MAX_ACTIONS = 8;

/** Largest question in bytes. */
const MAX_QUESTION_BYTES = 4 * 1024;

/** What `now` is for made-up requests: 1 January 2026. */
const FIXED_NOW = 1_767_225_600_000;

const MADE_UP_OPTIONS: SelfTestOptions = {
  onError: "fail-closed",
  defaultPolicyVersion: "default",
  defaultScope: "",
  lenientScopeSearch: false,
  globals: {},
};

/**
 * The bundle in `file` with a self-test section, or as it is when nothing could be recorded.
 * @param directory where the suites are, null for none (an archive)
 * @param requests made up by the compiler
 */
export async function addSelfTest(
  file: Uint8Array,
  directory: string | null,
  requests: readonly CheckRequest[],
): Promise<Uint8Array> {
  const compiled = await compileModules(readBundle(file));
  const fromSuites = directory === null ? [] : sampleOf(await suiteCandidates(directory), MAX_PAIRS);
  const madeUp = requests.map((request) => ({
    options: MADE_UP_OPTIONS,
    question: { now: FIXED_NOW, request },
    timeless: false,
  }));
  const recorder = new Recorder(compiled);
  for (const candidate of fromSuites) recorder.add(candidate, MAX_FROM_SUITES);
  for (const candidate of madeUp) recorder.add(candidate, MAX_SELF_TEST_DECISIONS);
  const section = recorder.section();
  return section === null ? file : withSection(file, SECTION_SELF_TEST, section);
}

/** Asks, and keeps what fits. */
class Recorder {
  readonly #compiled: CompiledBundle;
  readonly #groups = new Map<
    string,
    { readonly options: SelfTestOptions; readonly guest: SelfTestGuest; readonly cases: SelfTestCase[] }
  >();
  #decisions = 0;
  /** Of the section so far, and of what stands around it. */
  #bytes = 64;

  constructor(compiled: CompiledBundle) {
    this.#compiled = compiled;
  }

  /** Records a question unless there are more decisions than `most` already, or it has no answer that would last. */
  add({ options, question, timeless }: Candidate, most: number): void {
    const decisions = question.request.resources.reduce((sum, { actions }) => sum + actions.length, 0);
    const size = sizeOf(question) + decisions;
    if (this.#decisions + decisions > most || size > MAX_QUESTION_BYTES) return;
    const key = JSON.stringify(options);
    const known = this.#groups.get(key);
    if (known === undefined && this.#groups.size >= MAX_SELF_TEST_GROUPS) return;
    const added = size + (known === undefined ? key.length * 4 + 64 : 16);
    if (this.#bytes + added > MAX_SELF_TEST_BYTES) return;
    const group = known ?? { options, guest: new SelfTestGuest(this.#compiled, options), cases: [] };
    const answer = group.guest.ask(question);
    if (typeof answer === "string" || !/^[AD]+$/.test(answer.effects)) return;
    if ((timeless && answer.usedNow) || answer.fuelUsed > MAX_REQUEST_FUEL) return;
    group.cases.push({ ...question, effects: answer.effects });
    this.#groups.set(key, group);
    this.#decisions += decisions;
    this.#bytes += added;
  }

  /** The section, null when nothing was recorded. */
  section(): Uint8Array | null {
    if (this.#groups.size === 0) return null;
    const groups = [...this.#groups.values()].map(({ options, cases }) => ({ options, cases }));
    return new TextEncoder().encode(JSON.stringify({ version: SELF_TEST_VERSION, groups }));
  }
}

/** Every pair of a sample of the suites below `directory`. Suites that are broken are left out; `edict test` reports them. */
async function suiteCandidates(directory: string): Promise<readonly Candidate[]> {
  const files = sampleOf(await discoverSuites(directory).catch(() => []), MAX_SUITES);
  const fixtures = new Map<string, ReturnType<typeof loadFixtures>>();
  const candidates: Candidate[] = [];
  for (const file of files) {
    const path = join(directory, file);
    const text = await stat(path)
      .then(({ size }) => (size > MAX_SUITE_BYTES ? "" : readFile(path, "utf8")))
      .catch(() => "");
    if (isBlank(text)) continue;
    const testdata = posix.join(posix.dirname(file), "testdata");
    const shared = fixtures.get(testdata) ?? loadFixtures(join(directory, testdata), testdata);
    fixtures.set(testdata, shared);
    const { suite } = readSuite(text);
    const { fixtures: found, error } = await shared;
    if (suite === null || suite.skip || error !== "") continue;
    candidates.push(...suite.tests.flatMap((test) => candidatesOf(suite, test, found)));
  }
  return candidates;
}

function candidatesOf(suite: Suite, test: Test, shared: Fixtures): readonly Candidate[] {
  const options = test.options ?? suite.options;
  if (test.skip || sizeOfTest(suite, test, shared) > MAX_TEST_PAIRS) return [];
  try {
    return expandTest(test, [suite.fixtures, shared]).map((pair) => candidateOf(pair, options));
  } catch (error) {
    if (error instanceof InvalidTest) return [];
    throw error;
  }
}

/** Pairs that a test expands to, at most. */
function sizeOfTest({ fixtures }: Suite, { input }: Test, shared: Fixtures): number {
  const members = (groups: readonly string[], field: "principalGroups" | "resourceGroups"): number =>
    groups.reduce(
      (sum, name) => sum + (fixtures[field].get(name) ?? shared[field].get(name) ?? []).length,
      0,
    );
  return (
    (input.principals.length + members(input.principalGroups, "principalGroups")) *
    (input.resources.length + members(input.resourceGroups, "resourceGroups"))
  );
}

function candidateOf(pair: Pair, options: SuiteOptions): Candidate {
  const { principal, resource, auxData } = pair;
  return {
    options: {
      onError: options.strictEvaluation ? "strict" : "fail-closed",
      defaultPolicyVersion: options.defaultPolicyVersion || "default",
      defaultScope: options.defaultScope,
      lenientScopeSearch: options.lenientScopeSearch,
      globals: options.globals,
    },
    question: {
      now: options.now ?? FIXED_NOW,
      request: { principal, resources: [{ actions: sampleOf(pair.actions, MAX_ACTIONS), resource }] },
      ...(auxData === null ? {} : { claims: auxData }),
    },
    timeless: options.now === null,
  };
}

/** Bytes of a question in the section. */
function sizeOf(question: SelfTestQuestion): number {
  return Buffer.byteLength(JSON.stringify(question));
}

/** At most `most` items, evenly spread from the first on. */
function sampleOf<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)]).filter(
    (item): item is T => item !== undefined,
  );
}
