/** `edict/client` against a real daemon over both transports, and against servers that fail in every way. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Client, ClientError, type ClientOptions } from "../../../runtime/client/index.ts";
import type { CheckRequest } from "../../../runtime/guest/messages.ts";
import { Daemon, IS_BUILT, POLICIES, temporaryDirectory, writeFiles } from "../support/daemon.ts";

/** How long each wait was meant to be, in milliseconds. */
const waits: number[] = [];
vi.mock(import("node:timers/promises"), async (original) => {
  const timers = await original();
  const noted: typeof timers.setTimeout = (ms, value, options) => {
    if (ms !== undefined) waits.push(ms);
    return timers.setTimeout(ms, value, options);
  };
  return { ...timers, setTimeout: noted };
});

/** Longer than any machine takes to answer, or to try as often as may be. */
const PATIENCE_MS = 50_000;

const alice = { id: "alice", roles: ["user"] };
const album = (id: string, isPublic: boolean): CheckRequest["resources"][number]["resource"] => ({
  kind: "album",
  id,
  attr: { public: isPublic, flagged: false, owner: "bob" },
});

describe.skipIf(!IS_BUILT)("a client of a daemon", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let daemon: Daemon;
  let onSocket: Daemon;
  let client: Client | null = null;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const policies = join(directory.path, "policies");
    await writeFiles(policies, POLICIES);
    daemon = await Daemon.start("--policies", policies);
    onSocket = await Daemon.start("--policies", policies, "--unix", join(directory.path, "edict.sock"));
  });

  afterEach(() => client?.close());

  afterAll(async () => {
    await daemon.stop();
    await onSocket.stop();
    await directory.remove();
  });

  const open = (options: ClientOptions, to = daemon): Client => {
    client = new Client(to.address, { timeoutMs: PATIENCE_MS, ...options });
    return client;
  };

  for (const transport of ["http", "stream"] as const) {
    it(`gives every one of many calls of a tick its own answer (${transport})`, async () => {
      const own = open({ transport });
      const answers = await Promise.all(
        Array.from({ length: 700 }, (_, index) =>
          own.isAllowed({ principal: alice, resource: album(`${index}`, index % 3 === 0), action: "view" }),
        ),
      );
      expect(answers).toEqual(Array.from({ length: 700 }, (_, index) => index % 3 === 0));
    });

    it(`keeps calls of different principals and their request ids apart (${transport})`, async () => {
      const own = open({ transport });
      const requests = Array.from({ length: 40 }, (_, index) => ({
        requestId: `r${index}`,
        principal: { id: index % 2 === 0 ? "bob" : "alice", roles: ["user"] },
        resources: [{ resource: album(`${index}`, false), actions: ["view"] }],
      }));
      const responses = await own.checkMany(requests);
      for (const [index, response] of responses.entries()) {
        expect(response.requestId).toBe(`r${index}`);
        expect(response.results[0]?.resource.id).toBe(`${index}`);
        expect(response.results[0]?.actions["view"]).toBe(index % 2 === 0 ? "EFFECT_ALLOW" : "EFFECT_DENY");
      }
    });

    it(`rejects a bad request, and only that one (${transport})`, async () => {
      const own = open({ transport });
      const good = { principal: alice, resource: album("1", true), action: "view" };
      const [bad, fine] = await Promise.allSettled([
        own.isAllowed({ ...good, action: "" }),
        own.isAllowed(good),
      ]);
      expect(bad).toMatchObject({ status: "rejected", reason: { code: "EDICT_CLIENT_REQUEST" } });
      expect(fine).toEqual({ status: "fulfilled", value: true });
    });

    it(`asks over a Unix socket (${transport})`, async () => {
      const own = open({ transport }, onSocket);
      expect(await own.isAllowed({ principal: alice, resource: album("1", true), action: "view" })).toBe(
        true,
      );
    });
  }

  it("connects again when the stream was lost", async () => {
    const policies = join(directory.path, "policies");
    // Below the ports that the kernel gives to outgoing connections: a client that tries again and again to reach such
    // a port while nobody listens there ends up connected to itself, and keeps the port.
    const address = `127.0.0.1:${20_000 + (process.pid % 10_000)}`;
    let other = await Daemon.start("--policies", policies, "--http", address);
    const own = open({ transport: "stream" }, other);
    const question = { principal: alice, resource: album("1", true), action: "view" };
    expect(await own.isAllowed(question)).toBe(true);
    await other.stop();
    expect(await own.isAllowed(question)).toBe(false);
    other = await Daemon.start("--policies", policies, "--http", address);
    expect(await own.isAllowed(question)).toBe(true);
    await other.stop();
  });
});

/** The answer of a server that allows viewing one album. */
const allow = (id: string): string =>
  JSON.stringify({
    requestId: "r",
    results: [{ resource: { id, kind: "album" }, actions: { view: "EFFECT_ALLOW" } }],
    cerbosCallId: "c",
  });

describe("a client without a decision", () => {
  let server: Server | null = null;
  let client: Client | null = null;
  const seen: string[] = [];

  /** A server that answers with `handler`. */
  async function serve(handler: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
    seen.length = 0;
    server = createServer((req, res) => {
      let body = "";
      req.on("data", (chunk: Buffer) => (body += chunk.toString()));
      req.on("end", () => {
        seen.push(body);
        handler(req, res);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  const request: CheckRequest = {
    requestId: "r",
    principal: alice,
    resources: [{ resource: album("1", true), actions: ["view", "__proto__"] }],
  };
  afterEach(() => {
    client?.close();
    server?.closeAllConnections();
    server?.close();
    server = null;
  });

  it("denies every action with the reason, or throws when told to", async () => {
    const address = await serve((_req, res) => res.destroy());
    client = new Client(address, { timeoutMs: PATIENCE_MS });
    const response = await client.check(request);
    expect(response).toMatchObject({ requestId: "r", cerbosCallId: "" });
    expect(response.unavailable).not.toBe("");
    expect(Object.entries(response.results[0]?.actions ?? {})).toEqual([
      ["view", "EFFECT_DENY"],
      ["__proto__", "EFFECT_DENY"],
    ]);
    expect(seen.length).toBeGreaterThan(1);
    const strict = new Client(address, { timeoutMs: PATIENCE_MS, onUnavailable: "throw" });
    await expect(strict.check(request)).rejects.toMatchObject({ code: "EDICT_CLIENT_UNAVAILABLE" });
    strict.close();
  });

  it("asks again after a 503, and takes the answer", async () => {
    const address = await serve((_req, res) => {
      if (seen.length < 3) res.writeHead(503, { "Retry-After": "0" }).end("{}");
      else res.end(allow("1"));
    });
    client = new Client(address, { timeoutMs: PATIENCE_MS });
    expect((await client.check(request)).results[0]?.actions["view"]).toBe("EFFECT_ALLOW");
    expect(seen).toHaveLength(3);
  });

  it("does not wait for a server beyond the deadline, whatever Retry-After says", async () => {
    const address = await serve((_req, res) => res.writeHead(503, { "Retry-After": "3600" }).end("{}"));
    client = new Client(address, { timeoutMs: PATIENCE_MS });
    expect((await client.check(request)).unavailable).toMatch(/^503/);
    expect(seen).toHaveLength(1);
  });

  it("does not come back all at once when it is told to come back later", async () => {
    const shed = new Set<string>();
    const address = await serve((req, res) => {
      const id = String(req.headers["x-id"]);
      if (shed.has(id)) res.end(allow("1"));
      else res.writeHead(503, { "Retry-After": "1" }).end("{}");
      shed.add(id);
    });
    const clients = Array.from(
      { length: 20 },
      (_, index) => new Client(address, { timeoutMs: PATIENCE_MS, headers: { "x-id": `${index}` } }),
    );
    waits.length = 0;
    const responses = await Promise.all(clients.map((one) => one.check(request)));
    expect(responses.every(({ unavailable }) => unavailable === undefined)).toBe(true);
    expect(seen).toHaveLength(40);
    expect(waits).toHaveLength(20);
    // Waits of the same length would end in the same few milliseconds; no wait is as long as another.
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(100);
    for (const one of clients) one.close();
  });

  it("gives up on a server that never answers", async () => {
    const address = await serve(() => undefined);
    client = new Client(address, { timeoutMs: 200 });
    expect((await client.check(request)).unavailable).toBe("no answer in time");
  });

  it("takes no answer about something else, no 500 and no nonsense for a decision", async () => {
    const replies = [
      allow("2"),
      '{"results":[]}',
      "[]",
      "not json",
      '{"results":[{"resource":{"id":"1","kind":"x"},"actions":{"view":"EFFECT_ALLOW"}}]}',
    ];
    for (const reply of replies) {
      const address = await serve((_req, res) => res.end(reply));
      const own = new Client(address, { timeoutMs: PATIENCE_MS });
      expect((await own.check(request)).unavailable, reply).toBeTruthy();
      own.close();
      server?.closeAllConnections();
      server?.close();
    }
    const address = await serve((_req, res) => res.writeHead(500).end(allow("1")));
    client = new Client(address, { timeoutMs: PATIENCE_MS });
    expect((await client.check(request)).unavailable).toMatch(/^500/);
    expect(seen).toHaveLength(1);
  });

  it("refuses addresses it cannot reach and calls after its end", async () => {
    expect(() => new Client("https://127.0.0.1")).toThrow(TypeError);
    expect(() => new Client("127.0.0.1:3592")).toThrow(TypeError);
    const own = new Client("http://127.0.0.1:9");
    own.close();
    await expect(own.check(request)).rejects.toThrow(ClientError);
  });
});
