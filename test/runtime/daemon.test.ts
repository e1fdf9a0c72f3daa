/** The daemon end to end: decisions, both formats, every kind of bad request, routes, headers. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pack, unpack } from "msgpackr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  albumRequest,
  Daemon,
  IS_BUILT,
  POLICIES,
  temporaryDirectory,
  writeFiles,
} from "./support/daemon.ts";

const MSGPACK = { "content-type": "application/msgpack" };

describe.skipIf(!IS_BUILT)("edict serve", () => {
  let daemon: Daemon;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    await writeFiles(directory.path, POLICIES);
    daemon = await Daemon.start(
      "--policies",
      directory.path,
      "--set",
      "server.requestLimits.maxActionsPerResource=3",
    );
  });

  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  const results = [
    { resource: { id: "1", kind: "album" }, actions: { view: "EFFECT_ALLOW", delete: "EFFECT_DENY" } },
  ];

  describe("decisions", () => {
    it("answers JSON with JSON, naming the bundle", async () => {
      const reply = await daemon.check(albumRequest());
      expect(reply.status).toBe(200);
      expect(reply.headers).toMatchObject({
        "content-type": "application/json",
        vary: "Origin",
        "access-control-allow-origin": "*",
        "edict-bundle": expect.stringMatching(/^[0-9a-f]{12}$/),
      });
      expect(reply.json()).toMatchObject({
        requestId: "r1",
        results,
        cerbosCallId: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      });
    });

    it("answers msgpack with msgpack, and either with what Accept asks for", async () => {
      const packed = await daemon.check(pack(albumRequest()), MSGPACK);
      expect(packed.headers["content-type"]).toBe("application/msgpack");
      expect(unpack(packed.body)).toMatchObject({ requestId: "r1", results });

      const asJson = await daemon.check(pack(albumRequest()), { ...MSGPACK, accept: "application/json" });
      expect(asJson.headers["content-type"]).toBe("application/json");
      expect(asJson.json()).toMatchObject({ results });

      const asMsgpack = await daemon.check(albumRequest(), { accept: "application/x-msgpack" });
      expect(unpack(asMsgpack.body)).toMatchObject({ results });
    });

    it("fails closed on an error in a DENY condition", async () => {
      const owned = await daemon.check(
        albumRequest({ public: true, flagged: false, locked: false, owner: "alice" }),
      );
      expect(owned.json()).toMatchObject({ results: [{ actions: { delete: "EFFECT_ALLOW" } }] });
      const unknown = await daemon.check(albumRequest({ public: true, flagged: false, owner: "alice" }));
      expect(unknown.json()).toMatchObject({ results: [{ actions: { delete: "EFFECT_DENY" } }] });
    });

    it("gives every answer its own call id", async () => {
      const ids = new Set<unknown>();
      for (let count = 0; count < 50; count++) {
        const body = (await daemon.check(albumRequest())).json() as { cerbosCallId: string };
        ids.add(body.cerbosCallId);
      }
      expect(ids.size).toBe(50);
    });

    it("decides a body that arrives byte by byte, and several requests on one connection", async () => {
      const body = JSON.stringify(albumRequest());
      const head = `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
      const socket = connect(daemon.port, "127.0.0.1");
      let received = "";
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.write(head);
      for (let at = 0; at < body.length; at += 40) {
        socket.write(body.slice(at, at + 40));
        await sleep(2);
      }
      socket.write((head + body).repeat(3));
      await daemon.until(() => received.split("cerbosCallId").length === 5);
      socket.destroy();
      expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(4);
    });

    it("decides chunked bodies and large bodies", async () => {
      const chunked = await daemon.request(
        "POST",
        "/api/check/resources",
        { "transfer-encoding": "chunked" },
        JSON.stringify(albumRequest()),
      );
      expect(chunked.json()).toMatchObject({ results });
      const attr = { public: true, flagged: false, locked: false, owner: "bob", note: "x".repeat(3_000_000) };
      expect((await daemon.check(albumRequest(attr))).json()).toMatchObject({ results });
    });
  });

  describe("bad requests", () => {
    it.each([
      ['{"principal":{"id":"a","foo":1}}', 'proto: (line 1:24): unknown field "foo" at `principal.foo`'],
      ['{"principal":{"id":"a","id":"b"}}', 'proto: (line 1:24): duplicate field "id" at `principal.id`'],
      ['{"principal":{"id":1}}', "proto: (line 1:20): invalid value for field id: 1 at `principal.id`"],
      [
        '{"principal":{"id":"a","attr":{"a":1,"a":2}}}',
        'proto: (line 1:38): duplicate map key "a" at `principal.attr.a`',
      ],
    ])("names place and field of %s", async (body, message) => {
      const reply = await daemon.check(body);
      expect(reply.status).toBe(400);
      expect(reply.headers["content-type"]).toBe("application/json");
      const field = /at `(.*)`$/.exec(message)?.[1];
      expect(reply.json()).toMatchObject({ code: 3, message, details: [{ field }] });
    });

    it.each([
      ["truncated", '{"principal":{"id":"a"'],
      ["trailing", `${JSON.stringify(albumRequest())} x`],
      ["not an object", "[]"],
      ["a lone surrogate", String.raw`{"principal":{"id":"\ud800"}}`],
      ["deep", `{"principal":{"id":"a","roles":["b"],"attr":{"a":${"[".repeat(5000)}${"]".repeat(5000)}}}}`],
      ["a huge number", '{"principal":{"id":"a","attr":{"a":1e999}}}'],
      ["a control character", '{"principal":{"id":"a\u0001"}}'],
    ])("refuses %s", async (_name, body) => {
      const reply = await daemon.check(body);
      expect(reply.status).toBe(400);
      expect(reply.json()).toMatchObject({
        code: 3,
        message: expect.stringMatching(/^proto: \(line \d+:\d+\): /),
      });
    });

    it("refuses invalid UTF-8 and bad msgpack, naming the field", async () => {
      const text = Buffer.concat([
        Buffer.from('{"principal":{"id":"'),
        Buffer.from([0xff]),
        Buffer.from('"}}'),
      ]);
      expect((await daemon.check(text)).json()).toMatchObject({
        code: 3,
        message: expect.stringContaining("UTF-8"),
      });
      const packed = await daemon.check(pack({ principal: { id: "a", foo: 1 } }), MSGPACK);
      expect(packed.status).toBe(400);
      expect(packed.json()).toMatchObject({
        code: 3,
        message: expect.stringMatching(/^msgpack: \(byte \d+\): unknown field "foo" at `principal\.foo`$/),
      });
    });

    it("words validation failures as Cerbos does", async () => {
      expect((await daemon.check("{}")).json()).toMatchObject({
        code: 3,
        message: "validation errors:\n - principal: value is required\n - resources: value is required",
        details: [{ "@type": "type.googleapis.com/buf.validate.Violations" }],
      });
      const request = {
        principal: { id: "a", roles: ["u"] },
        resources: [{ actions: [], resource: { kind: "k", id: "1" } }],
      };
      for (const reply of [await daemon.check(request), await daemon.check(pack(request), MSGPACK)]) {
        expect(reply.status).toBe(400);
        expect(reply.json()).toMatchObject({
          message: "validation error: resources[0].actions: value is required",
        });
      }
    });

    it("treats an empty body like an empty request", async () => {
      expect((await daemon.check("")).status).toBe(400);
    });

    it("enforces the limits", async () => {
      const principal = { id: "a", roles: ["u"] };
      const resource = { kind: "k", id: "1" };
      const tooManyActions = await daemon.check({
        principal,
        resources: [{ actions: ["a", "b", "c", "d"], resource }],
      });
      expect(tooManyActions.json()).toMatchObject({
        code: 3,
        message: "number of actions (4) exceeds configured limit (3)",
      });
      const many = Array.from({ length: 51 }, () => ({ actions: ["a"], resource }));
      expect((await daemon.check({ principal, resources: many })).json()).toMatchObject({
        code: 3,
        message: "number of resources in batch (51) exceeds configured limit (50)",
      });
    });

    it("refuses tokens that it cannot verify", async () => {
      const reply = await daemon.check({ ...albumRequest(), auxData: { jwt: { token: "a.b.c" } } });
      expect(reply.status).toBe(400);
      expect(reply.json()).toMatchObject({ code: 3, message: "invalid auxData" });
    });

    it("refuses a body over 4 MiB with 413", async () => {
      const reply = await daemon.check(Buffer.alloc(6_000_000, "x"));
      expect(reply.status).toBe(413);
      expect(reply.json()).toMatchObject({ code: 8, message: expect.stringContaining("4194304 bytes") });
      expect((await daemon.check(albumRequest())).status).toBe(200);
    });

    it("hangs up on an endless body", async () => {
      const socket = connect(daemon.port, "127.0.0.1");
      const closed = new AbortController();
      socket.on("data", () => undefined);
      socket.on("error", () => undefined);
      socket.on("close", () => closed.abort());
      socket.write("POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n");
      const chunk = Buffer.alloc(1_000_000, "x");
      for (let sent = 0; sent < 300 && !closed.signal.aborted; sent++) {
        await new Promise((resolve) => socket.write(chunk, resolve));
      }
      await daemon.until(() => closed.signal.aborted);
      expect((await daemon.check(albumRequest())).status).toBe(200);
    });

    it("answers every mutation of a valid body, in both formats, and never with an allow it should not give", async () => {
      const sources = [
        {
          bytes: Buffer.from(
            JSON.stringify(albumRequest({ public: false, flagged: true, locked: true, owner: "bob" })),
          ),
          headers: {},
        },
        {
          bytes: pack(albumRequest({ public: false, flagged: true, locked: true, owner: "bob" })),
          headers: MSGPACK,
        },
      ];
      let seed = 42;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
        return seed % below;
      };
      for (let round = 0; round < 400; round++) {
        const source = sources[round % 2];
        if (source === undefined) continue;
        const cut = source.bytes.subarray(0, random(source.bytes.length));
        const reply = await daemon.check(Uint8Array.from(cut), source.headers);
        expect([400], `truncated to ${cut.length}`).toContain(reply.status);
        const flipped = Uint8Array.from(source.bytes);
        flipped[random(flipped.length)] = random(256);
        const other = await daemon.check(flipped, source.headers);
        expect([200, 400]).toContain(other.status);
      }
      expect(await daemon.json("/healthz")).toMatchObject({ status: "SERVING", traps: 0 });
    });

    it("survives clients that go away in the middle", async () => {
      for (let count = 0; count < 20; count++) {
        const socket = connect(daemon.port, "127.0.0.1");
        socket.write(
          'POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"principal"',
        );
        await sleep(5);
        socket.destroy();
      }
      expect((await daemon.check(albumRequest())).status).toBe(200);
    });
  });

  describe("routes", () => {
    it("tells its version and health", async () => {
      expect(await daemon.json("/api/server_info")).toMatchObject({
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        commit: expect.any(String),
        buildDate: expect.any(String),
      });
      expect(await daemon.json("/_cerbos/health")).toEqual({ status: "SERVING" });
      expect(await daemon.json("/_cerbos/health?service=cerbos.svc.v1.CerbosService")).toEqual({
        status: "SERVING",
      });
      for (const path of ["/healthz", "/readyz"]) {
        expect(await daemon.json(path)).toMatchObject({
          status: "SERVING",
          bundle: expect.stringMatching(/^[0-9a-f]{64}$/),
          since: expect.stringMatching(/^\d{4}-/),
          lastReload: { ok: true },
        });
      }
    });

    it.each([
      ["GET", "/_cerbos/health?service=other", 404, { code: 5, message: "unknown service" }],
      ["GET", "/api/check/resources", 501, { code: 12, message: "Method Not Allowed" }],
      ["PUT", "/api/check/resources", 501, { code: 12, message: "Method Not Allowed" }],
      ["POST", "/api/server_info", 501, { code: 12, message: "Method Not Allowed" }],
      ["POST", "/_cerbos/health", 501, { code: 12, message: "Method Not Allowed" }],
      ["POST", "/healthz", 405, { code: 12, message: "Method Not Allowed" }],
      ["GET", "/api/nope", 404, { code: 5, message: "Not Found" }],
      ["POST", "/api/check/nope", 404, { code: 5, message: "Not Found" }],
    ])("answers %s %s with %i", async (method, path, status, body) => {
      const reply = await daemon.request(method, path);
      expect(reply.status).toBe(status);
      expect(reply.json()).toMatchObject(body);
    });

    it("answers unknown paths with plain text, and HEAD without a body", async () => {
      const unknown = await daemon.request("GET", "/nope");
      expect([unknown.status, unknown.body.toString()]).toEqual([404, "404 page not found\n"]);
      expect(unknown.headers["content-type"]).toBe("text/plain; charset=utf-8");
      const head = await daemon.request("HEAD", "/readyz");
      expect([head.status, head.body.length]).toEqual([200, 0]);
    });

    it("answers preflights on every API path", async () => {
      const headers = {
        origin: "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      };
      for (const path of ["/api/check/resources", "/api/server_info", "/_cerbos/health", "/api/other"]) {
        const reply = await daemon.request("OPTIONS", path, headers);
        expect([path, reply.status]).toEqual([path, 204]);
        expect(reply.headers).toMatchObject({
          "access-control-allow-origin": "*",
          "access-control-allow-methods": "POST",
          "access-control-allow-headers": "content-type",
        });
      }
      const foreign = await daemon.request("OPTIONS", "/api/check/resources", {
        ...headers,
        "access-control-request-headers": "x-odd",
      });
      expect(foreign.headers["access-control-allow-origin"]).toBeUndefined();
    });
  });
});
