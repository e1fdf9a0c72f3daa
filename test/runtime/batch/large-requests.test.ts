/** Large requests through the daemon: over HTTP and over the stream, beside small ones, and with clients that misbehave. */
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Packr, unpack, unpackMultiple } from "msgpackr";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clientAddress } from "../../../runtime/client/address.ts";
import { ClientSocket } from "../../../runtime/client/web-socket.ts";
import { uniformPolicy } from "../../support/uniform-policy.ts";
import { Daemon, IS_BUILT, POLICIES, temporaryDirectory, writeFiles } from "../support/daemon.ts";

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Far less than the ten seconds that requests in flight are waited for. */
const QUICK_STOP_MS = 8000;

const album = (index: number): object => ({
  actions: ["view"],
  resource: {
    kind: "album",
    id: `album ${index}`,
    attr: { public: index % 2 === 0, flagged: false, locked: false, owner: "bob", tags: ["a", "b"] },
  },
});
const request = (count: number): object => ({
  requestId: `r${count}`,
  principal: { id: "alice", roles: ["user"] },
  resources: Array.from({ length: count }, (_, index) => album(index)),
});

/** A frame of the stream. */
const frame = (id: number, count: number): Uint8Array => packr.pack([id, packr.pack(request(count))]);

interface Response {
  readonly requestId: string;
  readonly results: readonly { resource: { id: string }; actions: { view: string } }[];
}

function expectRight(response: unknown, count: number): void {
  const { requestId, results } = response as Response;
  expect(requestId).toBe(`r${count}`);
  const wrong = results.filter(({ resource, actions }, index) => {
    const effect = index % 2 === 0 ? "EFFECT_ALLOW" : "EFFECT_DENY";
    return resource.id !== `album ${index}` || actions.view !== effect;
  });
  expect([results.length, wrong]).toEqual([count, []]);
}

/** The bytes of a check request, head included. */
function rawRequest(body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(
      `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    ),
    bytes,
  ]);
}

describe.skipIf(!IS_BUILT)("large requests", () => {
  let directory: { readonly path: string; remove(): Promise<void> };
  let daemon: Daemon;
  beforeEach(async () => {
    directory = await temporaryDirectory();
    await writeFiles(directory.path, POLICIES);
  });
  afterEach(async () => {
    await daemon.stop();
    await directory.remove();
  });
  const start = async (...more: readonly string[]): Promise<void> => {
    const set = ["server.requestLimits.maxResourcesPerRequest=10000", "server.batches.workers=2", ...more];
    daemon = await Daemon.start("--policies", directory.path, ...set.flatMap((one) => ["--set", one]));
  };
  const binary = { "content-type": "application/msgpack" };

  it("of up to 10,000 pairs are answered beside small ones, in both formats, by any number of workers", async () => {
    for (const workers of [0, 1, 3]) {
      await start(`server.batches.workers=${workers}`);
      const ask = async (count: number): Promise<void> => {
        const json = await daemon.check(request(count));
        expect(json.status).toBe(200);
        expect(json.headers["edict-bundle"]).toMatch(/^[0-9a-f]{12}$/);
        expectRight(json.json(), count);
        const packed = await daemon.request(
          "POST",
          "/api/check/resources",
          binary,
          packr.pack(request(count)),
        );
        expect(packed.headers["content-type"]).toBe("application/msgpack");
        expectRight(unpack(packed.body), count);
      };
      await Promise.all([10_000, 1, 3000, 2, 10_000, 3].map((count) => ask(count)));
      expect(await daemon.json("/healthz")).toMatchObject({ traps: 0 });
      if (workers !== 3) await daemon.stop();
    }
  }, 240_000);

  it("are refused as small ones are, and the place of a fault is that in the whole request", async () => {
    await start("server.requestLimits.maxBodyBytes=3000000");
    const over = await daemon.check(request(10_001));
    expect([over.status, over.json()]).toMatchObject([
      400,
      { code: 3, message: "number of resources in batch (10001) exceeds configured limit (10000)" },
    ]);
    const broken = JSON.stringify(request(8000)).replace('"album 7000"', '""');
    const refused = await daemon.check(broken);
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.json())).toContain("resources[7000].resource.id: value is required");
    const text = JSON.stringify(request(8000)).replace('"album 7000"', "album");
    expect(JSON.stringify((await daemon.check(text)).json())).toContain("resources[7000].resource.id");
    expect((await daemon.check(request(20_000))).status).toBe(413);
    const pairs = request(1500) as { resources: { actions: string[] }[] };
    for (const one of pairs.resources) one.actions = Array.from({ length: 7 }, (_, index) => `a${index}`);
    expect(JSON.stringify((await daemon.check(pairs)).json())).toContain(
      "number of resource and action pairs in batch (10500) exceeds configured limit (10000)",
    );
  });

  it("are each answered by one version while versions are swapped", async () => {
    await start();
    const file = join(directory.path, "album.yaml");
    const effects = new Map<string, Set<string>>();
    const done = new AbortController();
    const asking = Array.from({ length: 3 }, async () => {
      while (!done.signal.aborted) {
        const answer = await daemon.check(request(2000));
        expect(answer.status).toBe(200);
        const bundle = String(answer.headers["edict-bundle"]);
        const seen = effects.get(bundle) ?? new Set<string>();
        effects.set(bundle, seen);
        const { results } = answer.json() as Response;
        for (const effect of new Set(results.map(({ actions }) => actions.view))) seen.add(effect);
      }
    });
    const versions = new Set<unknown>();
    for (const effect of ["ALLOW", "DENY", "ALLOW", "DENY"] as const) {
      const before = (await daemon.json("/healthz"))["bundle"];
      await writeFile(file, uniformPolicy("album", effect));
      daemon.process.kill("SIGHUP");
      await daemon.until(async () => (await daemon.json("/healthz"))["bundle"] !== before);
      const version = String((await daemon.json("/healthz"))["bundle"]).slice(0, 12);
      versions.add(version);
      await daemon.until(() => effects.has(version));
    }
    done.abort();
    await Promise.all(asking);
    for (const version of versions) expect(effects.get(String(version))?.size).toBe(1);
    expect(versions.size).toBe(2);
  }, 240_000);

  it("come back whole to a client that reads slowly, and keep nobody else waiting", async () => {
    await start();
    const socket = connect(daemon.port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.write(rawRequest(JSON.stringify({ ...request(10_000), includeMeta: true })));
    await sleep(300);
    for (let small = 0; small < 20; small++) expectRight((await daemon.check(request(1))).json(), 1);
    for await (const chunk of socket) {
      chunks.push(chunk as Buffer);
      if (chunks.length % 8 === 0) await sleep(5);
      const all = Buffer.concat(chunks);
      const head = all.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(all.toString("latin1", 0, head))?.[1] ?? 0);
      if (head < 0 || all.length < head + 4 + length) continue;
      expectRight(JSON.parse(all.toString("utf8", head + 4)), 10_000);
      break;
    }
    // The connection goes on.
    expectRight((await daemon.check(request(5000))).json(), 5000);
  });

  it("of clients that go away leave nothing behind: the daemon stops at once", async () => {
    const stopTimes: number[] = [];
    // A machine that stands still makes a stop slow now and then, what is left behind makes every one slow.
    while (stopTimes.length < 4 && !stopTimes.some((ms) => ms < QUICK_STOP_MS)) {
      await start();
      for (let round = 0; round < 20; round++) {
        const socket = connect(daemon.port, "127.0.0.1");
        const bytes = rawRequest(JSON.stringify(request(5000)));
        socket.write(round % 2 === 0 ? bytes : bytes.subarray(0, bytes.length - 10));
        await sleep(10);
        socket.destroy();
      }
      expectRight((await daemon.check(request(3000))).json(), 3000);
      const began = performance.now();
      daemon.terminate();
      expect(await daemon.stop()).toBe(0);
      stopTimes.push(performance.now() - began);
    }
    expect(Math.min(...stopTimes)).toBeLessThan(QUICK_STOP_MS);
  }, 240_000);

  it("that are being decided when the daemon is told to stop are answered", async () => {
    await start();
    await daemon.check(request(2000));
    const answers = Array.from({ length: 5 }, () => daemon.check(request(8000)));
    await sleep(60);
    daemon.terminate();
    for (const answer of await Promise.allSettled(answers)) {
      if (answer.status === "fulfilled") expectRight(answer.value.json(), 8000);
    }
    expect(await daemon.stop()).toBe(0);
  });

  it("are answered over the stream when they are decided, and small ones do not wait for them", async () => {
    await start();
    const frames: (readonly [number | null, unknown])[] = [];
    const socket = await ClientSocket.connect(clientAddress(daemon.address), "/v1/stream", 50_000, {
      message: (bytes) => frames.push(...(unpackMultiple(Buffer.from(bytes)) as typeof frames)),
      closed: () => undefined,
    });
    // A large one and a small one in each message, so that both have come when the first is begun.
    for (const id of [1, 3]) socket.send(Buffer.concat([frame(id, 8000), frame(id + 1, 5)]));
    const answers = (): typeof frames => frames.filter(([id]) => id !== null);
    await daemon.until(() => answers().length === 4);
    for (const [id, response] of answers()) {
      expectRight(unpack(response as Uint8Array), id === 1 || id === 3 ? 8000 : 5);
    }
    const order = answers().map(([id]) => id);
    expect(new Set(order)).toEqual(new Set([1, 2, 3, 4]));
    for (const large of [1, 3]) expect(order.indexOf(large + 1)).toBeLessThan(order.indexOf(large));
    socket.close();
  });
});
