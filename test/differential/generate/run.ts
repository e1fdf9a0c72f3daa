/**
 * `npm run differential -- --generated [--requests N] [--per-set M] [--seed S] [--no-cerbos] [--no-shrink] [--cases DIR]`
 *
 * Random policy sets with random requests, M per set: the interpreter = release WASM = the real Cerbos, in `compatible` or
 * `strict` mode as the set's seed wants. Debug WASM, HTTP and both builds failing closed take turns, each asked every fourth
 * request; edict's own are asked in JSON and msgpack. Own seeded generator (../random.ts), so that a seed names a run.
 * What edict's compiler takes and `cerbos compile` refuses, or the other way round, counts as a difference. The seed of each
 * set is printed: `--seed S --requests M` repeats that set alone. The first differences are made small and written to
 * DIR as cases for test/cases/. Exit code 1 when anything differs that no known defect of the binary explains.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findCerbos, INSTALL_CERBOS } from "../../support/cerbos.ts";
import { Random } from "../random.ts";
import { makeBatch, type Batch } from "./batch.ts";
import { checkBatch, type BatchResult, type Difference } from "./check-batch.ts";
import { cerbosAnswer, differs, signature } from "./differs.ts";
import { randomRequest } from "./requests.ts";
import { caseOf, shrink } from "./shrink.ts";

const SHOWN_PER_SET = 5;
const SHRUNK = 5;

const USAGE = `usage: npm run differential -- --generated [options]

  --requests N   requests in all (10000)
  --per-set M    requests per policy set (1000)
  --seed S       seed of the first set; the next sets take the next numbers (from the clock)
  --cases DIR    where small cases of differences are written (differential-cases)
  --no-shrink    print differences as they are
  --no-cerbos    only edict's engines among themselves
`;

interface Options {
  readonly requests: number;
  readonly perSet: number;
  readonly seed: number;
  readonly cases: string;
  readonly shrink: boolean;
  readonly cerbos: boolean;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      generated: { type: "boolean", default: true },
      help: { type: "boolean", default: false },
      requests: { type: "string", default: "10000" },
      "per-set": { type: "string", default: "1000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      cases: { type: "string", default: "differential-cases" },
      "no-shrink": { type: "boolean", default: false },
      "no-cerbos": { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    requests: Number(values.requests),
    perSet: Number(values["per-set"]),
    seed: Number(values.seed),
    cases: values.cases,
    shrink: !values["no-shrink"],
    cerbos: !values["no-cerbos"] && findCerbos() !== undefined,
  };
}

/** Signatures of differences that have been made small already. */
const shrunk = new Set<string>();

async function report(batch: Batch, found: readonly Difference[], options: Options): Promise<void> {
  for (const [index, { who, settings, request, lines }] of found.entries()) {
    if (index < SHOWN_PER_SET) {
      console.log(
        `  ${who} (${settings.onError}) differs from the interpreter\n    ${lines.slice(0, 5).join("\n    ")}`,
      );
    }
    const kinds = new Set(lines.map(signature));
    const known = `${who.slice(0, 7)} ${signature(lines[0] ?? "")}`;
    if (!options.shrink || shrunk.has(known) || shrunk.size >= SHRUNK) continue;
    shrunk.add(known);
    const start = { policies: batch.policies, settings, request };
    const small = await shrink(start, (finding) => differs(finding, who, kinds), who === "Cerbos" ? 400 : 80);
    const answer = who === "Cerbos" ? (await cerbosAnswer(small)).body : { results: [] };
    await mkdir(options.cases, { recursive: true });
    const path = join(options.cases, `seed-${batch.seed}-${index}.yaml`);
    await writeFile(path, caseOf(small, answer, `seed ${batch.seed}: ${who}: ${lines[0] ?? ""}`));
    console.log(`  made small: ${path}`);
  }
}

const totals = {
  sets: 0,
  requests: 0,
  decisions: 0,
  allowed: 0,
  outputs: 0,
  outputErrors: 0,
  differences: 0,
  disputed: 0,
  pending: 0,
  notStarted: 0,
};
const explained = new Map<string, number>();
const answers = new Map<string, number>();

function add(batch: Batch, result: BatchResult): void {
  totals.sets += 1;
  totals.requests += result.requests;
  totals.decisions += result.decisions;
  totals.allowed += result.allowed;
  totals.outputs += result.outputs;
  totals.outputErrors += result.outputErrors;
  totals.differences += result.differences.length + result.traps;
  totals.disputed += disputes(batch).length;
  totals.pending += batch.disputed.length - disputes(batch).length;
  addCounts(explained, result.explained);
  addCounts(answers, result.answers);
}

function addCounts(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
}

/** Without what edict says it does not support yet. */
function disputes(batch: Batch): Batch["disputed"] {
  return batch.disputed.filter(({ message }) => !message.includes("not supported yet"));
}

/**
 * The binary takes a set as `cerbos compile` and then does not start with it, when folding constants in a definition fails
 * (`dyn(double(optional.of("x").value()))`, docs/differences.md). Such a set is counted and left out; any other error stays one.
 */
function notStarted(error: unknown): undefined {
  const text = String(error);
  if (!/cerbos ended before it was ready[\s\S]*failed to index and purge rules/.test(text)) throw error;
  totals.notStarted += 1;
  console.log(`  Cerbos does not start with a set that it compiles: ${text.trim().split("\n").at(-1)}`);
  return undefined;
}

/** Runs the generator; the exit code. */
export async function runGenerated(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  if (!options.cerbos) console.log(`without Cerbos: ${INSTALL_CERBOS}`);
  for (let seed = options.seed; totals.requests < options.requests; seed += 1) {
    const batch = await makeBatch(seed, options.cerbos);
    const random = new Random(seed ^ 0x5eed);
    const count = Math.min(options.perSet, options.requests - totals.requests);
    const requests = Array.from({ length: count }, () => randomRequest(batch.world, random));
    const result = await checkBatch(batch.policies, batch.settings, requests, options.cerbos).catch(
      notStarted,
    );
    if (result === undefined) continue;
    add(batch, result);
    console.log(
      `--seed ${seed} (${batch.settings.onError}): ${batch.policies.length} policies, ${batch.expressions} expressions, ${result.requests} requests, ` +
        `${result.decisions} decisions, ${result.differences.length} differences, ${disputes(batch).length} disputed; ${totals.requests} requests so far`,
    );
    for (const { expression, refusedBy, message } of disputes(batch).slice(0, SHOWN_PER_SET)) {
      console.log(`  only ${refusedBy} refuses ${expression}\n    ${message}`);
    }
    await report(batch, result.differences, options);
  }
  console.log(JSON.stringify(totals));
  for (const [name, count] of answers) console.log(`${count} answers: ${name}`);
  for (const [name, count] of explained) console.log(`${count} explained: ${name}`);
  return totals.differences + totals.disputed === 0 ? 0 : 1;
}
