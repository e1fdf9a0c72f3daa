/**
 * The entry of a serving thread: a server of its own on the addresses of the first thread, with a guest of its own made of the
 * modules that the first thread compiled. It loads no policies and hears no signals; the first thread tells it what to do.
 */
import { parentPort, workerData } from "node:worker_threads";
import { TokenVerifier } from "../aux-data/token-verifier.ts";
import { DirectoryView } from "../directory/directory-view.ts";
import { Engine } from "../guest/engine.ts";
import { type CompiledBundle, oneLine } from "../guest/modules.ts";
import { warmUp } from "../guest/warm-up.ts";
import { type HttpServer, startServer } from "../http/server.ts";
import { measureLoopDelay } from "../observe/loop-delay.ts";
import { FollowingState } from "./following-state.ts";
import type { FromThread, ThreadStart, ToThread } from "./messages.ts";
import { ThreadShadow } from "./thread-shadow.ts";

const start = workerData as ThreadStart;
let server: HttpServer | null = null;
/** Resolves when the sockets are open. */
let listening: Promise<void> = Promise.resolve();

// INVARIANT: the thread never ends while uWebSockets.js has sockets, since Node would abort the whole process then. An error that
// nobody has caught therefore closes the sockets first.
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

/** Stops serving at once, says why, and ends the thread; the first thread starts another. */
function fail(error: unknown): void {
  try {
    server?.close();
  } finally {
    tell({ kind: "failed", message: oneLine(error) });
    // This thread only.
    process.exit(1);
  }
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
const shadow = new ThreadShadow(prepare, tell);

try {
  const { epoch, traps, index, shed, counters } = start;
  const state = new FollowingState(await prepare(start.compiled), epoch, traps, index, shed, counters);
  state.deny(start.denial);
  if (start.directory !== null) state.useDirectory(DirectoryView.of(start.directory));
  if (start.measuresDelay) measureLoopDelay(state.counters);
  // What it is started with comes before what it is told later. Orders are heard before the sockets are open: while the candidate gets
  // ready requests are decided, and `deny` and `drain` must not wait for it.
  const shadowing = shadow.obey(state, start.shadow);
  parentPort?.on("message", (message: ToThread) => {
    void obey(state, message);
  });
  listening = listen(state);
  await listening;
  await shadowing;
  tell({ kind: "ready" });
} catch (error) {
  fail(error);
}

async function listen(state: FollowingState): Promise<void> {
  server = await startServer(state, start.server);
}

async function obey(state: FollowingState, message: ToThread): Promise<void> {
  switch (message.kind) {
    case "prepare":
      try {
        const engine = await prepare(message.compiled);
        await server?.prepare(engine);
        state.prepare(message.epoch, engine);
        tell({ kind: "prepared", epoch: message.epoch });
      } catch (error) {
        tell({ kind: "refused", epoch: message.epoch, message: oneLine(error) });
      }
      break;
    case "abandon":
      state.abandon(message.epoch);
      break;
    case "flip":
      void state.engine;
      break;
    case "outcome":
      state.adopt(message.failure);
      state.degrade(message.degraded);
      break;
    case "deny":
      state.deny(message.reason);
      break;
    case "shadow":
      await shadow.obey(state, message.order);
      break;
    case "drain":
      state.draining = true;
      // Sockets that are about to open have to be closed as well.
      await listening;
      await server?.drain(message.timeoutMs);
      server = null;
      tokens.close();
      tell({ kind: "drained" });
      break;
  }
}
