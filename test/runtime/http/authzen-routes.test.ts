/** AuthZEN over HTTP: what is answered, refused, echoed and limited on its routes, and that nothing hostile gets through. */
import { connect } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pack, unpack } from "msgpackr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compilePolicies } from "../support/bundles.ts";
import { Daemon, IS_BUILT, type Reply, temporaryDirectory } from "../support/daemon.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: record
  version: default
  rules:
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: 'R.attr.public == true'}}
    - actions: [erase]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: 'request.action.properties.soft == true && request.context.zone == "inside"'}}
    - actions: [burn]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: 'R.attr.list.all(x, R.attr.list.all(y, R.attr.list.all(z, x + y + z >= 0.0)))'}}
`;

const EVALUATION = "/access/v1/evaluation";
const EVALUATIONS = "/access/v1/evaluations";
const METADATA = "/.well-known/authzen-configuration";
const JSON_TYPE = { "content-type": "application/json" };
const MSGPACK = { "content-type": "application/msgpack" };

const question = (properties: object = { public: true }, action: object = { name: "read" }) => ({
  subject: { type: "user", id: "alice" },
  action,
  resource: { type: "record", id: "1", properties },
});

const many = {
  subject: { type: "user", id: "alice" },
  action: { name: "read" },
  evaluations: [
    { resource: { type: "record", id: "1", properties: { public: true } } },
    { resource: { type: "record", id: "1", properties: { public: false } } },
    {},
  ],
};
const manyAnswers = {
  evaluations: [
    { decision: true },
    { decision: false },
    { decision: false, context: { error: { status: 400, message: "`resource` is missing" } } },
  ],
};

describe.skipIf(!IS_BUILT)("the AuthZEN routes", () => {
  let daemon: Daemon;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const bundle = join(directory.path, "policies.edict");
    await writeFile(bundle, await compilePolicies({ "record.yaml": POLICY }));
    daemon = await Daemon.start("--bundle", bundle);
  }, 120_000);
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  const ask = (body: unknown, headers: Record<string, string> = {}, path = EVALUATION): Promise<Reply> => {
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return daemon.request("POST", path, { ...JSON_TYPE, ...headers }, bytes);
  };

  describe("decisions", () => {
    it("answers one evaluation in JSON, naming the bundle", async () => {
      const reply = await ask(question());
      expect(reply.status).toBe(200);
      expect(reply.headers).toMatchObject({
        "content-type": "application/json",
        "access-control-allow-origin": "*",
        "edict-bundle": expect.stringMatching(/^[0-9a-f]{12}$/),
      });
      expect(reply.headers["x-request-id"]).toBeUndefined();
      expect(reply.body.toString()).toBe('{"decision":true}');
      expect((await ask(question({ public: false }))).body.toString()).toBe('{"decision":false}');
    });

    it("answers many, with defaults and failed items, and none of them as one", async () => {
      expect((await ask(many, {}, EVALUATIONS)).json()).toEqual(manyAnswers);
      expect((await ask({ ...question(), evaluations: [] }, {}, EVALUATIONS)).json()).toEqual({
        decision: true,
      });
      expect((await ask(question(), {}, EVALUATIONS)).json()).toEqual({ decision: true });
    });

    it("lets conditions see the action's properties and the context", async () => {
      const erase = { ...question({}, { name: "erase", properties: { soft: true } }) };
      expect((await ask({ ...erase, context: { zone: "inside" } })).json()).toEqual({ decision: true });
      expect((await ask({ ...erase, context: { zone: "outside" } })).json()).toEqual({ decision: false });
      expect((await ask(erase)).json()).toEqual({ decision: false });
    });

    it("answers msgpack with msgpack, and either with what Accept asks for", async () => {
      const packed = await ask(pack(question()), MSGPACK);
      expect(packed.headers["content-type"]).toBe("application/msgpack");
      expect(unpack(packed.body)).toEqual({ decision: true });
      const several = await ask(pack(many), MSGPACK, EVALUATIONS);
      expect(unpack(several.body)).toEqual(manyAnswers);
      const asJson = await ask(pack(question()), { ...MSGPACK, accept: "application/json" });
      expect(asJson.headers["content-type"]).toBe("application/json");
      expect(asJson.json()).toEqual({ decision: true });
      const asMsgpack = await ask(question(), { accept: "application/msgpack" });
      expect(unpack(asMsgpack.body)).toEqual({ decision: true });
    });

    it("decides bodies that come byte by byte, in chunks, and several on one connection", async () => {
      const body = JSON.stringify(question());
      const head = `POST ${EVALUATION} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      const socket = connect(daemon.port, "127.0.0.1");
      let received = "";
      socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
      socket.write(head);
      for (let at = 0; at < body.length; at += 30) {
        socket.write(body.slice(at, at + 30));
        await sleep(2);
      }
      socket.write((head + body).repeat(3));
      await daemon.until(() => received.split('{"decision":true}').length === 5);
      socket.destroy();
      const chunked = await ask(question(), { "transfer-encoding": "chunked" });
      expect(chunked.json()).toEqual({ decision: true });
    });

    it("decides large bodies on the spot", async () => {
      const evaluations = Array.from({ length: 2000 }, (_, index) => ({
        resource: {
          type: "record",
          id: `${index}`,
          properties: { public: index % 3 === 0, note: "x".repeat(1000) },
        },
      }));
      const reply = await ask({ ...many, evaluations }, {}, EVALUATIONS);
      const body = reply.json() as { evaluations: readonly { decision: boolean }[] };
      expect(body.evaluations.map(({ decision }) => decision)).toEqual(
        evaluations.map((_, index) => index % 3 === 0),
      );
    });

    it("denies what takes too long, and says so", async () => {
      const list = Array.from({ length: 500 }, (_, index) => index);
      const burn = question({ list }, { name: "burn" });
      const reply = await ask(burn);
      expect([reply.status, reply.json()]).toEqual([200, { decision: false }]);
      expect(reply.headers["edict-deny-reason"]).toBe("evaluation-budget");
      const several = await ask(
        { ...burn, evaluations: [{}, { action: { name: "read" } }] },
        {},
        EVALUATIONS,
      );
      expect(several.json()).toEqual({ evaluations: [{ decision: false }, { decision: false }] });
      expect(several.headers["edict-deny-reason"]).toBe("evaluation-budget");
    });
  });

  describe("refusals", () => {
    it.each([
      [{ action: { name: "a" }, resource: { type: "r", id: "1" } }, "subject", "is missing"],
      [{ ...question(), subject: null }, "subject", ""],
      [{ ...question(), subject: "alice" }, "subject", "must be an object"],
      [{ ...question(), subject: { type: "user" } }, "subject.id", "is missing or empty"],
      [{ ...question(), subject: { type: "", id: "a" } }, "subject.type", "is missing or empty"],
      [{ ...question(), subject: { type: "u", id: 1 } }, "subject.id", "must be a string"],
      [
        { ...question(), subject: { type: "u", id: "1", properties: [] } },
        "subject.properties",
        "must be an object",
      ],
      [{ ...question(), action: {} }, "action.name", "is missing or empty"],
      [{ ...question(), action: { name: 123 } }, "action.name", "must be a string"],
      [{ ...question(), action: [] }, "action", "must be an object"],
      [{ ...question(), resource: { type: "r" } }, "resource.id", "is missing or empty"],
      [{ ...question(), resource: { id: "1" } }, "resource.type", "is missing or empty"],
      [{ ...question(), context: "x" }, "context", "must be an object"],
      [question({ "cerbos.scope": "no scope!" }), 'resource.properties["cerbos.scope"]', "is not a scope"],
    ])("names the field of %j", async (body, field, reason) => {
      for (const reply of [await ask(body), await ask(pack(body), MSGPACK)]) {
        expect(reply.status).toBe(400);
        expect(reply.headers["content-type"]).toBe("application/json");
        const answer = reply.json() as { message: string };
        expect(answer).toMatchObject({ code: 3, details: [{ field, reason: answer.message }] });
        expect(answer.message).toContain(reason);
      }
    });

    it.each([
      ["a list that is none", { ...question(), evaluations: {} }, "evaluations"],
      ["options that are none", { ...many, options: 1 }, "options"],
      [
        "an unknown semantic",
        { ...many, options: { evaluations_semantic: "any" } },
        "options.evaluations_semantic",
      ],
    ])("refuses a batch with %s", async (_name, body, field) => {
      const reply = await ask(body, {}, EVALUATIONS);
      expect(reply.status).toBe(400);
      expect(reply.json()).toMatchObject({ code: 3, details: [{ field }] });
    });

    it.each([
      ["truncated", '{"subject":{"id":"a"'],
      ["trailing data", `${JSON.stringify(question())} x`],
      ["no object", "[]"],
      ["no body", ""],
      ["a repeated key", '{"subject":{"type":"user","id":"a","id":"b"}}'],
      ["a repeated free key", JSON.stringify(question()).replace('{"public":true}', '{"a":1,"a":2}')],
      ["a lone surrogate", String.raw`{"subject":{"id":"\ud800"}}`],
      ["deep nesting", `{"context":${"[".repeat(5000)}${"]".repeat(5000)}}`],
      ["a huge number", '{"context":{"a":1e999}}'],
      ["a control character", '{"subject":{"id":"a\u0001"}}'],
    ])("refuses %s, saying where", async (_name, body) => {
      for (const path of [EVALUATION, EVALUATIONS]) {
        const reply = await ask(body, {}, path);
        expect(reply.status).toBe(400);
        expect(reply.json()).toMatchObject({
          code: 3,
          message: expect.stringMatching(/^proto: \(line \d+:\d+\): /),
        });
      }
    });

    it.each([
      "",
      "text/plain",
      "application/jsonx",
      "application/xml; x=application/json",
      "multipart/form-data",
    ])("takes no Content-Type %j", async (type) => {
      for (const path of [EVALUATION, EVALUATIONS]) {
        const reply = await daemon.request(
          "POST",
          path,
          type === "" ? {} : { "content-type": type },
          JSON.stringify(question()),
        );
        expect(reply.status).toBe(400);
        expect(reply.json()).toMatchObject({ code: 3, message: expect.stringContaining("Content-Type") });
      }
    });

    it.each(["application/json; charset=utf-8", "Application/JSON", "application/json;"])(
      "takes Content-Type %j",
      async (type) => {
        expect((await ask(question(), { "content-type": type })).json()).toEqual({ decision: true });
      },
    );

    it("refuses a body over 4 MiB with 413 and decides the next one", async () => {
      const reply = await ask(Buffer.alloc(6_000_000, "x"), { "x-request-id": "large" });
      expect(reply.status).toBe(413);
      expect(reply.headers["x-request-id"]).toBe("large");
      expect((await ask(question())).status).toBe(200);
    });

    it("answers every mutation of valid bodies, and never with a decision it should not give", async () => {
      const bodies = [question({ public: false }), { ...many, evaluations: many.evaluations.slice(1) }];
      const sources = bodies.flatMap((body, index) => {
        const path = index === 0 ? EVALUATION : EVALUATIONS;
        return [
          { bytes: Buffer.from(JSON.stringify(body)), headers: {}, path },
          { bytes: Buffer.from(pack(body)), headers: { ...MSGPACK, accept: "application/json" }, path },
        ];
      });
      let seed = 7;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
        return seed % below;
      };
      for (let round = 0; round < 600; round++) {
        const source = sources[round % sources.length];
        if (source === undefined) continue;
        const { bytes, headers, path } = source;
        const cut = await ask(Uint8Array.from(bytes.subarray(0, random(bytes.length))), headers, path);
        expect(cut.status).toBe(400);
        const flipped = Uint8Array.from(bytes);
        flipped[random(flipped.length)] = random(256);
        const other = await ask(flipped, headers, path);
        expect([200, 400]).toContain(other.status);
        expect(other.body.toString()).not.toContain('"decision":true');
      }
      expect(await daemon.json("/healthz")).toMatchObject({ status: "SERVING", traps: 0 });
    });

    it("survives clients that go away in the middle", async () => {
      for (let count = 0; count < 20; count++) {
        const socket = connect(daemon.port, "127.0.0.1");
        socket.write(
          `POST ${EVALUATION} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"subject"`,
        );
        await sleep(5);
        socket.destroy();
      }
      expect((await ask(question())).status).toBe(200);
    });
  });

  describe("headers and routes", () => {
    it("echoes X-Request-ID on every answer", async () => {
      const id = { "x-request-id": "bfe9eb29-ab87 4ca3" };
      const replies = [
        await ask(question(), id),
        await ask(pack(question()), { ...MSGPACK, ...id }),
        await ask(many, id, EVALUATIONS),
        await ask("{", id),
        await ask({}, id),
        await ask(question(), { ...id, "content-type": "text/plain" }),
        await daemon.request("GET", EVALUATION, id),
        await daemon.request("PUT", EVALUATIONS, id),
        await daemon.request("POST", "/access/v1/none", id),
      ];
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 400, 400, 400, 405, 405, 404]);
      for (const { headers } of replies) expect(headers["x-request-id"]).toBe("bfe9eb29-ab87 4ca3");
      const check = await daemon.request("POST", "/api/check/resources", { ...JSON_TYPE, ...id }, "{}");
      expect(check.headers["x-request-id"]).toBeUndefined();
    });

    it("echoes no id that could be more than one header", async () => {
      expect(
        (await ask(question(), { "x-request-id": "x".repeat(256) })).headers["x-request-id"],
      ).toHaveLength(256);
      for (const id of ["x".repeat(257), "a\tb", "caf\u00e9 au lait"]) {
        const reply = await ask(question(), { "x-request-id": id });
        expect([reply.status, reply.headers["x-request-id"]]).toEqual([200, undefined]);
      }
      // Bytes that no client library would send.
      for (const value of ["a\rSet-Cookie: x=1", "a\nSet-Cookie: x=1", "a\u0000b"]) {
        const body = JSON.stringify(question());
        const socket = connect(daemon.port, "127.0.0.1");
        const received = await new Promise<string>((resolve) => {
          let text = "";
          socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
          socket.on("error", () => undefined);
          socket.on("close", () => resolve(text));
          socket.write(
            `POST ${EVALUATION} HTTP/1.1\r\nHost: x\r\nX-Request-ID: ${value}\r\nContent-Type: application/json\r\n` +
              `Content-Length: ${body.length}\r\n\r\n${body}`,
          );
          setTimeout(() => socket.end(), 200);
        });
        expect(received).not.toMatch(/set-cookie/i);
      }
    });

    it("answers several header lines with the cross-origin ones", async () => {
      const preflight = await daemon.request("OPTIONS", EVALUATION, {
        origin: "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      });
      expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([204, "*"]);
      const wrong = await daemon.request("GET", EVALUATION);
      expect(wrong.headers["allow"]).toBe("POST");
      expect(wrong.json()).toMatchObject({ code: 12, message: "Method Not Allowed" });
    });

    it("describes itself", async () => {
      const base = `http://127.0.0.1:${daemon.port}`;
      const reply = await daemon.request("GET", METADATA);
      expect(reply.status).toBe(200);
      expect(reply.headers).toMatchObject({
        "content-type": "application/json",
        "cache-control": "private, max-age=3600",
      });
      expect(reply.json()).toMatchObject({
        policy_decision_point: base,
        access_evaluation_endpoint: base + EVALUATION,
        access_evaluations_endpoint: base + EVALUATIONS,
        capabilities: expect.arrayContaining([expect.stringMatching(/^urn:/)]),
      });
      const tenant = await daemon.request("GET", `${METADATA}/tenant1`);
      expect(tenant.json()).toMatchObject({ policy_decision_point: `${base}/tenant1` });
      const proxied = await daemon.request("GET", METADATA, { "x-forwarded-proto": "https" });
      expect(proxied.json()).toMatchObject({ policy_decision_point: base.replace("http:", "https:") });
      const head = await daemon.request("HEAD", METADATA);
      expect([head.status, head.body.length]).toEqual([200, 0]);
      expect((await daemon.request("POST", METADATA)).status).toBe(405);
      expect((await daemon.request("GET", `${METADATA}/a%22b`)).status).toBe(404);
    });
  });
});
