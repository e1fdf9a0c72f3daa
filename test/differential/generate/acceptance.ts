/**
 * Which expressions may stand in a policy, in the opinion of edict's compiler and of `cerbos compile`: each expression is
 * the condition of a rule of its own. What one takes and the other refuses is a difference.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SourceFile } from "../../../compiler/load/index.ts";
import { findCerbos } from "../../support/cerbos.ts";
import { programOf } from "../../support/programs.ts";

export interface Acceptance {
  /** Expressions that everybody asked takes. */
  readonly accepted: readonly string[];
  /** What edict takes and Cerbos refuses, or the other way round, with the refusal. */
  readonly disputed: readonly {
    readonly expression: string;
    readonly refusedBy: string;
    readonly message: string;
  }[];
}

const MAX_OUTPUT = 256 * 1024 * 1024;

/** Rules of one policy; Cerbos compiles the imported variables once per policy. */
const RULES = 40;

/** Tries every expression; `shared` are policies that the expressions' policies import from. */
export async function acceptance(
  expressions: readonly string[],
  shared: readonly SourceFile[],
  imports: object,
  withCerbos: boolean,
): Promise<Acceptance> {
  const files: SourceFile[] = [];
  for (let at = 0; at < expressions.length; at += RULES) {
    files.push(fileOf(expressions.slice(at, at + RULES), files.length, imports));
  }
  const ours = refusedByEdict([...shared, ...files]);
  const theirs = withCerbos ? await refusedByCerbos([...shared, ...files]) : ours;
  const places = expressions.map((_, index) => placeOf(`e${Math.floor(index / RULES)}.json`, index % RULES));
  const disputed = expressions.flatMap((expression, index) => {
    const place = places[index] ?? "";
    const [here, there] = [ours.get(place), theirs.get(place)];
    if (here !== undefined && there === undefined) return [{ expression, refusedBy: "edict", message: here }];
    return here === undefined && there !== undefined
      ? [{ expression, refusedBy: "Cerbos", message: there }]
      : [];
  });
  const known = new Set(places);
  for (const place of [...ours.keys(), ...theirs.keys()]) {
    if (!known.has(place)) throw new Error(`refused at ${place}: ${ours.get(place) ?? theirs.get(place)}`);
  }
  const accepted = expressions.filter((_, index) => {
    const place = places[index] ?? "";
    return !ours.has(place) && !theirs.has(place);
  });
  return { accepted, disputed };
}

function placeOf(file: string, rule: number | string): string {
  return `${file}#${rule}`;
}

function fileOf(expressions: readonly string[], index: number, imports: object): SourceFile {
  const rules = expressions.map((expr) => ({
    actions: ["a"],
    roles: ["r"],
    effect: "EFFECT_ALLOW",
    condition: { match: { expr } },
  }));
  const policy = { resource: `e${index}`, version: "default", ...imports, rules };
  return {
    path: `e${index}.json`,
    text: JSON.stringify({ apiVersion: "api.cerbos.dev/v1", resourcePolicy: policy }, null, 1),
  };
}

/** The rule that a path of the document lies in; the path itself elsewhere. */
function ruleOf(path: string): string {
  return /\.rules\[(\d+)\]/.exec(path)?.[1] ?? path;
}

function refusedByEdict(sources: readonly SourceFile[]): ReadonlyMap<string, string> {
  const errors = programOf(sources).diagnostics.filter(({ severity }) => severity === "error");
  return new Map(
    errors.map(({ place, message }) => [placeOf(place.file, ruleOf(place.path ?? "")), message] as const),
  );
}

async function refusedByCerbos(sources: readonly SourceFile[]): Promise<ReadonlyMap<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), "edict-generated-"));
  try {
    for (const { path, text } of sources) await writeFile(join(directory, path), text);
    const output = await compileWithCerbos(directory);
    return new Map(
      output.map(
        ({ file, description, error, position }) =>
          [placeOf(file, ruleOf(position?.path ?? "")), description ?? error] as const,
      ),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface CompileError {
  readonly file: string;
  readonly error: string;
  readonly description?: string;
  readonly position?: { readonly path?: string };
}

function compileWithCerbos(directory: string): Promise<readonly CompileError[]> {
  const binary = findCerbos() ?? "";
  return new Promise((resolve, reject) => {
    execFile(
      binary,
      ["compile", "--output=json", directory],
      { maxBuffer: MAX_OUTPUT },
      (_, stdout, stderr) => {
        if (stdout.trim() === "") return stderr.trim() === "" ? resolve([]) : reject(new Error(stderr));
        try {
          const report: { readonly compileErrors?: { readonly errors: readonly CompileError[] } } =
            JSON.parse(stdout);
          return resolve(report.compileErrors?.errors ?? []);
        } catch {
          return reject(new Error(stdout + stderr));
        }
      },
    );
  });
}
