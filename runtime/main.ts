/**
 * The daemon: configuration -> bundle -> engine -> server -> further threads, and what the process does on signals. Each step lives in
 * its own file; this one is the order. It resolves with the exit code when the daemon has stopped.
 */
import { TokenVerifier } from "./aux-data/token-verifier.ts";
import { prepareEngine, Reloader } from "./bundle/reloader.ts";
import { type DirectoryWatch, watchDirectory } from "./bundle/watch-directory.ts";
import type { Config } from "./config/config.ts";
import { type HttpServer, startServer } from "./http/server.ts";
import { log } from "./observe/log.ts";
import { ServingState } from "./observe/serving-state.ts";
import { CompilePool } from "./pool/compile-pool.ts";
import { ServingThreads } from "./threads/serving-threads.ts";

/** How long requests in flight may take after SIGTERM, in milliseconds. */
const DRAIN_TIMEOUT = 10_000;

/** The exit code when serving is no longer possible. */
const EXIT_CANNOT_SERVE = 4;

/** Serves until told to stop. `ready` is called once decisions can be made. Throws when it cannot serve at all. */
export async function serve(
  config: Config,
  ready: (server: HttpServer, state: ServingState) => Promise<void> | void,
): Promise<number> {
  // One for all versions of the policies, so that a reload forgets no verified token.
  const tokens = await TokenVerifier.start(config.auxData);
  const compiler = new CompilePool();
  const threads = new ServingThreads(config.server.threads);
  const options = { source: config.policies, compiler, engine: { ...config.engine, tokens }, threads };
  // Watching begins before the first compilation, so that no edit goes unseen.
  let changed = false;
  let reload = (): void => {
    changed = true;
  };
  let watcher: DirectoryWatch | null = null;
  if (config.policies.kind === "directory" && config.policies.watch) {
    watcher = await watchDirectory(config.policies.directory, () => reload());
  }

  const state = new ServingState(await prepareEngine(options), threads.traps);
  const server = await startServer(state, { ...config.server, joins: false });
  await startThreads(threads, state, server, config);
  const reloader = new Reloader(state, options);
  reload = () => void reloader.reload();
  if (changed) reload();
  if (watcher === null) await compiler.close();
  process.on("SIGHUP", reload);
  const drain = async (): Promise<void> => {
    watcher?.close();
    await Promise.all([server.drain(DRAIN_TIMEOUT), threads.drain(DRAIN_TIMEOUT)]);
  };
  const stopped = new Promise<number>((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (state.draining) {
        // Threads close their sockets first, without which the process would be aborted.
        void threads.drain(0).then(() => process.exit(1));
        return;
      }
      log(`${signal} received, finishing requests in flight`);
      void drain().then(() => resolve(0));
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    void threads.failed.then((reason) => {
      log(`${reason}; finishing requests in flight and giving up`);
      void drain().then(() => resolve(EXIT_CANNOT_SERVE));
    });
  });
  await ready(server, state);
  const code = await stopped;
  tokens.close();
  await compiler.close();
  return code;
}

/** The other threads listen where the first one does; a Unix socket has no room for more than one listener. */
async function startThreads(
  threads: ServingThreads,
  state: ServingState,
  server: HttpServer,
  config: Config,
): Promise<void> {
  const addresses = server.listening.filter(({ kind }) => kind === "tcp");
  if (threads.count > 1 && addresses.length < server.listening.length) {
    log("warning: a Unix socket is served by the first thread alone");
  }
  const settings = { engine: config.engine, auxData: config.auxData };
  await threads.start(state.engine, {
    ...settings,
    server: { ...config.server, addresses, joins: true },
  });
}
