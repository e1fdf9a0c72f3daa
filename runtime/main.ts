/**
 * The daemon: configuration -> bundle -> engine -> server -> further threads, and what the process does on signals. Each step lives in
 * its own file; this one is the order. It resolves with the exit code when the daemon has stopped.
 */
import { TokenVerifier } from "./aux-data/token-verifier.ts";
import { Operations } from "./admin/operations.ts";
import type { Config } from "./config/config.ts";
import { Directory } from "./directory/directory.ts";
import { type HttpServer, startServer } from "./http/server.ts";
import { ServingState } from "./observe/serving-state.ts";
import { CompilePool } from "./pool/compile-pool.ts";
import { Supply } from "./source/supply.ts";
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
  const supply = await Supply.open(config, { ...config.engine, tokens }, compiler, threads.count > 1);
  const directory = await Directory.open(config.directory, config.bundle.stateDir);
  const operations = await Operations.open(config);
  const first = await supply.first((digest) => operations.isSetAside(digest));
  const { traps, shed, counters } = threads;
  const state = new ServingState(first.engine, traps, 0, shed, counters, first.signer?.kid);
  state.useDirectory(directory.view);
  supply.guard(state, threads);
  const server = await startServer(state, { ...config.server, joins: false });
  await startThreads(threads, state, server, config, directory);
  const reloader = supply.follow(state, threads, operations);
  if (config.policies.kind === "directory" && !config.policies.watch) await compiler.close();
  await operations.start({ state, threads, supply, versions: reloader, compiler, directory }, first);
  process.on("SIGHUP", () => {
    operations.release();
    void reloader.reload();
  });
  const stopped = untilStopped(state, server, threads, () => {
    supply.close();
    operations.close();
  });
  await ready(server, state);
  const code = await stopped;
  await supply.settled();
  await directory.close();
  tokens.close();
  await compiler.close();
  return code;
}
