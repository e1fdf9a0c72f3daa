/**
 * `cerbos compile` on a set of files: whether it accepts them, and what it says is wrong, as findings that can be compared.
 * Runs the binary without the tests of the set.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Files } from "./sets.ts";

/** One thing that is wrong. */
export interface Finding {
  /** Kind in Cerbos's words. */
  readonly kind: string;
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
  /** What it is about, where the place says too little: a missing policy, a scope. */
  readonly about?: string;
  /** For people only. */
  readonly text: string;
}

export interface Verdict {
  readonly accepted: boolean;
  /** Cerbos stops after the index when that has errors: then nothing is known about the rest. */
  readonly stage: "index" | "compile";
  readonly findings: readonly Finding[];
}

interface Position {
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}

interface LintErrors {
  readonly load_failures?: readonly {
    readonly file: string;
    readonly error: string;
    readonly error_details?: { readonly kind?: number; readonly position?: Position };
  }[];
  readonly duplicate_defs?: readonly {
    readonly file: string;
    readonly other_file: string;
    readonly policy: string;
    readonly position?: Position;
  }[];
  readonly missing_imports?: readonly {
    readonly importing_file: string;
    readonly desc: string;
    readonly position?: Position;
  }[];
  readonly missing_scope_details?: readonly {
    readonly missing_policy: string;
    readonly descendants: readonly string[];
  }[];
  readonly scope_permissions_conflicts?: readonly { readonly scope?: string }[];
}

interface Output {
  readonly lintErrors?: LintErrors;
  readonly compileErrors?: {
    readonly errors: readonly {
      readonly file: string;
      readonly error: string;
      readonly description?: string;
      readonly position?: Position;
    }[];
  };
}

/** Long enough for a loaded machine. */
const TIMEOUT_MS = 120_000;

/** Writes a set to a new directory; the caller removes it. */
export async function writeSet(files: Files): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "edict-set-"));
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

/** What the binary says. Rejects when it does not end, or prints what is no verdict. */
export async function cerbosVerdict(binary: string, files: Files): Promise<Verdict> {
  const directory = await writeSet(files);
  try {
    const { code, stdout, stderr } = await run(binary, [
      "compile",
      "--skip-tests",
      "--output=json",
      directory,
    ]);
    if (code === 0) return { accepted: true, stage: "compile", findings: [] };
    if (!stdout.trim().startsWith("{")) {
      const text = (stderr || stdout).trim();
      return { accepted: false, stage: "index", findings: [{ kind: "other", file: "", text }] };
    }
    const output: Output = JSON.parse(stdout);
    return output.lintErrors === undefined
      ? { accepted: false, stage: "compile", findings: compileFindings(output) }
      : { accepted: false, stage: "index", findings: indexFindings(output.lintErrors) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a program to its end, whatever its exit code. */
export function run(
  program: string,
  given: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, CERBOS_NO_TELEMETRY: "1", GOMAXPROCS: "2" };
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024, env };
    execFile(program, [...given], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") resolve({ code, stdout, stderr });
      // Some files keep the binary busy for ever.
      else if (error?.killed === true) resolve({ code: -1, stdout, stderr: "goroutine without an end" });
      else reject(error ?? new Error("it did not end"));
    });
  });
}

function compileFindings({ compileErrors }: Output): readonly Finding[] {
  return (compileErrors?.errors ?? []).map(({ file, error, description = "", position }) => {
    const at: Position = position ?? {};
    return Object.assign({ kind: error, file, text: description }, at);
  });
}

const LOAD_KINDS = ["load failure", "parse error", "validation error"];

function indexFindings(errors: LintErrors): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { file, error, error_details: details } of errors.load_failures ?? []) {
    findings.push({
      kind: LOAD_KINDS[details?.kind ?? 0] ?? "load failure",
      file,
      ...details?.position,
      text: error,
    });
  }
  for (const { file, other_file, policy, position } of errors.duplicate_defs ?? []) {
    findings.push({ kind: "duplicate", file, ...position, about: policy, text: `also in ${other_file}` });
  }
  for (const { importing_file: file, desc, position } of errors.missing_imports ?? []) {
    findings.push({ kind: "missing import", file, ...position, text: desc });
  }
  for (const { missing_policy: about, descendants } of errors.missing_scope_details ?? []) {
    findings.push({ kind: "missing scope", file: "", about, text: descendants.join(", ") });
  }
  for (const { scope = "" } of errors.scope_permissions_conflicts ?? []) {
    findings.push({ kind: "scope permissions", file: "", about: scope, text: "" });
  }
  const known = new Set([
    "load_failures",
    "duplicate_defs",
    "missing_imports",
    "missing_scopes",
    "missing_scope_details",
    "scope_permissions_conflicts",
  ]);
  for (const other of Object.keys(errors).filter((key) => !known.has(key))) {
    findings.push({ kind: other, file: "", text: JSON.stringify(errors[other as keyof LintErrors]) });
  }
  return findings;
}
