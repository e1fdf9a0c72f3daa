/** `edict compile`: policies to a bundle file, or to text that shows what they became. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readBundle } from "../bundle/bundle-file.ts";
import { policyFiles } from "../bundle/manifest.ts";
import { renderDiagnostics, requireDirectory } from "../bundle/policy-source.ts";
import { PolicyError, ServeError, UsageError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { CompilePool, type CompileResult, type CompileTask } from "../pool/compile-pool.ts";
import { type Command, EXIT_OK, EXIT_POLICIES, type Io } from "./command.ts";

/** Milliseconds between two signs of life on standard error. */
const PROGRESS_INTERVAL = 2000;

export const compileCommand: Command = {
  name: "compile",
  summary: "check policies and write a bundle",
  usage: "<dir> [-o out.edict] [--print ir|as]",
  options: {
    output: {
      type: "string",
      short: "o",
      value: "<file>",
      help: "write the bundle here; otherwise policies are only checked",
    },
    print: {
      type: "string",
      value: "<form>",
      help: "print the decision program (ir) or the AssemblyScript (as)",
    },
    "ignore-schemas": { type: "boolean", help: "schemas that cannot be loaded are warnings" },
    json: { type: "boolean", help: "print result and diagnostics as JSON" },
  },
  examples: [
    "edict compile policies",
    "edict compile policies -o policies.edict",
    "edict compile policies --print as | less",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const [directory = ""] = given.positionals;
    const print = given.text("print");
    if (print !== undefined && print !== "ir" && print !== "as") {
      throw new UsageError(`\`--print\` must be ir or as, not \`${print}\``, "compile");
    }
    await requireDirectory(directory).catch((error: unknown) => {
      throw error instanceof ServeError ? new UsageError(error.message, "compile") : error;
    });

    const started = performance.now();
    const result = await compile(
      {
        directory: resolve(directory),
        ignoreSchemas: given.flag("ignore-schemas"),
        ...(print === undefined ? {} : { print }),
      },
      io,
    );
    const elapsed = Math.round(performance.now() - started);
    const file = given.text("output");
    if (result.bundle !== null && file !== undefined) await writeBundle(file, result.bundle);

    if (given.flag("json")) {
      io.stdout(`${JSON.stringify(summary(result, file), null, 2)}\n`);
      return result.bundle === null ? EXIT_POLICIES : EXIT_OK;
    }
    const rendered = renderDiagnostics(result.diagnostics, result.rendered);
    if (result.bundle === null) throw new PolicyError(result.diagnostics, rendered);
    if (rendered !== "") io.stderr(`${rendered}\n`);
    if (result.text !== undefined) {
      io.stdout(result.text.endsWith("\n") ? result.text : `${result.text}\n`);
    } else {
      const bundle = readBundle(result.bundle);
      const where = file === undefined ? "" : `, written to ${file} (${bundle.size} bytes)`;
      const files = policyFiles(bundle.manifest);
      io.stdout(`${files} policy files are valid: bundle ${bundle.shortDigest}${where}, ${elapsed} ms\n`);
    }
    return EXIT_OK;
  },
};

async function compile(task: CompileTask, io: Io): Promise<CompileResult> {
  const pool = new CompilePool();
  const started = performance.now();
  const progress = setInterval(() => {
    io.stderr(`edict: compiling, ${Math.round((performance.now() - started) / 1000)} s so far\n`);
  }, PROGRESS_INTERVAL);
  try {
    return await pool.compile(task);
  } finally {
    clearInterval(progress);
    await pool.close();
  }
}

async function writeBundle(file: string, bundle: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bundle);
  } catch (error) {
    throw new UsageError(`cannot write the bundle: ${oneLine(error)}`, "compile");
  }
}

function summary(result: CompileResult, file: string | undefined): unknown {
  const bundle = result.bundle === null ? null : readBundle(result.bundle);
  return {
    ok: bundle !== null,
    bundle: bundle === null ? null : { digest: bundle.digest, size: bundle.size, file: file ?? null },
    counts: bundle?.manifest.counts ?? null,
    diagnostics: result.diagnostics,
    stats: result.stats,
    ...(result.text === undefined ? {} : { text: result.text }),
  };
}
