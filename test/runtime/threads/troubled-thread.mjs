/**
 * A serving thread that a test can make fail: the real one, and beside it a channel over which it is told to crash, hang or refuse, which
 * it acknowledges first. The test says how long it hangs, and how long it takes to start.
 * JavaScript, because Node 20 runs no TypeScript in a worker; needs `npm run build`.
 */
import { BroadcastChannel, getEnvironmentData, workerData } from "node:worker_threads";
import { Engine } from "../../../dist/runtime/guest/engine.js";

if (process.env["EDICT_TEST_THREADS"] === "die") throw new Error("dead on arrival");

/** What is waited for while it is 1: to start, and to end hanging. */
const gates = getEnvironmentData("edict-test-gates");
Atomics.wait(gates, 0, 1);

const start = Engine.start.bind(Engine);
const acts = {
  throw: () => {
    throw new Error("told to crash");
  },
  reject: () => {
    void Promise.reject(new Error("told to reject"));
  },
  hang: () => {
    Atomics.wait(gates, 1, 1);
  },
  refuse: () => {
    Engine.start = () => {
      throw new Error("told to refuse");
    };
  },
  "crash-while-preparing": () => {
    Engine.start = (...given) => {
      queueMicrotask(() => {
        throw new Error("told to crash while preparing");
      });
      return start(...given);
    };
  },
  recover: () => {
    Engine.start = start;
  },
};

const channel = new BroadcastChannel("edict-test-threads");
channel.unref();
channel.addEventListener("message", ({ data }) => {
  if (data.index !== workerData.index) return;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no origin
  channel.postMessage("heard");
  acts[data.act]();
});

await import("../../../dist/runtime/threads/serving-thread.js");
