/** A daemon that gets more than it can do: it sheds, decides what it can, rightly, keeps its memory, and is itself again afterwards. */
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pack, unpackMultiple } from "msgpackr";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientAddress } from "../../../runtime/client/address.ts";
import { ClientSocket } from "../../../runtime/client/web-socket.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, Daemon, IS_BUILT, POLICIES, temporaryDirectory } from "../support/daemon.ts";

const MIB = 1024 * 1024;
const CONNECTIONS = 100;
const RESOURCES = 50;

/**
 * A daemon that gets less than a quarter of a processor sheds nothing (load-gate.ts), and machines that take it away do so for a while.
 */
const PATIENCE_MS = 120_000;

/** A condition that takes long for its lists. */
const SLOW_POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: slow
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: "R.attr.list.all(a, R.attr.list.all(b, a + b >= 0)) && R.attr.public == true"}}
`;

/**
 * A request that takes the daemon more than a millisecond and whoever asks next to nothing: a turn with one of each connection is too long on
 * any machine, and the daemon is what the machine has too little time for. Even ids are public.
 */
const heavy = {
  principal: { id: "alice", roles: ["user"] },
  resources: Array.from({ length: RESOURCES }, (_, index) => ({
    actions: ["view"],
    resource: {
      kind: "slow",
      id: `${index}`,
      attr: { public: index % 2 === 0, list: Array.from({ length: 40 }, (__, item) => item) },
    },
  })),
};

/** Many resources with many actions: answers are many times as long as the request. */
const wordy = {
  includeMeta: true,
  principal: { id: "alice", roles: ["user"] },
  resources: Array.from({ length: RESOURCES }, (_, index) => ({
    actions: ["view", ...Array.from({ length: 49 }, (__, action) => `act-${action}`)],
    resource: {
      kind: "album",
      id: `${index}`,
      attr: { public: index % 2 === 0, flagged: false, locked: false, owner: "bob" },
    },
  })),
};

interface HeavyResponse {
  readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
}

const isRight = (response: HeavyResponse): boolean =>
  response.results.length === RESOURCES &&
  response.results.every(
    ({ actions }, index) => actions["view"] === (index % 2 === 0 ? "EFFECT_ALLOW" : "EFFECT_DENY"),
  );

describe.skipIf(!IS_BUILT || process.platform !== "linux")("an overloaded daemon", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let bundle: Uint8Array;
  let file: string;
  let daemon: Daemon;

  beforeAll(async () => {
    bundle = await compilePolicies({ ...POLICIES, "slow.yaml": SLOW_POLICY });
  }, 120_000);

  beforeEach(async () => {
    directory = await temporaryDirectory();
    file = join(directory.path, "policies.edict");
    await writeFile(file, bundle);
  });

  const start = async (maxDelay: string): Promise<void> => {
    // Workers would take what is to be too much for the serving thread.
    const settings = [
      `overload.maxDelay=${maxDelay}`,
      `overload.maxBufferedBytes=${16 * MIB}`,
      "batches.workers=0",
    ];
    const flags = settings.flatMap((setting) => ["--set", `server.${setting}`]);
    daemon = await Daemon.start("--bundle", file, ...flags);
  };

  afterEach(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  it("sheds with 503 and Retry-After, decides the rest, and recovers", async () => {
    await start("10ms");
    const before = await daemon.memory();
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    const heavyBody = JSON.stringify(heavy);
    const statuses = new Map<number, number>();
    let wrong = 0;
    const ask = (body = heavyBody): Promise<void> =>
      new Promise((resolve, reject) => {
        const call = request(
          {
            host: "127.0.0.1",
            port: daemon.port,
            path: "/api/check/resources",
            method: "POST",
            agent,
            headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => {
              const status = response.statusCode ?? 0;
              const count = (statuses.get(status) ?? 0) + 1;
              statuses.set(status, count);
              const text = Buffer.concat(chunks).toString("utf8");
              // A sample, because reading all of them would slow down whoever asks.
              if (status === 200 && count % 20 === 0 && !isRight(JSON.parse(text) as HeavyResponse)) wrong++;
              if (status === 503) {
                const isSaid = response.headers["retry-after"] === "1" && text.includes('"code":14');
                if (!isSaid) wrong++;
              }
              resolve();
            });
          },
        );
        call.on("error", reject);
        call.end(body);
      });

    const stop = new AbortController();
    const load = Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        while (!stop.signal.aborted) await ask();
      }),
    );
    const isShedding = (): boolean => (statuses.get(503) ?? 0) > 300 && (statuses.get(200) ?? 0) > 300;
    await daemon.until(isShedding, PATIENCE_MS);
    const during = await daemon.json("/healthz");
    const echoed = new Map<number, unknown>();
    const evaluate = async (): Promise<boolean> => {
      const type = { "content-type": "application/json", "x-request-id": "7" };
      const reply = await daemon.request("POST", "/access/v1/evaluation", type, "{}");
      echoed.set(reply.status, reply.headers["x-request-id"]);
      return echoed.has(503);
    };
    await daemon.until(
      async () => (await Promise.all(Array.from({ length: 8 }, evaluate))).includes(true),
      PATIENCE_MS,
    );
    stop.abort();
    await load;

    expect(echoed.get(503)).toBe("7");
    expect([...statuses.keys()].toSorted((one, other) => one - other)).toEqual([200, 503]);
    expect(wrong).toBe(0);
    expect(during).toMatchObject({ status: "SERVING", traps: 0 });
    expect(during["shed"]).toBeGreaterThan(0);
    expect((await daemon.memory()) - before).toBeLessThan(200 * MIB);

    // By itself, and for good: many in a row.
    const light = JSON.stringify(albumRequest());
    let inARow = 0;
    for (let count = 0; count < 2000 && inARow < 30; count++) {
      statuses.clear();
      await ask(light);
      inARow = statuses.has(200) ? inARow + 1 : 0;
    }
    expect(inARow).toBe(30);
    agent.destroy();
  }, 300_000);

  it("sheds frames of the stream with an error that says when to ask again", async () => {
    await start("10ms");
    type Frame = readonly [number | null, unknown, unknown?];
    let decided = 0;
    let shed = 0;
    let wrong = 0;
    const body = pack(heavy);
    const sockets: ClientSocket[] = [];
    let more = true;
    const message = (id: number): Buffer =>
      Buffer.concat(Array.from({ length: 20 }, (_, index) => pack([id + index, body])));
    for (let count = 0; count < 20; count++) {
      const socket: ClientSocket = await ClientSocket.connect(
        clientAddress(daemon.address),
        "/v1/stream",
        50_000,
        {
          message: (bytes) => {
            for (const frame of unpackMultiple(Buffer.from(bytes)) as Frame[]) {
              if (frame[0] === null) continue;
              if (frame[1] === null) {
                shed++;
                const { code, retryAfter } = frame[2] as { code: number; retryAfter: number };
                if (code !== 14 || retryAfter !== 1) wrong++;
              } else decided++;
              if (more && frame[0] % 20 === 19) socket.send(message(frame[0] + 1));
            }
          },
          closed: () => undefined,
        },
      );
      sockets.push(socket);
    }
    for (const socket of sockets) socket.send(message(0));
    await daemon.until(() => shed > 300 && decided > 300, PATIENCE_MS);
    more = false;
    expect(wrong).toBe(0);
    await daemon.until(async () => (await daemon.check(albumRequest())).status === 200);
    for (const socket of sockets) socket.close();
  }, 300_000);

  it("does not keep answers without bound for clients that pipeline and never read", async () => {
    await start("0s");
    await daemon.check(albumRequest());
    const before = await daemon.memory();
    const text = JSON.stringify(wordy);
    const check = `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const flood = Buffer.from(check.repeat(10));
    const closed: Socket[] = [];
    let most = 0;
    const attack = (): Socket => {
      const socket = connect(daemon.port, "127.0.0.1");
      socket.pause();
      socket.on("error", () => undefined);
      socket.on("close", () => closed.push(socket));
      return socket;
    };
    let sockets: Socket[] = [];
    // Until the daemon has got rid of the attackers again and again, or its memory of them.
    while (closed.length < 24 && most - before < 400 * MIB) {
      sockets = sockets.filter((socket) => !socket.destroyed);
      while (sockets.length < 8) sockets.push(attack());
      for (const socket of sockets) if (socket.writableLength < MIB) socket.write(flood);
      await sleep(2);
      most = Math.max(most, await daemon.memory());
    }
    expect(most - before).toBeLessThan(200 * MIB);
    for (const socket of sockets) socket.destroy();
    expect((await daemon.check(albumRequest())).json()).toMatchObject({
      results: [{ actions: { view: "EFFECT_ALLOW" } }],
    });
  }, 300_000);
});
