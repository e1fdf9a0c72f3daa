/** Gets bundle bytes from wherever the configuration says: a bundle file, or a directory compiled in a worker. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { PolicySource } from "../config/config.ts";
import { BundleError, PolicyError, ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import type { CompilePool, CompileTask } from "../pool/compile-pool.ts";
import { type Diagnostic, formatDiagnostic } from "../pool/diagnostic.ts";
import { sourceName } from "../source/location.ts";
import { MAX_BUNDLE_SIZE } from "../source/source.ts";

export interface LoadedPolicies {
  readonly bundle: Uint8Array;
  /** Diagnostics that do not stop anything, rendered; empty when there are none. */
  readonly warnings: string;
}

/**
 * Loads or compiles. Throws `PolicyError` for policies with errors, `BundleError` for an unreadable file.
 * @param ignoreSchemas whether schemas that cannot be loaded are warnings, as they must be where schemas may not be
 * enforced; where they are, requests that need one are refused
 */
export async function loadPolicies(
  source: PolicySource,
  compiler: CompilePool,
  ignoreSchemas = true,
): Promise<LoadedPolicies> {
  if (source.kind === "bundle") return { bundle: await readBundleFile(source.file), warnings: "" };
  if (source.kind !== "directory") {
    throw new ServeError(
      "EDICT_POLICIES_NOT_FOUND",
      `only \`edict serve\` gets bundles from \`${sourceName(source)}\``,
    );
  }
  const loaded = await compileDirectory(source, compiler, ignoreSchemas);
  // Only said when asked for.
  if (loaded === "unchanged")
    throw new ServeError("EDICT_POLICIES_NOT_FOUND", "the policies were not compiled");
  return loaded;
}

/** What is known about the directory since it was compiled last; matters only to a compiler that remembers. */
export type CompileHint = Pick<CompileTask, "changedFiles" | "onlyIfChanged">;

/** Compiles a directory. Throws `PolicyError`, or `ServeError` when there is none; `unchanged` only where the hint asks for it. */
export async function compileDirectory(
  source: PolicySource & { readonly kind: "directory" },
  compiler: CompilePool,
  ignoreSchemas: boolean,
  hint: CompileHint = {},
): Promise<LoadedPolicies | "unchanged"> {
  await requireDirectory(source.directory);
  const { bundle, diagnostics, rendered, unchanged } = await compiler.compile({
    directory: resolve(source.directory),
    ignoreSchemas,
    remember: source.watch,
    ...hint,
  });
  if (unchanged === true) return "unchanged";
  const text = renderDiagnostics(diagnostics, rendered);
  if (bundle === null) throw new PolicyError(diagnostics, text);
  return { bundle, warnings: text };
}

/** Files that the compiler reads as a policy directory (COMPAT.md section 1). */
const ARCHIVE = /\.(?:zip|tar|tar\.gz|tgz)$/;

/** Fails with `ServeError` when the policies cannot be there: neither a directory nor an archive of one. */
export async function requireDirectory(directory: string): Promise<void> {
  const facts = await stat(directory).catch(() => null);
  if (facts?.isDirectory() === true || (facts?.isFile() === true && ARCHIVE.test(directory))) return;
  const reason = facts === null ? "does not exist" : "is not a directory";
  throw new ServeError("EDICT_POLICIES_NOT_FOUND", `policy directory \`${directory}\` ${reason}`);
}

/** Reads a bundle file whole. Throws `BundleError`. */
export async function readBundleFile(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BUNDLE_SIZE) {
      throw new BundleError(`\`${file}\` is larger than a bundle may be`, {
        code: "EDICT_BUNDLE_TOO_LARGE",
      });
    }
    return await readFile(file);
  } catch (error) {
    if (error instanceof BundleError) throw error;
    throw new BundleError(oneLine(error), { cause: error, code: "EDICT_BUNDLE_UNREADABLE" });
  }
}

/** The worker's rendering, or one line per diagnostic. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], rendered: string | undefined): string {
  if (diagnostics.length === 0) return "";
  return rendered === undefined || rendered === "" ? diagnostics.map(formatDiagnostic).join("\n") : rendered;
}
