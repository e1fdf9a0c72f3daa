/** `edict compile`: policies to a bundle file, or to text that shows what they became. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { readBundle } from "../bundle/bundle-file.ts";
import { commitOf } from "../bundle/git-commit.ts";
import { policyFiles } from "../bundle/manifest.ts";
import { renderDiagnostics, requireDirectory } from "../bundle/policy-source.ts";
import { addSelfTest } from "../bundle/record-self-test.ts";
import { readSignatures } from "../bundle/signature-trailer.ts";
import { loadSigningKey, signBundle, type SigningKey } from "../bundle/signing-key.ts";
import { writeFileAtomically } from "../bundle/write-file.ts";
import { PolicyError, ServeError, UsageError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { CompilePool, type CompileResult, type CompileTask } from "../pool/compile-pool.ts";
import { type Arguments, type Command, EXIT_OK, EXIT_POLICIES, type Io } from "./command.ts";

/** Milliseconds between two signs of life on standard error. */
const PROGRESS_INTERVAL = 2000;

export const compileCommand: Command = {
  name: "compile",
  summary: "check policies and write a bundle",
  usage: "<dir> [-o out.edict] [--sequence <n>] [--sign <key file>] [--print ir|as]",
  options: {
    output: {
      type: "string",
      short: "o",
      value: "<file>",
      help: "write the bundle here; otherwise policies are only checked",
    },
    sequence: {
      type: "string",
      value: "<n>",
      help: "number of this version; daemons never go back to a smaller one",
    },
    sign: {
      type: "string",
      value: "<file>",
      multiple: true,
      help: "sign with this private key (see edict keygen); several add several signatures",
    },
    "no-git": { type: "boolean", help: "do not look for the git commit that the policies are of" },
    "no-self-test": { type: "boolean", help: "record no decisions to test the bundle with before it serves" },
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
    "edict compile policies -o policies.edict --sequence 42 --sign release.private.jwk",
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

    const file = given.text("output");
    const sequence = sequenceFrom(given);
    const keys = await signingKeys(given, file);

    const started = performance.now();
    const gitCommit = given.flag("no-git") ? null : await commitOf(directory);
    const compiled = await compile(
      {
        directory: resolve(directory),
        ignoreSchemas: given.flag("ignore-schemas"),
        stamp: { ...(sequence === null ? {} : { sequence }), ...(gitCommit === null ? {} : { gitCommit }) },
        selfTest: !given.flag("no-self-test"),
        ...(print === undefined ? {} : { print }),
      },
      io,
    );
    const result = { ...compiled, bundle: await finish(compiled, directory, keys) };
    // The commit was true of the files before they were compiled; it has to be of those that were.
    if (gitCommit !== null && (await commitOf(directory)) !== gitCommit) {
      throw new UsageError("the policies were changed while they were compiled, run it again", "compile");
    }
    const elapsed = Math.round(performance.now() - started);
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

/** The compiled bundle with what is added afterwards: recorded decisions and signatures. */
async function finish(
  { bundle, selfTestRequests }: CompileResult,
  directory: string,
  keys: readonly SigningKey[],
): Promise<Uint8Array | null> {
  if (bundle === null) return null;
  const isDirectory = (await stat(directory)).isDirectory();
  const tested =
    selfTestRequests === undefined
      ? bundle
      : await addSelfTest(bundle, isDirectory ? directory : null, selfTestRequests);
  return keys.length === 0 ? tested : signBundle(tested, keys, new Date());
}

function sequenceFrom(given: Arguments): number | null {
  const text = given.text("sequence");
  if (text === undefined) return null;
  const sequence = /^\d{1,16}$/.test(text) ? Number(text) : -1;
  if (Number.isSafeInteger(sequence) && sequence >= 0) return sequence;
  throw new UsageError(`\`--sequence\` must be a whole number, not \`${text}\``, "compile");
}

/** Read before anything is compiled, so that a wrong file name costs no time. */
async function signingKeys(given: Arguments, output: string | undefined): Promise<readonly SigningKey[]> {
  const files = given.texts("sign");
  if (files.length > 0 && output === undefined) {
    throw new UsageError("`--sign` needs `--output`, otherwise nothing is written", "compile");
  }
  return Promise.all(files.map(loadSigningKey));
}

async function writeBundle(file: string, bundle: Uint8Array): Promise<void> {
  try {
    await writeFileAtomically(file, bundle);
  } catch (error) {
    throw new UsageError(`cannot write the bundle: ${oneLine(error)}`, "compile");
  }
}

function summary(result: CompileResult, file: string | undefined): unknown {
  const bundle = result.bundle === null ? null : readBundle(result.bundle);
  return {
    ok: bundle !== null,
    bundle:
      bundle === null
        ? null
        : {
            digest: bundle.digest,
            size: bundle.size,
            file: file ?? null,
            sequence: bundle.manifest.sequence,
            gitCommit: bundle.manifest.gitCommit,
            signatures: readSignatures(bundle).map(({ header }) => header),
          },
    counts: bundle?.manifest.counts ?? null,
    diagnostics: result.diagnostics,
    stats: result.stats,
    ...(result.text === undefined ? {} : { text: result.text }),
  };
}
