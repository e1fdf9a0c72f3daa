/**
 * Runs every suite of a directory against a bundle: one engine per set of suite options, the real guest, the clock pinned to
 * what the suite says.
 */
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { Engine, type Examination } from "../guest/engine.ts";
import type { OnError } from "../guest/options.ts";
import { discoverSuites } from "./discover.ts";
import type { Pair } from "./expand.ts";
import type { TestFilter } from "./filter.ts";
import { loadFixtures } from "./load-fixtures.ts";
import { type SuiteResult, summarize, type TestResults } from "./results.ts";
import { runSuite, type SuiteRunner } from "./run-suite.ts";
import type { SuiteOptions } from "./suite.ts";
import { isBlank } from "./suite-tree.ts";

export interface RunOptions {
  readonly filter: TestFilter;
  readonly pattern: RegExp | null;
  readonly excludedPolicies?: ReadonlySet<string>;
  /** Mode of suites that do not ask for strict evaluation. */
  readonly onError: OnError;
  /** Whether requests that JSON schemas refuse are decided all the same; otherwise they are rejected. */
  readonly ignoreSchemas?: boolean;
  /** Sees every decision that was made. */
  readonly observe?: (engine: Engine, examination: Examination) => void;
  /** Sees why tests failed. */
  readonly explained?: NonNullable<SuiteRunner["explained"]>;
  /** Called before each suite. */
  readonly progress?: (file: string, done: number, total: number) => void;
}

/** Most engines kept ready; each holds a guest's memory. */
const MAX_ENGINES = 8;

/** Runs the suites below `directory`. Throws what loading the bundle throws; broken suites are results. */
export async function runSuites(
  directory: string,
  bundle: Uint8Array,
  options: RunOptions,
): Promise<TestResults> {
  const engines = new Engines(bundle, options.onError, options.ignoreSchemas ?? false);
  const files = await discoverSuites(directory);
  const suites: SuiteResult[] = [];
  const fixtures = new Map<string, ReturnType<typeof loadFixtures>>();
  for (const [done, file] of files.entries()) {
    options.progress?.(file, done, files.length);
    const testdata = posix.join(posix.dirname(file), "testdata");
    const shared = fixtures.get(testdata) ?? loadFixtures(join(directory, testdata), testdata);
    fixtures.set(testdata, shared);
    const text = await readFile(join(directory, file), "utf8");
    if (isBlank(text)) continue;
    suites.push(
      await runSuite(file, text, await shared, {
        filter: options.filter,
        pattern: options.pattern,
        excludedPolicies: options.excludedPolicies ?? new Set(),
        ...(options.explained === undefined ? {} : { explained: options.explained }),
        examine: async (pair, actions, suiteOptions) => {
          const engine = await engines.for(suiteOptions);
          const examination = ask(engine, pair, actions);
          options.observe?.(engine, examination);
          return examination;
        },
      }),
    );
  }
  return { suites, summary: summarize(suites) };
}

function ask(engine: Engine, pair: Pair, actions: readonly string[]): Examination {
  const { principal, resource, auxData } = pair;
  return engine.examine({ principal, resources: [{ resource, actions }], includeMeta: true }, auxData);
}

/** Engines by options; the clock is set anew each time one is asked for. */
class Engines {
  readonly #bundle: Uint8Array;
  readonly #onError: OnError;
  readonly #ignoreSchemas: boolean;
  readonly #ready = new Map<string, Promise<Engine>>();
  #now = 0;

  constructor(bundle: Uint8Array, onError: OnError, ignoreSchemas: boolean) {
    this.#bundle = bundle;
    this.#onError = onError;
    this.#ignoreSchemas = ignoreSchemas;
  }

  /** The engine for some options, its clock showing their `now`. */
  async for(options: SuiteOptions): Promise<Engine> {
    const { now, ...rest } = options;
    const key = JSON.stringify(rest);
    let engine = this.#ready.get(key);
    if (engine === undefined) {
      const [oldest] = this.#ready.keys();
      if (this.#ready.size >= MAX_ENGINES && oldest !== undefined) this.#ready.delete(oldest);
      engine = this.#load(rest);
      this.#ready.set(key, engine);
    }
    const loaded = await engine;
    this.#now = now ?? Date.now();
    return loaded;
  }

  #load(options: Omit<SuiteOptions, "now">): Promise<Engine> {
    return Engine.load(this.#bundle, {
      onError: options.strictEvaluation ? "strict" : this.#onError,
      lenientScopeSearch: options.lenientScopeSearch,
      globals: options.globals,
      wholeGlobals: "double",
      defaultPolicyVersion: options.defaultPolicyVersion || "default",
      defaultScope: options.defaultScope,
      maxActionsPerResource: 500,
      maxResourcesPerRequest: 500,
      schemaEnforcement: this.#ignoreSchemas ? "none" : "reject",
      clock: () => this.#now,
    });
  }
}
