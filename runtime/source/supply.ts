/**
 * Everything a daemon needs to have the newest version and to do without its source, made of the configuration: the source, what its
 * bundles have to be like, what is kept of them, and how long they count as new. `first` gives the version to start with, `follow` keeps it
 * up to date.
 */
import type { Acceptance, AcceptedBundle } from "../bundle/accept.ts";
import { MemorySequenceStore } from "../bundle/accept.ts";
import { firstVersion } from "../bundle/first-version.ts";
import { SectionDigests } from "../bundle/section-digests.ts";
import { Reloader, type VersionFollower } from "../bundle/reloader.ts";
import { VerifyKeys } from "../bundle/signature.ts";
import type { Config } from "../config/config.ts";
import type { EngineOptions } from "../guest/options.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import type { CompilePool } from "../pool/compile-pool.ts";
import type { ServingThreads } from "../threads/serving-threads.ts";
import { ConfirmationFile } from "./confirmation-file.ts";
import { DiskVersionStore } from "./disk-version-store.ts";
import { Freshness } from "./freshness.ts";
import { openSource } from "./open-source.ts";
import type { BundleOptions } from "./options.ts";
import type { BundleSource } from "./source.ts";
import { MemoryVersionStore, type VersionStore } from "./version-store.ts";

/** The value of `Edict-Deny-Reason` once the newest version has been unconfirmed for too long. */
const STALE = "stale";

export class Supply {
  readonly source: BundleSource;
  readonly store: VersionStore;
  /** What every bundle has to be like; the shadow's too. */
  readonly acceptance: Acceptance;
  readonly #options: BundleOptions;
  readonly #freshness: Freshness;
  readonly #confirmations: ConfirmationFile | null;
  #failure: unknown = null;
  #changed: () => void;
  #missed = false;
  readonly #unwatch: () => void;
  #reloader: Reloader | null = null;

  /** Begins to watch the source. Throws `EdictError`s for keys or a state directory that cannot be used. */
  static async open(
    config: Config,
    engine: EngineOptions,
    compiler: CompilePool,
    shared: boolean,
  ): Promise<Supply> {
    const { stateDir, verifyKeys, allowRollbackTo } = config.bundle;
    // Policies that are compiled here have neither signatures nor sequences.
    const isOwn = config.policies.kind === "directory";
    const keys = isOwn || verifyKeys.length === 0 ? null : await VerifyKeys.load(verifyKeys);
    const store = stateDir === null ? new MemoryVersionStore() : await DiskVersionStore.open(stateDir);
    const acceptance: Acceptance = {
      engine,
      verifyKeys: keys,
      sequences: isOwn ? new MemorySequenceStore() : store,
      mayRollBackTo: (digest) => allowRollbackTo !== null && digest.startsWith(allowRollbackTo),
      shared,
      digests: new SectionDigests(),
    };
    const source = await openSource(config.policies, config.bundle, compiler);
    return new Supply(source, store, acceptance, config.bundle);
  }

  private constructor(
    source: BundleSource,
    store: VersionStore,
    acceptance: Acceptance,
    options: BundleOptions,
  ) {
    this.source = source;
    this.store = store;
    this.acceptance = acceptance;
    this.#options = options;
    this.#freshness = new Freshness(options);
    const counts = options.staleAfterMs !== null || options.failClosedAfterMs !== null;
    this.#confirmations = counts && options.stateDir !== null ? new ConfirmationFile(options.stateDir) : null;
    this.#freshness.onConfirm = () => this.#confirmations?.note();
    this.#changed = () => {
      this.#missed = true;
    };
    // Before the first version is fetched, so that no change goes unseen.
    this.#unwatch = source.watch(() => this.#changed());
  }

  /** Why what serves may not be the newest version; null when it is, as far as is known. */
  get stale(): string | null {
    const { state } = this.#freshness;
    if (state === "fresh") return null;
    const { staleAfterMs, failClosedAfterMs } = this.#options;
    const limit = state === "expired" ? failClosedAfterMs : staleAfterMs;
    const rest = state === "expired" ? "; everything is denied" : "";
    return `stale: \`${this.source.name}\` has not confirmed the newest version for more than ${(limit ?? 0) / 1000} s${rest}`;
  }

  /** Milliseconds since the source last confirmed that what serves is the newest version. */
  get unconfirmedMs(): number {
    return this.#freshness.ageMs;
  }

  /** The version to start with; not one that was set aside if there is another. Throws `EdictError`s when there is none. */
  async first(isSetAside?: (digest: string) => boolean): Promise<AcceptedBundle> {
    try {
      const { accepted, failure } = await firstVersion(this.source, this.acceptance, this.store, isSetAside);
      this.#failure = failure;
      this.#freshness.confirm(failure === null ? 0 : await this.#ageOfKept());
      return accepted;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Denies on the first thread what is already too old. To be called before it listens. */
  guard(state: ServingState, threads: ServingThreads): void {
    const reason = this.#freshness.state === "expired" ? STALE : null;
    state.deny(reason);
    threads.deny(reason);
  }

  /** Keeps `state` and `threads` up to date from now on. */
  follow(state: ServingState, threads: ServingThreads, follower: VersionFollower | null): Reloader {
    const { source, acceptance, store } = this;
    const freshness = this.#freshness;
    const reloader = new Reloader(state, { source, acceptance, store, freshness, threads, follower });
    this.#reloader = reloader;
    const report = (): void => {
      const reasons = [this.stale, store.problem].filter((reason) => reason !== null);
      state.degrade([...threads.degraded, ...reasons]);
      threads.note(reasons);
    };
    freshness.onChange = (now) => {
      log(now === "fresh" ? `\`${source.name}\` confirms the newest version again` : (this.stale ?? ""));
      this.guard(state, threads);
      report();
    };
    store.onProblem = report;
    this.guard(state, threads);
    report();
    reloader.begin(this.#failure);
    this.#changed = () => void reloader.changed();
    if (this.#missed || this.#failure !== null) this.#changed();
    return reloader;
  }

  /** Resolves when nothing is being accepted or kept any more, or after a while. To be called after `close`. */
  async settled(): Promise<void> {
    await this.#reloader?.settled();
  }

  close(): void {
    this.#unwatch();
    this.#reloader?.close();
    this.#freshness.close();
  }

  /** How long ago the kept version was confirmed to be the newest, in milliseconds. */
  async #ageOfKept(): Promise<number> {
    const known = (await this.#confirmations?.ageMs()) ?? null;
    if (known !== null) return known;
    const kept = Date.parse(this.store.versions()[0]?.at ?? "");
    return Number.isNaN(kept) ? 0 : Math.max(0, Date.now() - kept);
  }
}
