/**
 * A serving thread whose shadow takes until the test says so: the real one, in which every engine of the candidate is waited for.
 * JavaScript, because Node 20 runs no TypeScript in a worker; needs `npm run build`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { getEnvironmentData, workerData } from "node:worker_threads";
import { Engine } from "../../../dist/runtime/guest/engine.js";

/** [0]: what waits goes on when it is 0. */
const gates = getEnvironmentData("edict-test-shadow");

const start = Engine.start.bind(Engine);
Engine.start = (compiled, options) => {
  const engine = start(compiled, options);
  if (compiled.bundle.digest !== workerData.shadow?.compiled.bundle.digest) return engine;
  // Whoever returns it from an async function waits as for a promise.
  engine.then = async (resolve) => {
    while (Atomics.load(gates, 0) !== 0) await sleep(5);
    delete engine.then;
    resolve(engine);
  };
  return engine;
};

await import("../../../dist/runtime/threads/serving-thread.js");
