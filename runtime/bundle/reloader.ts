/**
 * Replaces the serving engine when policies change: load, prepare beside the old one, swap in one assignment. Whatever
 * fails leaves the old version serving and is shown in health. Reloads never overlap; changes that arrive during one
 * cause exactly one more.
 */
import type { PolicySource } from "../config/config.ts";
import { EdictError, PolicyError, ServeError } from "../errors.ts";
import { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import type { EngineOptions } from "../guest/options.ts";
import { warmUp } from "../guest/warm-up.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import type { CompilePool } from "../pool/compile-pool.ts";
import type { ServingThreads } from "../threads/serving-threads.ts";
import { loadPolicies } from "./policy-source.ts";

/** Milliseconds until a version that some thread could not prepare is tried again. */
const RETRY_INTERVAL = 5_000;

export interface ReloaderOptions {
  readonly source: PolicySource;
  readonly compiler: CompilePool;
  readonly engine: EngineOptions;
  /** The serving threads that a new version has to be ready on before it serves anywhere. */
  readonly threads: ServingThreads;
}

/** Loads policies and prepares an engine that is ready to serve. Throws `EdictError`s. */
export async function prepareEngine(options: ReloaderOptions): Promise<Engine> {
  const { bundle, warnings } = await loadPolicies(options.source, options.compiler);
  if (warnings !== "") log(`warnings in the policies\n${warnings}`);
  const engine = await Engine.load(options.threads.count === 1 ? bundle : toShared(bundle), options.engine);
  await warmUp(engine);
  return engine;
}

/** A copy that threads share instead of copying it again. */
function toShared(file: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(file.byteLength));
  copy.set(file);
  return copy;
}

export class Reloader {
  readonly #state: ServingState;
  readonly #options: ReloaderOptions;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(state: ServingState, options: ReloaderOptions) {
    this.#state = state;
    this.#options = options;
  }

  /** Reloads soon; resolves when everything asked for so far is done. Never rejects. */
  reload(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#reloadOnce();
    }
  }

  async #reloadOnce(): Promise<void> {
    const started = performance.now();
    const { threads } = this.#options;
    try {
      const engine = await prepareEngine(this.#options);
      if (engine.bundle.digest === this.#state.engine.bundle.digest) {
        this.#state.confirm();
        threads.report(null);
        log(`policies unchanged (bundle ${engine.bundle.shortDigest})`);
        return;
      }
      await threads.swap(engine, () => this.#state.swap(engine));
      threads.report(null);
      const elapsed = Math.round(performance.now() - started);
      log(`now serving bundle ${engine.bundle.shortDigest} (prepared in ${elapsed} ms)`);
    } catch (error) {
      const diagnostics = error instanceof PolicyError ? error.diagnostics.length : 0;
      const message = error instanceof EdictError ? error.message : `unexpected error: ${oneLine(error)}`;
      this.#state.fail(message, diagnostics);
      // A thread that could not follow is being replaced, and nobody edits the policies again because of that.
      if (error instanceof ServeError && error.code === "EDICT_THREAD") {
        setTimeout(() => void this.reload(), RETRY_INTERVAL).unref();
      }
      threads.report(this.#state.lastFailure);
      const rendered = error instanceof PolicyError ? `\n${error.rendered}` : "";
      log(
        `reload failed, bundle ${this.#state.engine.bundle.shortDigest} keeps serving: ${message}${rendered}`,
      );
    }
  }
}
