/**
 * The entry of a serving thread: a server of its own on the addresses of the first thread, with a guest of its own made of the
 * modules that the first thread compiled. It loads no policies and hears no signals; the first thread tells it what to do.
 */
import { parentPort, workerData } from "node:worker_threads";
import { TokenVerifier } from "../aux-data/token-verifier.ts";
import { Engine } from "../guest/engine.ts";
import { type CompiledBundle, oneLine } from "../guest/modules.ts";
import { warmUp } from "../guest/warm-up.ts";
import { type HttpServer, startServer } from "../http/server.ts";
import { FollowingState } from "./following-state.ts";
import type { FromThread, ThreadStart, ToThread } from "./messages.ts";

const start = workerData as ThreadStart;
let server: HttpServer | null = null;

// An exception that ends the thread while uWebSockets.js has sockets would abort the process without a word.
process.on("uncaughtException", (error) => fail(error));
process.on("unhandledRejection", (error) => fail(error));

/** Stops serving and says why; the first thread ends the daemon. */
function fail(error: unknown): void {
  void server?.drain(0);
  server = null;
  tell({ kind: "failed", message: oneLine(error) });
}

function tell(message: FromThread): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  parentPort?.postMessage(message);
}

const tokens = await TokenVerifier.start(start.auxData);
const prepare = async (compiled: CompiledBundle): Promise<Engine> => {
  const engine = Engine.start(compiled, { ...start.engine, tokens });
  await warmUp(engine);
  return engine;
};

try {
  const state = new FollowingState(await prepare(start.compiled), start.epoch, start.traps, start.index);
  server = await startServer(state, start.server);
  parentPort?.on("message", (message: ToThread) => {
    void obey(state, message);
  });
  tell({ kind: "ready" });
} catch (error) {
  fail(error);
}

async function obey(state: FollowingState, message: ToThread): Promise<void> {
  switch (message.kind) {
    case "prepare":
      try {
        state.prepare(message.epoch, await prepare(message.compiled));
        tell({ kind: "prepared", epoch: message.epoch });
      } catch (error) {
        tell({ kind: "refused", epoch: message.epoch, message: oneLine(error) });
      }
      break;
    case "abandon":
      state.abandon();
      break;
    case "flip":
      void state.engine;
      break;
    case "outcome":
      state.adopt(message.failure);
      break;
    case "drain":
      state.draining = true;
      await server?.drain(message.timeoutMs);
      server = null;
      tokens.close();
      tell({ kind: "drained" });
      break;
  }
}
