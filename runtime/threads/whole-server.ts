/**
 * The server of the first thread and those of the others as one: they listen on the same addresses and stop together, when a
 * signal says so or when one of them keeps failing.
 */
import type { Config } from "../config/config.ts";
import type { Directory } from "../directory/directory.ts";
import { oneLine } from "../guest/modules.ts";
import type { HttpServer } from "../http/server.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import type { ServingThreads } from "./serving-threads.ts";

/** How long requests in flight may take after SIGTERM, in milliseconds. */
const DRAIN_TIMEOUT = 10_000;

/** The exit code when serving is no longer possible. */
const EXIT_CANNOT_SERVE = 4;

/** The other threads listen where the first one does; a Unix socket has no room for more than one listener. */
export async function startThreads(
  threads: ServingThreads,
  state: ServingState,
  server: HttpServer,
  config: Config,
  directory?: Directory,
): Promise<void> {
  const addresses = server.listening.filter(({ kind }) => kind === "tcp");
  if (threads.count > 1 && addresses.length < server.listening.length) {
    log("warning: a Unix socket is served by the first thread alone");
  }
  const { engine, auxData } = config;
  threads.onHealth = (degraded) => state.degrade(degraded);
  threads.prepareFirst = (prepared) => server.prepare(prepared);
  await threads.start(state.engine, {
    engine,
    auxData,
    server: { ...config.server, addresses, joins: true },
    measuresDelay: config.admin.listen !== null,
    ...(directory === undefined ? {} : { directory }),
  });
}

/** Resolves with the exit code once a signal or a failing thread has stopped all servers. `stopping` is called first. */
export function untilStopped(
  state: ServingState,
  server: HttpServer,
  threads: ServingThreads,
  stopping: () => void,
): Promise<number> {
  const drain = async (code: number): Promise<number> => {
    stopping();
    await Promise.all([server.drain(DRAIN_TIMEOUT), threads.drain(DRAIN_TIMEOUT)]);
    return code;
  };
  return new Promise<number>((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (state.draining) {
        // Threads close their sockets first, without which the process would be aborted.
        void threads.drain(0).then(() => process.exit(1));
        return;
      }
      log(`${signal} received, finishing requests in flight`);
      resolve(drain(0));
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    const giveUp = (reason: string): void => {
      log(`${reason}; finishing requests in flight and giving up`);
      if (!state.draining) resolve(drain(EXIT_CANNOT_SERVE));
    };
    void threads.failed.then(giveUp);
    // Without this the other threads would be ended with their sockets open, and the process aborted.
    process.on("uncaughtException", (error) => giveUp(`the first thread failed: ${oneLine(error)}`));
  });
}
