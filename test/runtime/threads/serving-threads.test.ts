/** Several serving threads on one port: all decide, all swap together, all stop. */
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  albumRequest,
  Daemon,
  IS_BUILT,
  POLICIES,
  replaceFile,
  runEdict,
  temporaryDirectory,
  writeFiles,
} from "../support/daemon.ts";

interface Answer {
  readonly status: number;
  readonly bundle: string;
  readonly effect: string;
  /** The local port of the client. */
  readonly body: Record<string, unknown>;
}

/** One request on a connection of its own, so that the kernel chooses a thread for it. */
function ask(daemon: Daemon, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port: daemon.port,
        path,
        method: body === undefined ? "GET" : "POST",
        agent: false,
        headers: { "content-type": "application/json" },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const parsed = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>;
          const results = parsed["results"] as { actions: { view: string } }[] | undefined;
          resolve({
            status: response.statusCode ?? 0,
            bundle: String(response.headers["edict-bundle"] ?? ""),
            effect: results?.[0]?.actions.view ?? "",
            body: parsed,
          });
        });
      },
    );
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const view = (daemon: Daemon): Promise<Answer> => ask(daemon, "/api/check/resources", albumRequest());

/** Enough connections that no thread is left out, whatever the kernel's choice. */
async function many(daemon: Daemon, path: string | null): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let round = 0; round < 8; round++) {
    answers.push(
      ...(await Promise.all(
        Array.from({ length: 8 }, () => (path === null ? view(daemon) : ask(daemon, path))),
      )),
    );
  }
  return answers;
}

describe.skipIf(!IS_BUILT)("several serving threads", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let policies: string;
  let daemon: Daemon | null = null;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    policies = join(directory.path, "policies");
    await writeFiles(policies, POLICIES);
  });

  afterEach(async () => {
    await daemon?.stop();
    daemon = null;
    await directory.remove();
  });

  it("decide alike on one port and end with 0 on SIGTERM", async () => {
    daemon = await Daemon.start("--policies", policies, "--threads", "3");
    const answers = await many(daemon, null);
    expect(new Set(answers.map(({ status, effect, bundle }) => `${status} ${effect} ${bundle}`)).size).toBe(
      1,
    );
    expect(answers[0]?.effect).toBe("EFFECT_ALLOW");
    const health = await many(daemon, "/readyz");
    expect(health.every(({ body }) => body["threads"] === 3 && body["status"] === "SERVING")).toBe(true);
    if (process.platform === "linux") {
      const threads = await readdir(`/proc/${daemon.process.pid}/task`);
      expect(threads.length).toBeGreaterThan(3);
    }
    expect(await daemon.stop()).toBe(0);
  });

  it("show a new version together: none answers by the old one after the first answer by the new one", async () => {
    daemon = await Daemon.start("--policies", policies, "--threads", "3", "--watch");
    const running = daemon;
    const before = (await view(running)).bundle;
    await replaceFile(
      join(policies, "album.yaml"),
      (POLICIES["album.yaml"] ?? "").replace("public == true", "public == false"),
    );
    const seen: Answer[] = [];
    await running.until(async () => {
      seen.push(await view(running));
      return seen.at(-1)?.bundle !== before;
    });
    for (const answer of await many(running, null)) seen.push(answer);
    const firstNew = seen.findIndex(({ bundle }) => bundle !== before);
    expect(new Set(seen.slice(firstNew).map(({ bundle }) => bundle)).size).toBe(1);
    // The bundle that a response names is the one that decided.
    for (const { bundle, effect, status } of seen) {
      expect(status).toBe(200);
      expect(effect).toBe(bundle === before ? "EFFECT_ALLOW" : "EFFECT_DENY");
    }
  });

  it("keep the old version everywhere over a broken edit, and all say so", async () => {
    daemon = await Daemon.start("--policies", policies, "--threads", "2", "--watch");
    const running = daemon;
    await replaceFile(
      join(policies, "album.yaml"),
      (POLICIES["album.yaml"] ?? "").replace("public == true", "public ==== true"),
    );
    await running.until(() => running.output().err.includes("reload failed"));
    await running.until(async () =>
      (await many(running, "/healthz")).every(({ body }) => JSON.stringify(body).includes('"ok":false')),
    );
    expect((await many(running, null)).every(({ effect }) => effect === "EFFECT_ALLOW")).toBe(true);
  });

  it("end with 1 on a second signal, without a crash", async () => {
    daemon = await Daemon.start("--policies", policies, "--threads", "2");
    const running = daemon;
    const open = connect(running.port, "127.0.0.1");
    open.on("error", () => undefined);
    // The answer to the first request says that the beginning of the second, in the same packet, has been read.
    const whole = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const begun = "POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
    open.write(whole + begun);
    await once(open, "data");
    running.terminate();
    // Two signals that nobody has seen yet are one.
    await running.until(() => running.output().err.includes("SIGTERM received"));
    running.terminate();
    expect(await running.stop()).toBe(1);
    expect(running.output().err).not.toContain("Assertion");
  });

  it("do not start when the port belongs to somebody else", async () => {
    daemon = await Daemon.start("--policies", policies, "--threads", "2");
    const address = `127.0.0.1:${daemon.port}`;
    const second = await runEdict(["serve", "--policies", policies, "--threads", "2", "--http", address]);
    expect(second.code).toBe(4);
    expect(second.err).toMatch(/cannot listen on/);
  });
});
