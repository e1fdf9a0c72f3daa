/** A daemon that wants bearer tokens: which routes they guard, and what becomes of it when the file changes. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compilePolicies } from "../support/bundles.ts";
import {
  albumRequest,
  Daemon,
  IS_BUILT,
  POLICIES,
  replaceFile,
  runEdict,
  temporaryDirectory,
} from "../support/daemon.ts";

const GATEWAY = "gateway-0123456789";
const ROBOT = "robot-0123456789-x";
const SEARCHER = "searcher-012345678";
const LATE = "late-0123456789-xx";

const CHECK = "/api/check/resources";
const EVALUATION = "/access/v1/evaluation";

const evaluation = {
  subject: { type: "user", id: "alice" },
  action: { name: "view" },
  resource: { type: "album", id: "1", properties: { public: true, flagged: false } },
};

/** How many requests a daemon has refused for want of a token, as its metrics say. */
const refusedAt = async (admin: string): Promise<number> => {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath: admin, path: "/metrics" }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(body));
    });
    call.on("error", reject);
    call.end();
  });
  return Number(/^edict_requests_total\{result="unauthorized"\} (\d+)$/m.exec(text)?.[1]);
};

/** The first line of the answer to a WebSocket handshake with a further header line. */
const upgrade = (port: number, line: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${line}` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n",
      );
    });
    socket.on("error", () => resolve("closed"));
    socket.once("data", (chunk: Buffer) => {
      socket.destroy();
      resolve(chunk.toString("latin1").split("\r\n")[0] ?? "");
    });
  });

describe.skipIf(!IS_BUILT)("a daemon that wants tokens", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let bundle: string;
  let file: string;
  let admin: string;
  let daemon: Daemon;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    bundle = join(directory.path, "policies.edict");
    file = join(directory.path, "tokens");
    await writeFile(bundle, await compilePolicies(POLICIES));
    const digest = createHash("sha256").update(ROBOT).digest("hex");
    await writeFile(file, `${GATEWAY}\nrobot:sha256=${digest} check\n${SEARCHER} search\n`);
    admin = join(directory.path, "admin.sock");
    const flags = ["--auth-token-file", file, "--threads", "2", "--admin", `unix:${admin}`];
    daemon = await Daemon.start("--bundle", bundle, ...flags);
  }, 120_000);
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  /** What is answered with a token, or with none. */
  const statusOf = async (path: string, token: string | null, body: unknown): Promise<number> => {
    const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const headers = { "content-type": "application/json", ...authorization };
    return (await daemon.request("POST", path, headers, JSON.stringify(body))).status;
  };
  const check = (token: string | null): Promise<number> => statusOf(CHECK, token, albumRequest());
  const evaluate = (token: string | null): Promise<number> => statusOf(EVALUATION, token, evaluation);

  it("decides for those who have one for the route", async () => {
    expect(await Promise.all([check(GATEWAY), check(ROBOT)])).toEqual([200, 200]);
    expect(await evaluate(GATEWAY)).toBe(200);
    expect(await Promise.all([check(null), check("someone-012345678"), evaluate(null)])).toEqual([
      401, 401, 401,
    ]);
    expect(await Promise.all([evaluate(ROBOT), check(SEARCHER), evaluate(SEARCHER)])).toEqual([
      403, 403, 403,
    ]);
  });

  it("says what it wants, and echoes the request's id", async () => {
    const headers = { "content-type": "application/json", "x-request-id": "7" };
    const missing = await daemon.request("POST", EVALUATION, headers, JSON.stringify(evaluation));
    expect(missing.headers).toMatchObject({
      "www-authenticate": 'Bearer realm="edict"',
      "x-request-id": "7",
    });
    expect(missing.json()).toEqual({ code: 16, message: "a bearer token is required", details: [] });
    const narrow = await daemon.request(
      "POST",
      EVALUATION,
      { ...headers, authorization: `Bearer ${ROBOT}` },
      JSON.stringify(evaluation),
    );
    expect(narrow.headers["www-authenticate"]).toContain('error="insufficient_scope"');
    expect(narrow.json()).toMatchObject({ code: 7 });
  });

  it("counts whom it refuses", async () => {
    const before = await refusedAt(admin);
    await Promise.all([check(null), evaluate(ROBOT), check(GATEWAY)]);
    expect(await refusedAt(admin)).toBe(before + 2);
  });

  it("refuses whatever the body is", async () => {
    for (const body of ["{", "x".repeat(6_000_000), ""]) {
      const reply = await daemon.request("POST", CHECK, { "content-type": "application/json" }, body);
      expect(reply.status).toBe(401);
    }
    expect(await check(GATEWAY)).toBe(200);
  });

  it("opens no stream without one", async () => {
    expect(await upgrade(daemon.port, "")).toBe("HTTP/1.1 401 Unauthorized");
    expect(await upgrade(daemon.port, `Authorization: Bearer ${SEARCHER}\r\n`)).toBe(
      "HTTP/1.1 403 Forbidden",
    );
    expect(await upgrade(daemon.port, `Authorization: Bearer ${ROBOT}\r\n`)).toBe(
      "HTTP/1.1 101 Switching Protocols",
    );
  });

  it("leaves health, metadata and preflights open", async () => {
    for (const path of ["/healthz", "/readyz", "/_cerbos/health", "/.well-known/authzen-configuration"]) {
      expect([path, (await daemon.request("GET", path)).status]).toEqual([path, 200]);
    }
    const preflight = await daemon.request("OPTIONS", EVALUATION, {
      origin: "https://app.example",
      "access-control-request-method": "POST",
    });
    expect(preflight.status).toBe(204);
  });

  it("follows the file on every thread", async () => {
    /** Asks on many connections, so that every thread is asked. */
    const all = async (token: string): Promise<Set<number | undefined>> => {
      const ask = (): Promise<number | undefined> =>
        new Promise((resolve, reject) => {
          const headers = { authorization: `Bearer ${token}` };
          const target = { host: "127.0.0.1", port: daemon.port, path: CHECK, method: "POST", headers };
          const call = request({ ...target, agent: false }, (response) => {
            response.resume();
            response.on("end", () => resolve(response.statusCode));
          });
          call.on("error", reject);
          call.end(JSON.stringify(albumRequest()));
        });
      return new Set(await Promise.all(Array.from({ length: 16 }, ask)));
    };
    await replaceFile(file, `${LATE}\n`);
    const isSettled = async (): Promise<boolean> => {
      const statuses = [...(await all(LATE)), ...(await all(GATEWAY))];
      return statuses.join() === "200,401";
    };
    await daemon.until(isSettled);
    await replaceFile(file, "too short");
    await daemon.until(() => daemon.output().err.includes("the access tokens stay as they were"));
    expect(await all(LATE)).toEqual(new Set([200]));
    expect(daemon.output().err).not.toContain("too short");
  });

  it("does not start with a file that it does not understand", async () => {
    await writeFile(file, "short\n");
    const flags = ["--bundle", bundle, "--http", "127.0.0.1:0", "--auth-token-file", file];
    const run = await runEdict(["serve", ...flags]);
    expect(run.code).not.toBe(0);
    expect(run.err).toMatch(/line 1 is not a token/);
  });
});
