/**
 * Replaces the version that serves when the source has another one: fetch, accept beside the old one, swap in one assignment.
 * Whatever fails leaves the old version serving and is shown in health. Nothing is accepted at the same time as something else;
 * changes that arrive during a reload cause exactly one more.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BUNDLE_ENTRY_SIZE, BUNDLE_HEADER_SIZE } from "../../assembly/abi.ts";
import { EdictError, EngineError, PolicyError, ServeError, SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import type { Freshness } from "../source/freshness.ts";
import type { BundleSource, FetchedBundle } from "../source/source.ts";
import type { VersionStore } from "../source/version-store.ts";
import type { ServingThreads } from "../threads/serving-threads.ts";
import { type Acceptance, acceptBundle, type AcceptedBundle, examineBundle } from "./accept.ts";

/** Milliseconds until a version is tried again that failed for a reason that is not its own. */
const RETRY_INTERVAL = 5_000;

/** How long the end of the daemon waits for a version that is being kept, in milliseconds. */
const SETTLE_TIMEOUT = 5_000;

/** The same failure is logged again after this many milliseconds. */
const REPEAT_LOG = 60_000;

/** Who else has a say in what serves: the operator (runtime/admin). */
export interface VersionFollower {
  /** Whether what the source offers is to be left alone. */
  isSetAside(digest: string): boolean;
  /** Told what serves now. */
  note(accepted: AcceptedBundle): Promise<void>;
}

export interface ReloaderOptions {
  readonly source: BundleSource;
  /** What a bundle of the source has to be like; its sequences are those of the store. */
  readonly acceptance: Acceptance;
  readonly store: VersionStore;
  readonly freshness: Freshness;
  /** The serving threads that a new version has to be ready on before it serves anywhere. */
  readonly threads: ServingThreads;
  readonly follower: VersionFollower | null;
}

export class Reloader {
  readonly #state: ServingState;
  readonly #options: ReloaderOptions;
  readonly #closed = new AbortController();
  #running: Promise<void> | null = null;
  #again = false;
  /** Accepting versions, and keeping them. */
  readonly #acceptances = new OneAtATime();
  /**
   * Why the last bundle that the source gave does not serve, and the SHA-256 of its file; it goes on holding while the source has no
   * other, whatever serves.
   */
  #refusal: { readonly reason: unknown; readonly file: string } | null = null;
  /** The failure that health shows, or showed last. */
  #shown: unknown = null;
  #logged = { text: "", at: Number.NEGATIVE_INFINITY };

  constructor(state: ServingState, options: ReloaderOptions) {
    this.#state = state;
    this.#options = options;
  }

  /** Asks the source soon; resolves when everything asked for so far is done. Never rejects. */
  changed(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** As `changed`, and takes what the source has even if it was looked at before. */
  reload(): Promise<void> {
    this.#options.source.forget();
    return this.changed();
  }

  /**
   * Has `file` pass all tests and serve, whatever the source has. `older` says whether its sequence may be lower than what has
   * been accepted. Rejects with an `EdictError`, and then nothing has changed.
   */
  serve(file: Uint8Array, older: boolean): Promise<AcceptedBundle> {
    const { acceptance } = this.#options;
    return this.#acceptances.run(async () => {
      const accepted = await this.#accept(
        file,
        older ? { ...acceptance, mayRollBackTo: () => true } : acceptance,
      );
      // What the source has is what serves now.
      if (this.#refusal?.file === sha256Of(file)) this.#refusal = null;
      return accepted;
    });
  }

  /** Notes why the version of the first start is not what the source has; null when it is. */
  begin(failure: unknown): void {
    if (failure !== null) this.#fail(failure);
  }

  /** Stops asking; what is being accepted comes to its end, which `settled` waits for. */
  close(): void {
    this.#closed.abort();
  }

  /** Resolves when what is being accepted serves and is kept, or after a while. Never rejects. */
  async settled(): Promise<void> {
    await Promise.race([this.#acceptances.idle, sleep(SETTLE_TIMEOUT, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed.signal.aborted) {
        this.#again = false;
        await this.#reloadOnce();
      }
    } finally {
      // In the same turn as the last look at `#again`: what is asked for from now on is not for this run.
      this.#running = null;
    }
  }

  async #reloadOnce(): Promise<void> {
    const { source, store } = this.#options;
    // A disk that was full may have room by now.
    if (store.problem !== null) void this.#mend();
    let fetched: FetchedBundle | "unchanged";
    try {
      fetched = await source.fetch(this.#closed.signal);
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#fail(error);
      return;
    }
    if (fetched === "unchanged") this.#confirm();
    else {
      const bundle = fetched;
      await this.#acceptances.run(() => this.#take(bundle));
    }
  }

  /** The source has nothing that it did not have before. */
  #confirm(): void {
    const { freshness, threads } = this.#options;
    if (this.#refusal !== null) {
      const { reason } = this.#refusal;
      // The source answers again, but what it has is still what was refused. Sources say so every second: it is one failure.
      if (this.#shown !== reason || this.#state.lastFailure === null) this.#show(reason);
      return;
    }
    freshness.confirm();
    if (this.#state.lastFailure === null) return;
    this.#state.confirm();
    threads.report(null);
    this.#logged.text = "";
    log(`\`${this.#options.source.name}\` answers again, and has nothing newer`);
  }

  async #take({ bytes, label, warnings }: FetchedBundle): Promise<void> {
    const started = performance.now();
    const { threads, freshness, follower, source } = this.#options;
    if (warnings !== "") log(`warnings in the policies\n${warnings}`);
    try {
      const digest = digestOf(bytes);
      if (digest !== null && follower?.isSetAside(digest) === true) {
        log(`bundle ${digest.slice(0, 12)} of \`${source.name}\` was set aside and is left alone`);
        this.#refusal = null;
        freshness.confirm();
        this.#state.confirm();
        threads.report(null);
        return;
      }
      this.#refusal = null;
      if (digest === this.#state.engine.bundle.digest) {
        // A file can begin like the one that serves and yet be cut off, damaged or signed by somebody else.
        await examineBundle(bytes, { ...this.#options.acceptance, mayRollBackTo: () => true });
        freshness.confirm();
        this.#state.confirm();
        threads.report(null);
        log(`policies unchanged (bundle ${digest.slice(0, 12)})`);
        return;
      }
      const { bundle } = await this.#accept(bytes, this.#options.acceptance);
      freshness.confirm();
      const elapsed = Math.round(performance.now() - started);
      const named = label === "" ? "" : `${label}, `;
      log(`now serving bundle ${bundle.shortDigest} (${named}prepared in ${elapsed} ms)`);
    } catch (error) {
      this.#refusal = { reason: error, file: sha256Of(bytes) };
      this.#fail(error);
      this.#retryIfNotItsFault(error);
    }
  }

  async #accept(file: Uint8Array, acceptance: Acceptance): Promise<AcceptedBundle> {
    const { threads, store, follower } = this.#options;
    const accepted = await acceptBundle(file, acceptance, {
      serve: ({ engine, signer }) => threads.swap(engine, () => this.#state.swap(engine, signer?.kid)),
      keep: async (served) => {
        const { digest, manifest } = served.bundle;
        await store.keep({ digest, sequence: manifest.sequence }, served.file);
        await follower?.note(served);
      },
    });
    this.#logged.text = "";
    threads.report(null);
    return accepted;
  }

  /** Has a bundle tried again that failed because of a thread or an engine, which is being replaced by then. */
  #retryIfNotItsFault(error: unknown): void {
    const isOurs =
      (error instanceof ServeError && error.code === "EDICT_THREAD") || error instanceof EngineError;
    if (!isOurs) return;
    setTimeout(() => {
      if (!this.#closed.signal.aborted) void this.reload();
    }, RETRY_INTERVAL).unref();
  }

  async #mend(): Promise<void> {
    await this.#acceptances.run(() => this.#options.store.mend());
  }

  #fail(error: unknown): void {
    const code = this.#show(error);
    const message = this.#messageOf(error);
    const rendered = error instanceof PolicyError ? `\n${error.rendered}` : "";
    const { shortDigest } = this.#state.engine.bundle;
    const text = `reload failed, bundle ${shortDigest} keeps serving: ${message} (${code})${rendered}`;
    const now = performance.now();
    // A source that is down fails every second.
    if (text === this.#logged.text && now - this.#logged.at < REPEAT_LOG) return;
    this.#logged = { text, at: now };
    log(text);
  }

  /** Shows a failure in the health of all threads, and returns its code. */
  #show(error: unknown): string {
    this.#shown = error;
    const diagnostics = error instanceof PolicyError ? error.diagnostics.length : 0;
    const code = error instanceof EdictError ? error.code : "EDICT_UNEXPECTED";
    this.#state.fail(this.#messageOf(error), diagnostics, code);
    this.#options.threads.report(this.#state.lastFailure);
    return code;
  }

  #messageOf(error: unknown): string {
    if (error instanceof SourceError) return `source \`${this.#options.source.name}\`: ${error.message}`;
    return error instanceof EdictError ? error.message : `unexpected error: ${oneLine(error)}`;
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The digest that `file` would have if it is a bundle, null when it cannot be one. It is checked against nothing yet. */
export function digestOf(file: Uint8Array): string | null {
  if (file.byteLength < BUNDLE_HEADER_SIZE) return null;
  const sections = new DataView(file.buffer, file.byteOffset).getUint32(12, true);
  const tableEnd = BUNDLE_HEADER_SIZE + sections * BUNDLE_ENTRY_SIZE;
  if (tableEnd > file.byteLength) return null;
  return sha256Of(file.subarray(0, tableEnd));
}
