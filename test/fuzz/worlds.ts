/**
 * What is fuzzed: policies with requests that make sense for them, and the settings they are decided under. The sample
 * policies, the load-test set where the corpus is, decision cases, and generated sets; which of the last two is the seed's choice.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSources } from "../../compiler/directory.ts";
import type { SourceFile } from "../../compiler/load/index.ts";
import type { Program } from "../../compiler/ir/program.ts";
import type { EngineOptions } from "../../runtime/index.ts";
import { readCases, requestOf, sourcesOf } from "../support/cases.ts";
import { CORPUS, expandLoadTest } from "../support/corpus.ts";
import { bundleOf } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { makeBatch } from "../differential/generate/batch.ts";
import { randomRequest } from "../differential/generate/requests.ts";
import { filesOf, withSchemas } from "../differential/generate/schemas.ts";
import { onTheWire } from "../differential/generate/tokens.ts";
import type { EngineSettings } from "../differential/interpreter/settings.ts";
import type { Vocabulary } from "../differential/mutate.ts";
import { Random } from "../differential/random.ts";
import { vocabularyOf } from "../differential/vocabulary.ts";
import { copyOf, isList, isObject, memberOf, type Node, setMember, treeOf } from "./tree.ts";

/** The clock of every engine, in milliseconds: conditions that read it are compared too. */
export const CLOCK_MS = Date.UTC(2026, 10, 21, 12);

export interface World {
  readonly name: string;
  readonly sources: readonly SourceFile[];
  readonly program: Program;
  readonly bundle: Uint8Array;
  readonly options: EngineOptions;
  /** The same settings for the interpreter. */
  readonly settings: Partial<EngineSettings>;
  /** Good requests, never empty. */
  readonly requests: readonly Node[];
  readonly vocabulary: Vocabulary;
  /** Whether its requests carry tokens, whose signatures nobody looks at; elsewhere a daemon refuses tokens. */
  readonly tokens: boolean;
  /** Whether a daemon hands even small requests to its batch workers, in parts. */
  readonly batches: boolean;
}

const EXAMPLES = join(import.meta.dirname, "../../examples");
const LOADTEST_COPIES = 3;
const GENERATED_REQUESTS = 40;

async function world(
  name: string,
  sources: readonly SourceFile[],
  requests: readonly unknown[],
  options: EngineOptions,
  tokens = false,
): Promise<World> {
  const { program, diagnostics } = programOf(sources);
  if (program === undefined)
    throw new Error(`${name}: ${diagnostics.map(({ message }) => message).join("; ")}`);
  const { onError = "fail-closed", globals = {}, ...rest } = options;
  const { defaultPolicyVersion, defaultScope, lenientScopeSearch } = rest;
  return {
    name,
    sources,
    program,
    bundle: await bundleOf(sources),
    options: { ...options, clock: () => CLOCK_MS },
    settings: {
      onError,
      globals: globals as EngineSettings["globals"],
      ...(defaultPolicyVersion === undefined ? {} : { defaultPolicyVersion }),
      ...(defaultScope === undefined ? {} : { defaultScope }),
      ...(lenientScopeSearch === undefined ? {} : { lenientScopeSearch }),
    },
    requests: requests.map(treeOf),
    vocabulary: vocabularyOf(program),
    tokens,
    batches: false,
  };
}

/** The sample policies and their requests. */
export async function exampleWorld(options: EngineOptions = {}): Promise<World> {
  const { sources } = await readSources(join(EXAMPLES, "policies"));
  const folder = join(EXAMPLES, "requests");
  const requests = readdirSync(folder).map((file): unknown =>
    JSON.parse(readFileSync(join(folder, file), "utf8")),
  );
  return world(`examples (${options.onError ?? "fail-closed"})`, sources, requests, options);
}

/** The load-test set of the corpus; null where that is absent. */
export async function loadtestWorld(options: EngineOptions = {}): Promise<World | null> {
  if (CORPUS === undefined) return null;
  const set = await expandLoadTest("classic", LOADTEST_COPIES);
  try {
    const { sources } = await readSources(set.directory);
    const requests = Array.from({ length: LOADTEST_COPIES }, (_, index) => set.requests(index)).flat();
    const suffix = options.schemaEnforcement === undefined ? "" : `, schemas ${options.schemaEnforcement}`;
    return await world(
      `load test (${options.onError ?? "fail-closed"}${suffix})`,
      sources,
      requests,
      options,
    );
  } finally {
    await set.remove();
  }
}

/** A decision case of test/cases. */
async function caseWorld(index: number): Promise<World> {
  const cases = readCases();
  const chosen = cases[index % cases.length];
  if (chosen === undefined) throw new Error("there are no cases");
  const { name, data } = chosen;
  const options = { onError: "compatible", ...data.engine } as const;
  return world(`case ${name}`, sourcesOf(data), data.checks.map(requestOf), options);
}

/** A set of the differential generator, with requests whose claims are tokens that nobody verifies. */
export async function generatedWorld(seed: number): Promise<World> {
  const batch = await makeBatch(seed, false);
  const random = new Random(seed);
  const requests = Array.from({ length: GENERATED_REQUESTS }, () =>
    onTheWire(randomRequest(batch.world, random)),
  );
  const made = await world(`generated ${seed}`, filesOf(batch.policies), requests, batch.settings, true);
  return { ...made, settings: { ...made.settings, ...withSchemas(made.program, batch.settings) } };
}

/** The sample policies with requests of many resources, which are divided. */
export async function batchWorld(): Promise<World> {
  const whole = await exampleWorld({ maxActionsPerResource: 500, maxResourcesPerRequest: 500 });
  const requests = whole.requests.map((request, index) => repeated(request, 6 + 7 * index));
  return { ...whole, name: "examples in batches", requests, batches: true };
}

/** The request with its resources repeated, each with an id of its own. */
function repeated(request: Node, times: number): Node {
  const copy = copyOf(request);
  const entries = memberOf(copy, "resources");
  if (!isObject(copy) || !isList(entries)) return request;
  const many = Array.from({ length: times }, (_, turn) =>
    entries.map((entry, index) => {
      const one = copyOf(entry);
      const resource = memberOf(one, "resource");
      if (isObject(resource)) setMember(resource, "id", `r-${turn}-${index}`);
      return one;
    }),
  );
  setMember(copy, "resources", many.flat());
  return copy;
}

/** Those that daemons serve in a run. */
export async function servedWorlds(seed: number): Promise<readonly World[]> {
  const worlds = [
    await exampleWorld(),
    await batchWorld(),
    await loadtestWorld(),
    await generatedWorld(1000 + (seed % 100_000)),
  ];
  return worlds.filter((one) => one !== null);
}

/** The worlds of a long run. */
export async function allWorlds(seed: number): Promise<readonly World[]> {
  const random = new Random(seed);
  const worlds = [
    await exampleWorld(),
    await exampleWorld({ onError: "strict", maxActionsPerResource: 500, maxResourcesPerRequest: 500 }),
    await loadtestWorld(),
    await loadtestWorld({ onError: "compatible", lenientScopeSearch: true, defaultScope: "acme.hr" }),
    await loadtestWorld({ schemaEnforcement: "reject" }),
    await caseWorld(random.below(1000)),
    await caseWorld(random.below(1000)),
    await caseWorld(random.below(1000)),
    await generatedWorld(1000 + random.below(100_000)),
    await generatedWorld(1000 + random.below(100_000)),
    await generatedWorld(1000 + random.below(100_000)),
  ];
  return worlds.filter((one) => one !== null);
}
