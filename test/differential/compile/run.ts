/**
 * `npm run differential -- --compile [--requests N] [--seed S] [--only NAME] [--level L] [--keep DIR] [--jobs J]`
 *
 * N policy sets, broken at random, before edict's compiler and `cerbos compile`: do both accept or refuse, and do they
 * find the same things in the same places? Set number i is made from seed S + i, so that `--seed X --requests 1` repeats
 * one. Disagreements of level L and above are shown (`verdict`, `file`, `kind`, `place`), the sets kept in DIR. Exit
 * code 1 when there is one that is no documented difference (documented.ts).
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { plan } from "../../../compiler/index.ts";
import { findCerbos, INSTALL_CERBOS } from "../../support/cerbos.ts";
import { Random } from "../random.ts";
import { cerbosVerdict, writeSet } from "./cerbos-verdict.ts";
import { type Disagreement, disagreement, type Level } from "./compare-verdicts.ts";
import { documented } from "./documented.ts";
import { edictVerdict } from "./edict-verdict.ts";
import { mutateSet } from "./mutate-set.ts";
import { type Files, type NamedSet, policySets } from "./sets.ts";

const LEVELS: readonly Level[] = ["verdict", "file", "kind", "place"];

const OPTIONS = {
  compile: { type: "boolean" },
  requests: { type: "string", default: "500" },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  only: { type: "string", default: "" },
  level: { type: "string", default: "place" },
  keep: { type: "string" },
  jobs: { type: "string", default: "2" },
  unchanged: { type: "boolean", default: false },
} as const;

const counts = { sets: 0, accepted: 0, refused: 0, documented: 0 };
const found = new Map<string, number>();

/** Runs the comparison; the exit code. */
export async function runCompile(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const binary = findCerbos();
  if (binary === undefined) {
    console.log(INSTALL_CERBOS);
    return 1;
  }
  const sets = policySets().filter(({ name }) => name.includes(values.only));
  const total = values.unchanged ? sets.length : Number(values.requests);
  console.log(`${total} policy sets from ${sets.length}, --seed ${values.seed}`);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let turn = next++; turn < total; turn = next++) {
      const seed = Number(values.seed) + turn;
      const { name, files } = values.unchanged ? theSet(sets, turn) : brokenSet(sets, seed);
      const result = await compareBoth(binary, files);
      if (result === undefined) continue;
      found.set(result.level, (found.get(result.level) ?? 0) + 1);
      if (LEVELS.indexOf(result.level) > LEVELS.indexOf(values.level as Level)) continue;
      console.log(`--seed ${seed} (${name}), ${result.level}\n  ${result.lines.slice(0, 12).join("\n  ")}`);
      if (values.keep !== undefined) await keep(join(values.keep, String(seed)), files);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  console.log(JSON.stringify({ ...counts, ...Object.fromEntries(found) }));
  return found.size === 0 ? 0 : 1;
}

function theSet(sets: readonly NamedSet[], index: number): NamedSet {
  const set = sets[index % sets.length];
  if (set === undefined) throw new Error("there are no policy sets");
  return set;
}

function brokenSet(sets: readonly NamedSet[], seed: number): NamedSet {
  const random = new Random(seed);
  valid ??= sets.filter(({ files }) => isValid(files));
  const pool = valid.length > 0 && random.chance(VALID_SHARE) ? valid : sets;
  const { name, files } = theSet(pool, random.below(pool.length));
  return { name, files: mutateSet(files, random) };
}

/** What is wrong already hides most of what a change does, so most sets start valid. */
const VALID_SHARE = 0.8;
let valid: readonly NamedSet[] | undefined;

function isValid(files: Files): boolean {
  const sources = [...files].map(([path, text]) => ({ path, text }));
  return plan(sources).diagnostics.every(({ severity }) => severity !== "error");
}

async function compareBoth(binary: string, files: Files): Promise<Disagreement | undefined> {
  const directory = await writeSet(files);
  try {
    const [cerbos, edict] = await Promise.all([cerbosVerdict(binary, files), edictVerdict(directory)]);
    counts.sets += 1;
    counts[cerbos.accepted ? "accepted" : "refused"] += 1;
    const result = disagreement(cerbos, edict);
    if (result === undefined || documented(files, cerbos, edict) === undefined) return result;
    counts.documented += 1;
    return undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function keep(directory: string, files: Files): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}
