/**
 * An engine inside somebody else's process whose policies change while it decides: the library's form of what the daemon does on its
 * serving threads. A version is prepared beside the one that serves, passing the same tests as in the daemon, and then serves from
 * one assignment on; whoever asks for `engine` decides wholly by one version. Whatever fails leaves the old version in place. A
 * program with several threads prepares on each of them, and commits once all are ready.
 */
import {
  type Acceptance,
  type AcceptedBundle,
  MemorySequenceStore,
  prepareBundle,
} from "../bundle/accept.ts";
import { BundleError } from "../errors.ts";
import type { Engine, LoadOptions } from "./engine.ts";

/** A version that is ready to serve. */
export interface PreparedVersion {
  /** Full digest of its bundle. */
  readonly digest: string;
  /** Makes it serve. Throws `BundleError` when a newer one has come to serve meanwhile; then nothing has changed. */
  commit(): void;
}

export class LiveEngine {
  readonly #acceptance: Acceptance;
  readonly #sequences: MemorySequenceStore;
  #engine: Engine;

  /** Rejects with `BundleError` or `EngineError`. */
  static async load(file: Uint8Array, { verifyKeys, ...engine }: LoadOptions = {}): Promise<LiveEngine> {
    const sequences = new MemorySequenceStore();
    const acceptance: Acceptance = { engine, verifyKeys: verifyKeys ?? null, sequences };
    const first = await prepareBundle(file, acceptance);
    return new LiveEngine(acceptance, sequences, first);
  }

  private constructor(acceptance: Acceptance, sequences: MemorySequenceStore, first: AcceptedBundle) {
    this.#acceptance = acceptance;
    this.#sequences = sequences;
    this.#engine = first.engine;
    this.#note(first);
  }

  /** What serves at this moment. Take it once per request, and not across an `await` during which it may have been replaced. */
  get engine(): Engine {
    return this.#engine;
  }

  /** Makes a version ready. Rejects with `BundleError`, also when it is older than one that has served, or `EngineError`. */
  async prepare(file: Uint8Array): Promise<PreparedVersion> {
    const prepared = await prepareBundle(file, this.#acceptance);
    const { digest, shortDigest, manifest } = prepared.bundle;
    return {
      digest,
      commit: () => {
        const highest = this.#sequences.highest();
        if (highest !== null && (manifest.sequence ?? -1) < highest) {
          throw new BundleError(`bundle ${shortDigest} is older than one that has come to serve meanwhile`, {
            code: "EDICT_BUNDLE_ROLLBACK",
          });
        }
        this.#engine = prepared.engine;
        this.#note(prepared);
      },
    };
  }

  /** Prepares a version and makes it serve. Rejects as `prepare` does, and then nothing has changed. */
  async swap(file: Uint8Array): Promise<void> {
    const prepared = await this.prepare(file);
    prepared.commit();
  }

  #note({ bundle }: AcceptedBundle): void {
    const { sequence } = bundle.manifest;
    // In memory, so it is noted when the call returns.
    if (sequence !== null) void this.#sequences.accept(sequence);
  }
}
