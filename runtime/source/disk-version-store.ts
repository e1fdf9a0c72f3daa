/**
 * Versions in a directory, for the next start:
 *
 *   lock              which process uses the directory
 *   state.json        the highest sequence and which versions are kept, newest first; replaced as a whole
 *   <digest>.edict    the bytes of one version, written before state.json names it
 *
 * So at every instant the directory says either the old or the new state. Damage is found (a checksum here, the digests and signatures
 * of bundles when they are accepted), reported and ignored, never used. When state.json is lost, the bundles themselves say what they are.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { readBundle } from "../bundle/bundle-file.ts";
import { StateError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import { flushDirectory, readBounded, removeTemporaries, writeDurably } from "./durable-file.ts";
import { MAX_BUNDLE_SIZE } from "./source.ts";
import { lockDirectory } from "./state-lock.ts";
import { KEPT_VERSIONS, type KeptVersion, type VersionStore } from "./version-store.ts";

const STATE_FILE = "state.json";

/** Largest state file in bytes. */
const MAX_STATE_SIZE = 64 * 1024;

const BUNDLE_FILE = /^([\da-f]{64})\.edict$/;

interface State {
  readonly highest: number | null;
  readonly versions: readonly KeptVersion[];
}

interface Unsaved {
  readonly version: KeptVersion;
  readonly file: Uint8Array;
}

export class DiskVersionStore implements VersionStore {
  readonly directory: string;
  onProblem: () => void = () => undefined;
  #state: State;
  #problem: string | null = null;
  /** What serves but is not on disk. */
  #unsaved: Unsaved | null = null;
  /** Whether the state in memory is not the one on disk. */
  #dirty = false;
  /** Ends when no write is under way. */
  #quiet: Promise<void> = Promise.resolve();

  /** Opens the directory and makes it when it is missing. Throws `StateError` when it cannot be used or others may write to it. */
  static async open(directory: string): Promise<DiskVersionStore> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const facts = await stat(directory);
      if (!facts.isDirectory()) throw new Error("it is not a directory");
      if ((facts.mode & 0o022) !== 0) throw new Error("others than its owner may write to it");
      await lockDirectory(directory);
      // Not before: they may be what another process is just writing.
      await removeTemporaries(directory);
    } catch (error) {
      if (error instanceof StateError) throw error;
      throw new StateError(`the state directory \`${directory}\` cannot be used: ${oneLine(error)}`, {
        cause: error,
      });
    }
    return new DiskVersionStore(directory, await readState(directory));
  }

  private constructor(directory: string, state: State) {
    this.directory = directory;
    this.#state = state;
  }

  get problem(): string | null {
    return this.#problem;
  }

  highest(): number | null {
    return this.#state.highest;
  }

  versions(): readonly KeptVersion[] {
    return this.#state.versions;
  }

  async accept(sequence: number): Promise<void> {
    if (this.#state.highest !== null && sequence <= this.#state.highest) return;
    // In memory first: a disk that is full must not open the way back.
    this.#state = { ...this.#state, highest: sequence };
    this.#dirty = true;
    await this.mend();
  }

  async read(digest: string): Promise<Uint8Array | null> {
    if (this.#unsaved?.version.digest === digest) return this.#unsaved.file;
    try {
      return await readBounded(this.directory, `${digest}.edict`, MAX_BUNDLE_SIZE);
    } catch (error) {
      log(`the kept bundle ${digest.slice(0, 12)} cannot be read and is ignored: ${oneLine(error)}`);
      return null;
    }
  }

  async keep(
    { digest, sequence }: { readonly digest: string; readonly sequence: number | null },
    file: Uint8Array,
  ): Promise<void> {
    this.#unsaved = { version: { digest, sequence, at: new Date().toISOString() }, file };
    await this.mend();
  }

  mend(): Promise<void> {
    this.#quiet = this.#quiet.then(() => this.#save());
    return this.#quiet;
  }

  async #save(): Promise<void> {
    const unsaved = this.#unsaved;
    if (unsaved === null && !this.#dirty) return;
    const before = this.#problem;
    try {
      if (unsaved !== null) await this.#saveVersion(unsaved);
      else await this.#writeState(this.#state);
      if (this.#problem !== null) log(`the state directory \`${this.directory}\` can be written to again`);
      this.#problem = null;
    } catch (error) {
      const problem = `the bundle that serves could not be kept in \`${this.directory}\`: ${reasonOf(error)}`;
      if (problem !== this.#problem) log(problem);
      this.#problem = problem;
    }
    if (this.#problem !== before) this.onProblem();
  }

  async #saveVersion(unsaved: Unsaved): Promise<void> {
    const { version, file } = unsaved;
    await writeDurably(this.directory, `${version.digest}.edict`, file);
    const others = this.#state.versions.filter(({ digest }) => digest !== version.digest);
    // The sequence goes with the bundle in one write, so that a crash never leaves a kept bundle that is older than the highest.
    const highest =
      version.sequence === null ? this.#state.highest : Math.max(this.#state.highest ?? 0, version.sequence);
    const next = { highest, versions: [version, ...others].slice(0, KEPT_VERSIONS) };
    await this.#writeState(next);
    if (this.#unsaved === unsaved) this.#unsaved = null;
    await this.#removeOthers();
  }

  async #writeState(state: State): Promise<void> {
    await writeDurably(this.directory, STATE_FILE, stateText(state));
    // What was accepted meanwhile is higher, and still to be written.
    const highest = Math.max(state.highest ?? -1, this.#state.highest ?? -1);
    this.#dirty = highest !== (state.highest ?? -1);
    this.#state = { highest: highest < 0 ? null : highest, versions: state.versions };
  }

  /** Removes bundles that are not named any more; that one stays behind is no harm. */
  async #removeOthers(): Promise<void> {
    const named = new Set(this.#state.versions.map(({ digest }) => digest));
    try {
      for (const name of await readdir(this.directory)) {
        const digest = BUNDLE_FILE.exec(name)?.[1];
        if (digest !== undefined && !named.has(digest)) await rm(join(this.directory, name), { force: true });
      }
      await flushDirectory(this.directory);
    } catch {
      // The next version tries again.
    }
  }
}

/** The state that `directory` holds; damage is logged and costs what it has damaged. */
async function readState(directory: string): Promise<State> {
  try {
    const bytes = await readBounded(directory, STATE_FILE, MAX_STATE_SIZE);
    if (bytes !== null) return parseState(bytes.toString("utf8"));
    if ((await bundlesIn(directory)).length === 0) return { highest: null, versions: [] };
    log(`\`${join(directory, STATE_FILE)}\` is missing; going by the bundles beside it`);
  } catch (error) {
    log(
      `\`${join(directory, STATE_FILE)}\` is damaged and ignored (${oneLine(error)}); going by the bundles beside it`,
    );
  }
  const versions = await findVersions(directory);
  return { highest: null, versions };
}

/** What went wrong, without the name of the temporary file, which is another one every time. */
function reasonOf(error: unknown): string {
  return oneLine(error).replace(/, \w+ '.*$/, "");
}

/** `state.json`: a checksum line, then the state. */
function stateText(state: State): string {
  const text = JSON.stringify({ format: 1, ...state });
  return `${createHash("sha256").update(text).digest("hex")}\n${text}\n`;
}

function parseState(content: string): State {
  const [checksum = "", text = ""] = content.split("\n");
  if (createHash("sha256").update(text).digest("hex") !== checksum) throw new Error("wrong checksum");
  const state = JSON.parse(text) as {
    readonly format?: unknown;
    readonly highest?: unknown;
    readonly versions?: unknown;
  };
  if (state.format !== 1) throw new Error(`unknown format ${String(state.format)}`);
  const highest = state.highest ?? null;
  if (highest !== null && !(Number.isSafeInteger(highest) && Number(highest) >= 0)) {
    throw new Error("`highest` is not a whole number");
  }
  if (!Array.isArray(state.versions)) throw new Error("`versions` is not a list");
  return {
    highest: highest === null ? null : Number(highest),
    versions: (state.versions as readonly unknown[]).map(parseVersion),
  };
}

function parseVersion(value: unknown): KeptVersion {
  const { digest, sequence, at } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof digest !== "string" || !/^[\da-f]{64}$/.test(digest)) throw new Error("a digest is wrong");
  if (sequence !== null && !Number.isSafeInteger(sequence)) throw new Error("a sequence is wrong");
  return { digest, sequence: sequence === null ? null : Number(sequence), at: String(at) };
}

/** The bundles in `directory` by what they say themselves, highest sequence first. */
async function findVersions(directory: string): Promise<KeptVersion[]> {
  const found: KeptVersion[] = [];
  for (const digest of await bundlesIn(directory)) {
    try {
      const name = `${digest}.edict`;
      const bytes = await readBounded(directory, name, MAX_BUNDLE_SIZE);
      if (bytes === null) continue;
      const { mtime } = await stat(join(directory, name));
      const bundle = readBundle(bytes);
      found.push({ digest: bundle.digest, sequence: bundle.manifest.sequence, at: mtime.toISOString() });
    } catch (error) {
      log(`the kept bundle ${digest.slice(0, 12)} is damaged and ignored: ${oneLine(error)}`);
    }
  }
  found.sort(
    (left, right) => (right.sequence ?? -1) - (left.sequence ?? -1) || (left.at < right.at ? 1 : -1),
  );
  return found.slice(0, KEPT_VERSIONS);
}

async function bundlesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).flatMap((name) => BUNDLE_FILE.exec(name)?.[1] ?? []);
}
