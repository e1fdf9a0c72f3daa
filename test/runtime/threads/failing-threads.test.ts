/** Serving threads that crash, hang or refuse a version: the others go on, no version serves on some threads only, and the daemon mends itself or ends. */
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { BroadcastChannel, setEnvironmentData } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../runtime/config/load.ts";
import { type HttpServer, startServer } from "../../../runtime/http/server.ts";
import { Engine } from "../../../runtime/index.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { ServingThreads } from "../../../runtime/threads/serving-threads.ts";
import { startThreads, untilStopped } from "../../../runtime/threads/whole-server.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, IS_BUILT, POLICIES } from "../support/daemon.ts";

const ENTRY = new URL("./troubled-thread.mjs", import.meta.url);
const { config: CONFIG } = readConfig(null, "", [], {});
const PATIENCE = { startMs: 60_000, answerMs: 60_000, backOffMs: 10, failures: 4, stableMs: 600_000 };

/** Where threads wait while it is 1: before they start, and when they are told to hang (troubled-thread.mjs). */
const GATES = new Int32Array(new SharedArrayBuffer(8));
const [STARTING, HANGING] = [0, 1];
setEnvironmentData("edict-test-gates", GATES);

function hold(gate: number): void {
  Atomics.store(GATES, gate, 1);
}

function release(gate: number): void {
  Atomics.store(GATES, gate, 0);
  Atomics.notify(GATES, gate);
}

interface Answer {
  readonly bundle: string;
  readonly body: Record<string, unknown>;
}

/** The servers of a daemon with three serving threads, without its command line. */
class Servers {
  readonly threads: ServingThreads;
  readonly state: ServingState;
  /** What the threads are given; read anew for every wait. */
  readonly patience: { -readonly [name in keyof typeof PATIENCE]: number };
  server: HttpServer | null = null;
  readonly #channel = new BroadcastChannel("edict-test-threads");

  constructor(engine: Engine, patience: Partial<typeof PATIENCE>) {
    this.patience = { ...PATIENCE, ...patience };
    this.threads = new ServingThreads(3, { entry: ENTRY, patience: this.patience });
    this.state = new ServingState(engine, this.threads.traps, 0, this.threads.shed);
  }

  async start(): Promise<void> {
    const server = {
      ...CONFIG.server,
      addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 } as const],
      threads: 3,
    };
    this.server = await startServer(this.state, { ...server, joins: false });
    await startThreads(this.threads, this.state, this.server, { ...CONFIG, server });
  }

  /** Resolves when the thread is about to do it, before anything that it is sent later. */
  async tell(index: number, act: string): Promise<void> {
    const heard = once(this.#channel, "message");
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no origin
    this.#channel.postMessage({ index, act });
    await heard;
  }

  get port(): number {
    const [address] = this.server?.listening ?? [];
    return address?.kind === "tcp" ? address.port : 0;
  }

  /** One request on a connection of its own. Rejects when the connection is lost. */
  ask(path: string, body?: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: "127.0.0.1",
          port: this.port,
          path,
          method: body === undefined ? "GET" : "POST",
          agent: false,
          headers: { "content-type": "application/json" },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              bundle: String(response.headers["edict-bundle"] ?? ""),
              body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
            }),
          );
        },
      );
      call.on("error", reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** The versions that enough connections see for no thread to be left out. */
  async versions(): Promise<ReadonlySet<string>> {
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => this.ask("/api/check/resources", albumRequest())),
    );
    return new Set(answers.map(({ bundle }) => bundle));
  }

  /** Waits until every thread's health is as `condition` says. */
  async untilHealth(condition: (degraded: string) => boolean): Promise<void> {
    for (let wait = 0; wait < 1000; wait++) {
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => this.ask("/healthz")));
      const isSo = (one: PromiseSettledResult<Answer>): boolean =>
        one.status === "fulfilled" && condition(JSON.stringify(one.value.body["degraded"] ?? ""));
      if (all.every(isSo)) return;
      await sleep(10);
    }
    throw new Error("health did not become so");
  }

  async stop(): Promise<void> {
    this.#channel.close();
    await Promise.all([this.server?.drain(0), this.threads.drain(0)]);
  }
}

const isWell = (degraded: string): boolean => degraded === '""';

/** Keep-alive connections that ask again and again while they live. */
function keepAsking(
  port: number,
  count: number,
): { readonly sockets: Socket[]; untilAnswered(): Promise<void> } {
  const body = JSON.stringify(albumRequest());
  const head = `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const answered = new Set<Socket>();
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      if (!bytes.toString().includes("EFFECT_ALLOW")) throw new Error("a wrong answer");
      answered.add(socket);
      setTimeout(() => socket.write(head + body), 2);
    });
    socket.write(head + body);
    return socket;
  });
  /** Waits until every connection that lives has been answered from now on. */
  const untilAnswered = async (): Promise<void> => {
    answered.clear();
    while (sockets.some((socket) => isAlive(socket) && !answered.has(socket))) await sleep(5);
  };
  return { sockets, untilAnswered };
}

function isAlive(socket: Socket): boolean {
  return !socket.destroyed && !socket.readableEnded;
}

describe.skipIf(!IS_BUILT)("serving threads in trouble", () => {
  let bundles: Uint8Array[] = [];
  let servers: Servers | null = null;

  beforeAll(async () => {
    const edited = (POLICIES["album.yaml"] ?? "").replace("public == true", "public != false");
    bundles = [
      await compilePolicies(POLICIES),
      await compilePolicies({ ...POLICIES, "album.yaml": edited }),
    ].map((bundle) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bundle.byteLength));
      shared.set(bundle);
      return shared;
    });
  }, 120_000);

  afterEach(async () => {
    delete process.env["EDICT_TEST_THREADS"];
    release(STARTING);
    release(HANGING);
    await servers?.stop();
    servers = null;
  });

  const load = (index: number): Promise<Engine> => Engine.load(bundles[index] ?? new Uint8Array(0));

  async function start(patience: Partial<typeof PATIENCE> = {}): Promise<Servers> {
    servers = new Servers(await load(0), patience);
    await servers.start();
    return servers;
  }

  /** Swaps to the second bundle. */
  async function swap(to: Servers): Promise<string> {
    const engine = await load(1);
    await to.threads.swap(engine, () => to.state.swap(engine));
    return engine.bundle.shortDigest;
  }

  for (const act of ["throw", "reject"]) {
    it(`replaces one that crashes while the others serve, and says so meanwhile (${act})`, async () => {
      const running = await start();
      const asking = keepAsking(running.port, 24);
      await asking.untilAnswered();
      hold(STARTING);
      await running.tell(1, act);
      await running.untilHealth((degraded) => /serving thread 1 failed: .*told to/.test(degraded));
      // Two threads serve, with the connections they had; those of the third are closed, not left hanging.
      await asking.untilAnswered();
      const alive = asking.sockets.filter(isAlive);
      expect(alive.length).toBeGreaterThan(0);
      expect(alive.length).toBeLessThan(24);
      expect((await running.versions()).size).toBe(1);
      release(STARTING);
      await running.untilHealth(isWell);
      // And again: each failure is a new one.
      hold(STARTING);
      await running.tell(2, act);
      await running.untilHealth((degraded) => degraded.includes("serving thread 2 failed"));
      release(STARTING);
      await running.untilHealth(isWell);
      expect((await running.versions()).size).toBe(1);
      expect(alive.some((socket) => !socket.destroyed)).toBe(true);
      for (const socket of asking.sockets) socket.destroy();
    });
  }

  it("gives one that comes back the version that serves by then", async () => {
    const running = await start();
    const engine = await load(1);
    const { onHealth } = running.threads;
    // In the turn in which it fails, so that it cannot be back before the swap has begun.
    const swapped = new Promise<readonly string[]>((resolve, reject) => {
      running.threads.onHealth = (degraded) => {
        running.threads.onHealth = onHealth;
        onHealth(degraded);
        const swapping = running.threads.swap(engine, () => running.state.swap(engine));
        swapping.then(() => resolve(degraded), reject);
      };
    });
    await running.tell(1, "throw");
    expect(await swapped).toEqual([expect.stringContaining("serving thread 1 failed")]);
    const digest = engine.bundle.shortDigest;
    expect([...(await running.versions())]).toEqual([digest]);
    await running.untilHealth(isWell);
    expect([...(await running.versions())]).toEqual([digest]);
  });

  it("ends the daemon with 4 and the reason when one keeps crashing", async () => {
    const running = await start();
    const kept = (["SIGTERM", "SIGINT", "uncaughtException"] as const).map(
      (event) => [event, process.listeners(event as "SIGTERM")] as const,
    );
    let stopped = false;
    const code = untilStopped(
      running.state,
      running.server as HttpServer,
      running.threads,
      () => (stopped = true),
    );
    process.env["EDICT_TEST_THREADS"] = "die";
    await running.tell(1, "throw");
    expect(await running.threads.failed).toMatch(
      /serving thread 1 failed: .*dead on arrival.*, 4 times in a row/,
    );
    expect(await code).toBe(4);
    expect(stopped).toBe(true);
    for (const [event, listeners] of kept) {
      process.removeAllListeners(event);
      for (const listener of listeners) process.on(event, listener);
    }
  });

  it("keeps the old version everywhere when one refuses the new one", async () => {
    const running = await start();
    const old = [...(await running.versions())];
    await running.tell(2, "refuse");
    await expect(swap(running)).rejects.toThrow(
      /the new version could not be prepared: thread 2: .*told to refuse/,
    );
    expect([...(await running.versions())]).toEqual(old);
    await running.tell(2, "recover");
    const digest = await swap(running);
    expect([...(await running.versions())]).toEqual([digest]);
  });

  it("keeps the old version everywhere when one does not answer, and goes on when it does", async () => {
    const running = await start({ answerMs: 3000 });
    const [old] = await running.versions();
    hold(HANGING);
    await running.tell(1, "hang");
    // The other one may be too slow to answer, but only for a while.
    await expect(swap(running)).rejects.toThrow(/thread 1(, 2)? did not answer in time/);
    expect(running.state.degraded).toContain("serving thread 1 does not answer");
    expect(running.state.engine.bundle.shortDigest).toBe(old);
    running.patience.answerMs = PATIENCE.answerMs;
    release(HANGING);
    await running.untilHealth(isWell);
    // The late answer to the abandoned attempt has changed nothing.
    expect([...(await running.versions())]).toEqual([old]);
    const digest = await swap(running);
    expect([...(await running.versions())]).toEqual([digest]);
  });

  it("keeps the old version everywhere when one crashes over the new one", async () => {
    const running = await start();
    const old = [...(await running.versions())];
    await running.tell(1, "crash-while-preparing");
    await expect(swap(running)).rejects.toThrow(/thread 1 failed: .*crash while preparing/);
    await running.untilHealth(isWell);
    expect([...(await running.versions())]).toEqual(old);
    const digest = await swap(running);
    expect([...(await running.versions())]).toEqual([digest]);
  });

  it("leaves nothing behind when one does not start at all", async () => {
    process.env["EDICT_TEST_THREADS"] = "die";
    servers = new Servers(await load(0), {});
    await expect(servers.start()).rejects.toThrow(/serving thread \d failed: .*dead on arrival/);
    const { port } = servers;
    await servers.stop();
    servers = null;
    const probe = connect(port, "127.0.0.1");
    const [error] = (await once(probe, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });
});
