/**
 * The daemon: configuration -> bundle -> engine -> server -> further threads, and what the process does on signals. Each step lives in
 * its own file; this one is the order. It resolves with the exit code when the daemon has stopped.
 */
import { TokenVerifier } from "./aux-data/token-verifier.ts";
import { prepareEngine, Reloader } from "./bundle/reloader.ts";
import { type DirectoryWatch, watchDirectory } from "./bundle/watch-directory.ts";
import type { Config } from "./config/config.ts";
import { type HttpServer, startServer } from "./http/server.ts";
import { ServingState } from "./observe/serving-state.ts";
import { CompilePool } from "./pool/compile-pool.ts";
import { ServingThreads } from "./threads/serving-threads.ts";
import { startThreads, untilStopped } from "./threads/whole-server.ts";

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

  const state = new ServingState(await prepareEngine(options), threads.traps, 0, threads.shed);
  const server = await startServer(state, { ...config.server, joins: false });
  await startThreads(threads, state, server, config);
  const reloader = new Reloader(state, options);
  reload = () => void reloader.reload();
  if (changed) reload();
  if (watcher === null) await compiler.close();
  process.on("SIGHUP", reload);
  const stopped = untilStopped(state, server, threads, () => watcher?.close());
  await ready(server, state);
  const code = await stopped;
  tokens.close();
  await compiler.close();
  return code;
}
