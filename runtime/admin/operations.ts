/**
 * What operators have of a daemon, put together: the hold, the shadow, metrics, and the listener over which they are reached. Without
 * `--admin` and `--shadow` there is nothing of it but the hold that an earlier process has left.
 */
import type { AcceptedBundle } from "../bundle/accept.ts";
import type { VersionFollower } from "../bundle/reloader.ts";
import type { Config } from "../config/config.ts";
import type { Directory } from "../directory/directory.ts";
import { log } from "../observe/log.ts";
import { measureLoopDelay } from "../observe/loop-delay.ts";
import type { ServingState } from "../observe/serving-state.ts";
import type { CompilePool } from "../pool/compile-pool.ts";
import { ChangeReport } from "../shadow/report.ts";
import { Shadow } from "../shadow/shadow.ts";
import { openSource } from "../source/open-source.ts";
import type { Supply } from "../source/supply.ts";
import type { ServingThreads } from "../threads/serving-threads.ts";
import { readVersion } from "../version.ts";
import { AdminRoutes } from "./admin-routes.ts";
import { type AdminServer, startAdminServer } from "./admin-server.ts";
import { Control, type VersionControl } from "./control.ts";
import { DirectoryRoutes } from "./directory-routes.ts";
import { daemonStatus } from "./status.ts";
import { VersionHold } from "./version-hold.ts";

/** What serves, and what keeps it up to date. */
export interface Surroundings {
  readonly state: ServingState;
  readonly threads: ServingThreads;
  readonly supply: Supply;
  readonly versions: VersionControl;
  readonly compiler: CompilePool;
  readonly directory: Directory;
}

export class Operations implements VersionFollower {
  readonly #config: Config;
  readonly #hold: VersionHold;
  #shadow: Shadow | null = null;
  #server: AdminServer | null = null;

  /** Reads the hold that the state directory has kept. To be called once that can be used. */
  static async open(config: Config): Promise<Operations> {
    return new Operations(config, await VersionHold.open(config.bundle.stateDir));
  }

  private constructor(config: Config, hold: VersionHold) {
    this.#config = config;
    this.#hold = hold;
  }

  isSetAside(digest: string): boolean {
    return this.#hold.isSetAside(digest);
  }

  async note({ bundle }: AcceptedBundle): Promise<void> {
    this.#hold.note(bundle.digest);
  }

  /** Starts what is configured; `first` serves already. Throws `ServeError` when the listener cannot be had. */
  async start(around: Surroundings, first: AcceptedBundle): Promise<void> {
    const { admin, shadow } = this.#config;
    await this.note(first);
    if (shadow.source !== null) this.#shadow = await this.#makeShadow(around);
    if (admin.listen !== null) {
      measureLoopDelay(around.state.counters);
      this.#server = await startAdminServer(admin.listen, admin, await this.#routes(around));
      log(`admin listener on ${this.#server.address}`);
    }
    // Requests do not wait for a candidate.
    void this.#shadow?.start();
  }

  /** An operator's wish to reload, as SIGHUP is: what was set aside may serve again. */
  release(): void {
    this.#hold.release();
    void this.#shadow?.refresh();
  }

  close(): void {
    this.#server?.close();
    this.#shadow?.close();
  }

  async #makeShadow({ state, threads, supply, compiler }: Surroundings): Promise<Shadow | null> {
    const { shadow, bundle } = this.#config;
    if (shadow.source === null) return null;
    const report = new ChangeReport(shadow.report);
    // Policies that are compiled here have no signature, whatever what serves must have.
    const verifyKeys = shadow.source.kind === "directory" ? null : supply.acceptance.verifyKeys;
    return new Shadow({
      source: await openSource(shadow.source, bundle, compiler),
      sample: shadow.sample,
      state,
      threads,
      acceptance: { ...supply.acceptance, verifyKeys, shared: threads.count > 1 },
      report: (changes) => report.write(changes),
    });
  }

  async #routes({ state, supply, versions, directory }: Surroundings): Promise<AdminRoutes> {
    const { createMetrics } = await import("../observe/metrics.ts");
    const hold = this.#hold;
    const shadow = this.#shadow;
    const control = new Control({ state, versions, store: supply.store, hold, shadow });
    const version = readVersion();
    return new AdminRoutes({
      control,
      directory: new DirectoryRoutes(directory),
      metrics: createMetrics({
        state,
        bundle: () => {
          const { digest, manifest } = state.engine.bundle;
          return {
            digest,
            sequence: String(manifest.sequence ?? ""),
            signer: state.signer ?? "",
            git_commit: manifest.gitCommit ?? "",
          };
        },
        isStale: () => supply.stale !== null,
        shadow: () => shadow?.candidate?.bundle.digest ?? null,
        directory: () => directory.status,
      }),
      status: () =>
        daemonStatus({
          state,
          control,
          hold,
          source: () => ({ name: supply.source.name, stale: supply.stale }),
          shadow: () => shadow?.status ?? null,
          version,
        }),
    });
  }
}
