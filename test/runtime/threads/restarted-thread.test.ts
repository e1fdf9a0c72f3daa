/** A serving thread that is started while a shadow compares: it decides before its candidate is ready, and does as the others do from then on. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setEnvironmentData, Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../runtime/config/load.ts";
import { Engine } from "../../../runtime/index.ts";
import { allocateCounters } from "../../../runtime/observe/counters.ts";
import type { FromThread, ThreadStart, ToThread } from "../../../runtime/threads/messages.ts";
import { bundleForThreads } from "../../../runtime/threads/thread-bundle.ts";
import { compileVersions, type VersionName } from "../admin/support.ts";
import { albumRequest, IS_BUILT, temporaryDirectory } from "../support/daemon.ts";

const ENTRY = new URL("./slow-shadow-thread.mjs", import.meta.url);
const { config: CONFIG } = readConfig(null, "", [], {});

/** While [0] is 1, the candidate of the shadow does not become ready (slow-shadow-thread.mjs). */
const GATES = new Int32Array(new SharedArrayBuffer(4));
setEnvironmentData("edict-test-shadow", GATES);

const shared = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));

async function freePort(): Promise<number> {
  const probe = createServer().listen({ port: 0, host: "127.0.0.1" });
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** The thread, and what it has said. */
class Thread {
  readonly said: FromThread["kind"][] = [];
  readonly #worker: Worker;
  readonly #port: number;

  constructor(start: ThreadStart, port: number) {
    this.#port = port;
    this.#worker = new Worker(ENTRY, { workerData: start });
    this.#worker.on("message", ({ kind }: FromThread) => this.said.push(kind));
  }

  tell(order: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    this.#worker.postMessage(order);
  }

  /** What it answers: the effect, and the reason when everything is denied. Null while it does not listen. */
  ask(): Promise<readonly [effect: string, reason: unknown] | null> {
    return new Promise((resolve) => {
      const call = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          path: "/api/check/resources",
          method: "POST",
          agent: false,
          headers: { "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
          response.on("end", () =>
            resolve([/"view":"(\w+)"/.exec(text)?.[1] ?? text, response.headers["edict-deny-reason"]]),
          );
        },
      );
      call.on("error", () => resolve(null));
      call.end(JSON.stringify(albumRequest()));
    });
  }

  /** Asks until the answer is as `condition` says, for a while; returns the last one. */
  async askUntil(
    condition: (answer: Awaited<ReturnType<Thread["ask"]>>) => boolean,
  ): ReturnType<Thread["ask"]> {
    let answer = await this.ask();
    for (let wait = 0; wait < 5000 && !condition(answer); wait++) {
      await sleep(10);
      answer = await this.ask();
    }
    return answer;
  }

  /** Waits for a while until it has said `kind`. */
  async untilSaid(kind: FromThread["kind"]): Promise<void> {
    for (let wait = 0; wait < 5000 && !this.said.includes(kind); wait++) await sleep(10);
  }

  /** Ends it: with its sockets open that would end the process. */
  async end(): Promise<void> {
    this.tell({ kind: "drain", timeoutMs: 0 });
    while (!this.said.some((kind) => kind === "drained" || kind === "failed")) await sleep(10);
    await this.#worker.terminate();
  }
}

describe.skipIf(!IS_BUILT)("a serving thread whose shadow is not ready yet", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let thread: Thread | null = null;

  beforeAll(async () => {
    bundles = await compileVersions();
  }, 120_000);

  afterEach(async () => {
    Atomics.store(GATES, 0, 0);
    await thread?.end();
    thread = null;
  });

  /** A thread whose candidate does not become ready for now. */
  async function launch(accessTokens: string | null = null): Promise<Thread> {
    Atomics.store(GATES, 0, 1);
    const [serving, candidate] = await Promise.all([Engine.load(bundles.first), Engine.load(bundles.second)]);
    const port = await freePort();
    const { engine, auxData, server } = CONFIG;
    const addresses = [{ kind: "tcp", host: "127.0.0.1", port } as const];
    const start: ThreadStart = {
      index: 1,
      epoch: shared(1),
      traps: shared(2),
      shed: shared(2),
      counters: allocateCounters(2),
      measuresDelay: false,
      shadow: { id: 1, compiled: bundleForThreads(candidate.compiled), sample: 1 },
      directory: null,
      denial: null,
      compiled: bundleForThreads(serving.compiled),
      engine,
      auxData,
      server: { ...server, addresses, accessTokens, threads: 2, joins: true },
    };
    thread = new Thread(start, port);
    return thread;
  }

  /** As `launch`; it decides. */
  async function launchServing(): Promise<Thread> {
    const launched = await launch();
    expect(await launched.askUntil((answer) => answer !== null)).toEqual(["EFFECT_ALLOW", undefined]);
    return launched;
  }

  // It allowed until its candidate was ready, while the others denied.
  it("denies when it is told to", async () => {
    const serving = await launchServing();
    serving.tell({ kind: "deny", reason: "stale" });
    const answer = await serving.askUntil((one) => one?.[1] !== undefined);
    expect(serving.said).toEqual([]);
    expect(answer).toEqual(["EFFECT_DENY", "stale"]);
    Atomics.store(GATES, 0, 0);
    await serving.untilSaid("ready");
    expect(serving.said).toEqual(["shadowing", "ready"]);
    expect(await serving.ask()).toEqual(["EFFECT_DENY", "stale"]);
  });

  // It took requests until its candidate was ready, which the drain does not wait for.
  it("drains when it is told to", async () => {
    const serving = await launchServing();
    serving.tell({ kind: "drain", timeoutMs: 0 });
    await serving.untilSaid("drained");
    expect(serving.said).toEqual(["drained"]);
    expect(await serving.ask()).toBeNull();
  });

  it("has no candidate when the shadow ends meanwhile", async () => {
    const serving = await launchServing();
    serving.tell({ kind: "shadow", order: null });
    // Orders are obeyed one after the other.
    serving.tell({ kind: "deny", reason: "stale" });
    expect(await serving.askUntil((one) => one?.[1] !== undefined)).toEqual(["EFFECT_DENY", "stale"]);
    Atomics.store(GATES, 0, 0);
    await serving.untilSaid("ready");
    expect(serving.said).toEqual(["ready"]);
  });

  it("leaves no sockets open when it is told to drain before they are", async () => {
    const scratch = await temporaryDirectory();
    const tokens = join(scratch.path, "tokens");
    await writeFile(tokens, `${"x".repeat(32)}\n`);
    // Reading the file takes longer than hearing what was said before.
    const starting = await launch(tokens);
    starting.tell({ kind: "drain", timeoutMs: 0 });
    await starting.untilSaid("drained");
    Atomics.store(GATES, 0, 0);
    await starting.untilSaid("ready");
    expect(starting.said).toEqual(expect.arrayContaining(["drained", "ready"]));
    expect(await starting.ask()).toBeNull();
    await scratch.remove();
  });
});
