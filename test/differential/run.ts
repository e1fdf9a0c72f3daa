/**
 * `npm run differential -- --generated ...`: random policy sets, see generate/run.ts
 * `npm run differential -- --compile ...`: broken policy sets before both compilers, see compile/run.ts
 * `npm run differential -- [--requests N] [--seed S] [--copies C] [--mode M] [--set T] [--no-http] [--no-cerbos]`
 * `npm run differential -- --suites ...`: broken test suites before both runners, see suites/run.ts
 *
 * Asks everything the same: reference interpreter = debug WASM = release WASM = HTTP, each in JSON and msgpack, = the
 * real Cerbos, on the load-test policies (set `classic` or `multitenant`, C copies), for the requests of the load test and N
 * random mutations of them. The real Cerbos takes part in the modes `compatible` (default) and `strict`; in
 * `fail-closed` edict's engines are compared among themselves. Exit code 1 when anything differs; the seed is printed.
 */
import { parseArgs } from "node:util";
import { readSources } from "../../compiler/directory.ts";
import type { Program } from "../../compiler/ir/program.ts";
import type { SourceFile } from "../../compiler/load/index.ts";
import { findCerbos, INSTALL_CERBOS, startCerbos } from "../support/cerbos.ts";
import { expandLoadTest, type LoadTest } from "../support/corpus.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon } from "../support/daemon.ts";
import { ask, bundleOf, loadEngine, type Answer } from "../support/engines.ts";
import { programOf } from "../support/programs.ts";
import { differences } from "./compare.ts";
import { explanation } from "./defects.ts";
import { runCompile } from "./compile/run.ts";
import type { ErrorMode } from "./interpreter/conditions.ts";
import { runGenerated } from "./generate/run.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest, CheckResponse } from "./interpreter/request.ts";
import type { EngineSettings } from "./interpreter/settings.ts";
import { mutate, type Vocabulary } from "./mutate.ts";
import { Random } from "./random.ts";
import { runSuiteDifferential } from "./suites/run.ts";
import { vocabularyOf } from "./vocabulary.ts";

interface Options {
  readonly requests: number;
  readonly seed: number;
  readonly copies: number;
  readonly set: "classic" | "multitenant";
  readonly mode: ErrorMode;
  readonly http: boolean;
  readonly cerbos: boolean;
}

/** One way to get an answer. */
interface Responder {
  readonly name: string;
  answer(request: CheckRequest): Promise<unknown>;
  stop(): Promise<void>;
}

/** Differences shown in full; the rest is only counted. */
const SHOWN = 10;
const PROGRESS_MS = 5_000;
const CERBOS = "Cerbos";

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "10000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      copies: { type: "string", default: "100" },
      mode: { type: "string", default: "compatible" },
      set: { type: "string", default: "classic" },
      "no-http": { type: "boolean", default: false },
      "no-cerbos": { type: "boolean", default: false },
    },
  });
  const { mode, set } = values;
  if (set !== "classic" && set !== "multitenant") throw new Error(`unknown set \`${set}\``);
  if (mode !== "compatible" && mode !== "strict" && mode !== "fail-closed")
    throw new Error(`unknown mode \`${mode}\``);
  return {
    requests: Number(values.requests),
    seed: Number(values.seed),
    copies: Number(values.copies),
    set,
    mode,
    http: !values["no-http"],
    cerbos: !values["no-cerbos"],
  };
}

async function embedded(sources: readonly SourceFile[], mode: ErrorMode): Promise<readonly Responder[]> {
  const responders: Responder[] = [];
  for (const build of ["release", "debug"] as const) {
    const engine = await loadEngine(await bundleOf(sources, build), { onError: mode });
    for (const format of ["json", "msgpack"] as const) {
      responders.push({
        name: `${build} WASM (${format})`,
        answer: async (request) => responseOf(ask(engine, request, format)),
        stop: async () => {
          if (engine.traps > 0) throw new Error(`the ${build} engine trapped ${engine.traps} times`);
        },
      });
    }
  }
  return responders;
}

function responseOf(answer: Answer): unknown {
  return "response" in answer ? answer.response : answer;
}

async function overHttp(directory: string, mode: ErrorMode): Promise<readonly Responder[]> {
  const limits = { maxActionsPerResource: 500, maxResourcesPerRequest: 500 };
  const config = { server: { requestLimits: limits } };
  const daemon = await startDaemon(["--policies", directory, "--on-error", mode], config);
  return (["json", "msgpack"] as const).map((format, index) => ({
    name: `HTTP (${format})`,
    answer: async (request) => (await daemon.check(request, format)).body,
    stop: async () => (index === 0 ? daemon.stop() : undefined),
  }));
}

async function realCerbos(directory: string, mode: ErrorMode): Promise<Responder> {
  const cerbos = await startCerbos(directory, { engine: { strictEvaluation: mode === "strict" } });
  return {
    name: CERBOS,
    answer: async (request) => (await cerbos.check(request)).body,
    stop: () => cerbos.stop(),
  };
}

async function respondersFor(
  set: LoadTest,
  sources: readonly SourceFile[],
  options: Options,
): Promise<Responder[]> {
  const responders = [...(await embedded(sources, options.mode))];
  if (options.http && !DAEMON_IS_BUILT) console.log(`without HTTP: ${BUILD_DAEMON}`);
  else if (options.http) responders.push(...(await overHttp(set.directory, options.mode)));
  if (!options.cerbos || options.mode === "fail-closed") return responders;
  if (findCerbos() === undefined) console.log(`without Cerbos: ${INSTALL_CERBOS}`);
  else responders.push(await realCerbos(set.directory, options.mode));
  return responders;
}

/** Whether a defect of the binary accounts for its answer. */
function isExplained(
  program: Program,
  request: CheckRequest,
  settings: Partial<EngineSettings>,
  answer: unknown,
): boolean {
  return isResponse(answer) && explanation(program, request, settings, answer) !== undefined;
}

function isResponse(answer: unknown): answer is CheckResponse {
  return typeof answer === "object" && answer !== null && "results" in answer;
}

/** The load test's own requests of a few copies, then mutations. */
function requestAt(turn: number, set: LoadTest, vocabulary: Vocabulary, random: Random): CheckRequest {
  const plain = turn < Math.min(set.copies, 10) * 2;
  const copy = plain ? turn >> 1 : random.below(set.copies);
  const originals = set.requests(copy);
  const original = plain ? originals[turn % 2] : random.pick(originals, originals[0]);
  if (original === undefined) throw new Error("the load test has no requests");
  return plain ? { ...original, includeMeta: true } : mutate(original, vocabulary, random);
}

async function main(): Promise<number> {
  const options = readOptions();
  console.log(
    `${options.requests} requests, ${options.copies} copies, ${options.mode}, --seed ${options.seed}`,
  );
  const set = await expandLoadTest(options.set, options.copies);
  const { sources } = await readSources(set.directory);
  const { program, diagnostics } = programOf(sources);
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const responders = await respondersFor(set, sources, options);
  console.log(`comparing the interpreter with ${responders.map(({ name }) => name).join(", ")}`);
  const random = new Random(options.seed);
  const vocabulary = vocabularyOf(program);
  const counts = { decisions: 0, allowed: 0, unmatched: 0, different: 0, explained: 0 };
  let reported = Date.now();
  try {
    for (let turn = 0; turn < options.requests; turn += 1) {
      const request = requestAt(turn, set, vocabulary, random);
      const now = BigInt(Date.now()) * 1_000_000n;
      const want = check(program, request, { onError: options.mode, now });
      for (const { actions, meta } of want.results) {
        counts.decisions += Object.keys(actions).length;
        counts.allowed += Object.values(actions).filter((effect) => effect === "EFFECT_ALLOW").length;
        counts.unmatched += Object.values(meta?.actions ?? {}).filter(
          ({ matchedPolicy }) => matchedPolicy === "NO_MATCH",
        ).length;
      }
      for (const responder of responders) {
        const answer = await responder.answer(request);
        const found = differences(answer, want);
        if (found.length === 0) continue;
        if (
          responder.name === CERBOS &&
          isExplained(program, request, { onError: options.mode, now }, answer)
        ) {
          counts.explained += 1;
          continue;
        }
        counts.different += 1;
        if (counts.different > SHOWN) continue;
        console.log(
          `request ${turn}: ${responder.name} differs from the interpreter\n  ${found.join("\n  ")}`,
        );
        console.log(`  ${JSON.stringify(request)}`);
      }
      if (Date.now() - reported > PROGRESS_MS) {
        reported = Date.now();
        console.log(`${turn + 1} requests, ${counts.different} differences`);
      }
    }
  } finally {
    for (const responder of responders) await responder.stop();
    await set.remove();
  }
  const { decisions, allowed, unmatched, different, explained } = counts;
  console.log(
    `${decisions} decisions (${allowed} allowed, ${unmatched} without a policy): ${different} differences, ${explained} explained by defects of the binary`,
  );
  return different === 0 ? 0 : 1;
}

async function chosen(): Promise<number> {
  if (process.argv.includes("--generated")) return runGenerated();
  if (process.argv.includes("--suites")) return runSuiteDifferential();
  return process.argv.includes("--compile") ? runCompile() : main();
}

process.exitCode = await chosen();
