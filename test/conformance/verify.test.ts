/**
 * corpus/verify: test suites run against the policies of corpus/store, expansions of test tables, and JUnit documents. Run on
 * release WASM in the mode that Cerbos has (`compatible`).
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { expandTest, InvalidTest } from "../../runtime/policy-test/expand.ts";
import { TestFilter } from "../../runtime/policy-test/filter.ts";
import { FieldReader } from "../../runtime/policy-test/read-fields.ts";
import { readFixtureFields } from "../../runtime/policy-test/read-fixtures.ts";
import { readSuite } from "../../runtime/policy-test/read-suite.ts";
import { junitReport } from "../../runtime/policy-test/report-junit.ts";
import type { SuiteResult, TestResults } from "../../runtime/policy-test/results.ts";
import { runSuites } from "../../runtime/policy-test/run.ts";
import { parseSuiteText } from "../../runtime/policy-test/suite-tree.ts";
import { CORPUS, corpusCases, corpusPath, NO_CORPUS } from "../support/corpus.ts";
import { bundleOf } from "../support/engines.ts";
import { type KnownFailures, sourcesFrom, unlessKnown } from "./targets.ts";

interface RunCase {
  readonly config: {
    readonly includedTestNamesRegexp?: string;
    readonly excludedResourcePolicyFqns?: readonly string[];
    readonly excludedPrincipalPolicyFqns?: readonly string[];
  };
  readonly files: Readonly<Record<string, string>>;
  readonly want: TestResults;
}

interface TableCase {
  readonly table: unknown;
  readonly wantTests: readonly {
    readonly name: { readonly principalKey: string; readonly resourceKey: string };
    readonly input: {
      readonly principal: { readonly id: string };
      readonly resource: { readonly id: string };
      readonly actions: readonly string[];
      readonly auxData?: unknown;
    };
    readonly expected: Readonly<Record<string, string>>;
    readonly expectedOutputs?: Readonly<Record<string, { readonly entries: unknown }>>;
  }[];
  readonly wantErr: string;
}

const KNOWN_FAILURES: KnownFailures = {};

const temporary: string[] = [];
afterAll(async () => {
  await Promise.all(temporary.map((directory) => rm(directory, { recursive: true, force: true })));
});

async function laidOut(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "edict-verify-"));
  temporary.push(directory);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

/** Results as they are compared: suites by file, no-break spaces as spaces. */
function comparable(results: TestResults): unknown {
  const suites: SuiteResult[] = JSON.parse(JSON.stringify(results.suites).replaceAll("\u00a0", " "));
  return {
    summary: results.summary,
    suites: suites.toSorted((left, right) => (left.file < right.file ? -1 : 1)),
  };
}

const everything = {
  filter: new TestFilter(),
  pattern: null,
  onError: "compatible",
  ignoreSchemas: true,
} as const;
const excluded = ({ config }: RunCase): ReadonlySet<string> =>
  new Set(
    [...(config.excludedResourcePolicyFqns ?? []), ...(config.excludedPrincipalPolicyFqns ?? [])].map(
      (name) => name.replace(/^cerbos\./u, ""),
    ),
  );

const TITLE = CORPUS === undefined ? `corpus/verify (${NO_CORPUS})` : "corpus/verify";
const RUNS = corpusCases<RunCase>("verify", "cases");
const TABLES = corpusCases<TableCase>("verify", "get_tests").filter(({ name }) => name !== "_fixture");
const DOCUMENTS = corpusCases<Pick<RunCase, "files">>("verify", "junit", "cases");

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  let store: Promise<Uint8Array> | undefined;

  it.each(RUNS)("run $name", async ({ name, data }) => {
    store ??= sourcesFrom(corpusPath("store", "policies")).then((sources) => bundleOf(sources));
    const directory = await laidOut(data.files);
    const { includedTestNamesRegexp: pattern } = data.config;
    const results = await runSuites(directory, await store, {
      ...everything,
      pattern: pattern === undefined ? null : new RegExp(pattern, "u"),
      excludedPolicies: excluded(data),
    });
    await unlessKnown(KNOWN_FAILURES, name, async () => {
      expect(comparable(results)).toEqual(comparable(data.want));
    });
  });

  it.each(TABLES)("expand $name", async ({ data }) => {
    const { root } = parseSuiteText(
      await readFile(corpusPath("verify", "get_tests", "_fixture.json"), "utf8"),
    );
    const known = ["principals", "resources", "auxData", "principalGroups", "resourceGroups"];
    const fixtures = readFixtureFields(new FieldReader(root, known, []), [], []);
    const { suite, problems } = readSuite(JSON.stringify({ name: "s", tests: [data.table] }));
    expect(problems).toEqual([]);
    const [test] = suite?.tests ?? [];
    if (test === undefined) throw new Error("the table was not read");
    if (data.wantErr !== "") {
      expect(() => expandTest(test, [fixtures])).toThrow(new InvalidTest(data.wantErr));
      return;
    }
    const pairs = expandTest(test, [fixtures]).map((pair) => ({
      keys: [pair.principalName, pair.resourceName],
      ids: [pair.principal.id, pair.resource.id],
      actions: pair.actions,
      auxData: pair.auxData,
      expected: Object.fromEntries(pair.expected),
      outputs: Object.fromEntries(
        [...pair.outputs].map(([action, entries]) => [action, { entries: Object.fromEntries(entries) }]),
      ),
    }));
    expect(pairs).toEqual(
      data.wantTests.map(({ name, input, expected, expectedOutputs }) => ({
        keys: [name.principalKey, name.resourceKey],
        ids: [input.principal.id, input.resource.id],
        actions: input.actions,
        auxData: input.auxData ?? null,
        expected,
        outputs: expectedOutputs ?? {},
      })),
    );
  });

  it.each(DOCUMENTS)("junit $name", async ({ name, data }) => {
    const bundle = await bundleOf(await sourcesFrom(corpusPath("verify", "junit", "policies")));
    const results = await runSuites(await laidOut(data.files), bundle, everything);
    const golden = await readFile(corpusPath("verify", "junit", "golden", `${name}.xml`), "utf8");
    expect(junitReport(results, true).trim()).toBe(golden.trim());
  });
});
