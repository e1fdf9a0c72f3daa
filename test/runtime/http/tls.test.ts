/** TLS on the data port, with and without client certificates, by real certificates over real connections. */
import { readFile, writeFile } from "node:fs/promises";
import { request, type RequestOptions } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compilePolicies } from "../support/bundles.ts";
import { authority, type Certificate, contentsOf, HAS_OPENSSL, issued } from "../support/certificates.ts";
import { albumRequest, Daemon, IS_BUILT, POLICIES, runEdict, temporaryDirectory } from "../support/daemon.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe.skipIf(!IS_BUILT || !HAS_OPENSSL)("the data port with TLS", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let bundle: string;
  let ca: Buffer;
  let authorities: Certificate;
  let server: Certificate;
  let pep: Certificate;
  let stranger: Certificate;
  let impostor: Certificate;
  let daemon: Daemon | null = null;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    bundle = join(directory.path, "policies.edict");
    await writeFile(bundle, await compilePolicies(POLICIES));
    authorities = await authority(directory.path, "authority");
    const foreign = await authority(directory.path, "foreign");
    // The same name as the authority that is trusted, and another key.
    const twin = await temporaryDirectory();
    const double = await authority(twin.path, "authority");
    server = await issued(directory.path, "server", authorities);
    pep = await issued(directory.path, "pep", authorities);
    stranger = await issued(directory.path, "stranger", foreign);
    impostor = await issued(directory.path, "impostor", double);
    await twin.remove();
    ca = await readFile(authorities.cert);
  }, 120_000);
  afterAll(() => directory.remove());
  afterEach(async () => {
    if (daemon !== null) expect(await daemon.stop()).toBe(0);
    daemon = null;
  });

  const start = async (...flags: readonly string[]): Promise<Daemon> => {
    const files = ["--tls-cert", server.cert, "--tls-key", server.key];
    daemon = await Daemon.start("--bundle", bundle, ...files, ...flags);
    return daemon;
  };

  /** Asks over a connection of its own. */
  const ask = (path: string, body: string | null, options: RequestOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const call = request(
        {
          host: "127.0.0.1",
          port: daemon?.port,
          path,
          method: body === null ? "GET" : "POST",
          headers: { "content-type": "application/json" },
          ca,
          agent: false,
          ...options,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
          });
        },
      );
      call.on("error", reject);
      call.end(body ?? undefined);
    });
  const check = (options: RequestOptions = {}): Promise<Answer> =>
    ask("/api/check/resources", JSON.stringify(albumRequest()), options);

  it("speaks https alone, from TLS 1.2 on, and names itself so in the metadata", async () => {
    const running = await start();
    expect(running.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const answer = await check();
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ results: [{ actions: { view: "EFFECT_ALLOW" } }] });
    const metadata = JSON.parse((await ask("/.well-known/authzen-configuration", null)).body) as object;
    expect(metadata).toMatchObject({
      policy_decision_point: running.address,
      access_evaluation_endpoint: `${running.address}/access/v1/evaluation`,
    });
    expect((await check({ maxVersion: "TLSv1.2" })).status).toBe(200);
    await expect(check({ minVersion: "TLSv1", maxVersion: "TLSv1.1" })).rejects.toThrow();
    // Somebody who speaks plain text is told nothing.
    const received = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connect(running.port, "127.0.0.1", () => {
        socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
      });
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(text));
    });
    expect(received).not.toContain("HTTP/1.1");
    expect(received).not.toContain("SERVING");
  });

  it("serves https by several threads", async () => {
    await start("--threads", "2");
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await check()).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("lets in whoever has a certificate of the right authority, and nobody else", async () => {
    await start("--tls-client-ca", authorities.cert);
    for (let round = 0; round < 2; round++) {
      await expect(check()).rejects.toThrow();
      await expect(check(await contentsOf(stranger))).rejects.toThrow();
      await expect(check(await contentsOf(impostor))).rejects.toThrow();
      const answer = await check(await contentsOf(pep));
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ results: [{ actions: { view: "EFFECT_ALLOW" } }] });
    }
    // TLS 1.3 lets a client speak before it hears that it was refused.
    const heard = await new Promise<string>((resolve) => {
      let text = "";
      const socket = connectTls({ host: "127.0.0.1", port: daemon?.port ?? 0, ca }, () => {
        socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
      });
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(text));
    });
    expect(heard).toBe("");
  });

  it("carries large bodies, many requests and pipelined ones for clients with certificates", async () => {
    await start("--tls-client-ca", authorities.cert, "--set", "server.batches.workers=0");
    const certificate = await contentsOf(pep);
    const attr = { public: true, flagged: false, locked: false, owner: "bob", note: "x".repeat(3_000_000) };
    const large = await ask("/api/check/resources", JSON.stringify(albumRequest(attr)), certificate);
    expect(JSON.parse(large.body)).toMatchObject({ results: [{ actions: { view: "EFFECT_ALLOW" } }] });

    const body = JSON.stringify(albumRequest());
    const post = `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const text = await new Promise<string>((resolve, reject) => {
      let received = "";
      const socket = connectTls({ host: "127.0.0.1", port: daemon?.port ?? 0, ca, ...certificate }, () => {
        socket.write(post.repeat(20));
      });
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString("utf8");
        if (received.split("cerbosCallId").length <= 20) return;
        socket.destroy();
        resolve(received);
      });
      socket.on("error", reject);
    });
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(20);
    // Clients that go away in the middle leave nothing behind that would keep the daemon.
    for (let count = 0; count < 10; count++) {
      const socket = connectTls({ host: "127.0.0.1", port: daemon?.port ?? 0, ca, ...certificate });
      await new Promise((resolve) => socket.once("secureConnect", resolve));
      socket.write(post.slice(0, -5));
      socket.destroy();
    }
    expect((await check(certificate)).status).toBe(200);
  });

  it.each([
    [
      "a key of another certificate",
      () => ["--tls-cert", server.cert, "--tls-key", pep.key],
      "TLS cannot be served: ",
    ],
    [
      "a file that is not there",
      () => ["--tls-cert", "none.pem", "--tls-key", server.key],
      "TLS cannot be served: ENOENT",
    ],
    [
      "authorities that are none",
      () => ["--tls-cert", server.cert, "--tls-key", server.key, "--tls-client-ca", server.key],
      "holds no certificate",
    ],
    [
      "client certificates for several threads",
      () => [
        "--tls-cert",
        server.cert,
        "--tls-key",
        server.key,
        "--tls-client-ca",
        authorities.cert,
        "--threads",
        "2",
      ],
      "client certificates need `server.threads` to be 1",
    ],
    [
      "TLS on a Unix socket",
      () => [
        "--tls-cert",
        server.cert,
        "--tls-key",
        server.key,
        "--unix",
        join(directory.path, "edict.sock"),
      ],
      "TLS is for TCP",
    ],
    ["a certificate without a key", () => ["--tls-cert", server.cert], "TLS needs"],
  ])("does not start with %s", async (_name, flags, reason) => {
    const address = flags().includes("--unix") ? [] : ["--http", "127.0.0.1:0"];
    const run = await runEdict(["serve", "--bundle", bundle, ...address, ...flags()]);
    expect(run.code).not.toBe(0);
    expect(run.err).toContain(reason);
    expect(run.out).not.toContain("ready");
  });
});
