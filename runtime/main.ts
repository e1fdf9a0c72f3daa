/**
 * The daemon: configuration -> bundle -> engine -> server, and what the process does on signals. Each step lives in
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

/** How long requests in flight may take after SIGTERM, in milliseconds. */
const DRAIN_TIMEOUT = 10_000;

/** Serves until told to stop. `ready` is called once decisions can be made. Throws when it cannot serve at all. */
export async function serve(
  config: Config,
  ready: (server: HttpServer, state: ServingState) => Promise<void> | void,
): Promise<number> {
  // One for all versions of the policies, so that a reload forgets no verified token.
  const tokens = await TokenVerifier.start(config.auxData);
  const compiler = new CompilePool();
  const options = { source: config.policies, compiler, engine: { ...config.engine, tokens } };
  // Watching begins before the first compilation, so that no edit goes unseen.
  let changed = false;
  let reload = (): void => {
    changed = true;
  };
  let watcher: DirectoryWatch | null = null;
  if (config.policies.kind === "directory" && config.policies.watch) {
    watcher = await watchDirectory(config.policies.directory, () => reload());
  }

  const state = new ServingState(await prepareEngine(options));
  const server = await startServer(state, config.server);
  const reloader = new Reloader(state, options);
  reload = () => void reloader.reload();
  if (changed) reload();
  if (watcher === null) await compiler.close();
  process.on("SIGHUP", reload);
  const stopped = new Promise<void>((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (state.draining) process.exit(1);
      log(`${signal} received, finishing requests in flight`);
      watcher?.close();
      void server.drain(DRAIN_TIMEOUT).then(resolve);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
  await ready(server, state);
  await stopped;
  tokens.close();
  await compiler.close();
  return 0;
}
