/** The admin listener: who is let in, what it answers, and that it is on no other port. */
import { stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { askAdmin } from "../../../runtime/admin/admin-client.ts";
import { readBundle } from "../../../runtime/index.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, Daemon, IS_BUILT, POLICIES, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { AdminDaemon, readText } from "./support.ts";

const TOKEN = "a-token-of-enough-length";

describe.skipIf(!IS_BUILT)("the admin listener", () => {
  let bundle: Uint8Array;
  let running: AdminDaemon | null = null;

  beforeAll(async () => {
    bundle = await compilePolicies(POLICIES);
  }, 120_000);

  afterEach(async () => {
    await running?.stop();
    running = null;
  });

  it("shows what serves, and counts what all threads decide", async () => {
    const started = await AdminDaemon.start(bundle, () => ["--threads", "2"]);
    running = started;
    const { digest } = readBundle(bundle);
    const before = await running.status();
    expect(before.version).toMatchObject({ digest, sequence: null, signer: null });
    expect(before).toMatchObject({
      status: "SERVING",
      previous: [],
      hold: null,
      lastFailure: null,
      shadow: null,
    });
    expect(before.threads).toEqual({ serving: 2, degraded: [] });
    expect(before.counters).toMatchObject({ requests: 0, decisions: 0 });

    const check = (body: object) => started.daemon.check(body);
    // Connections are spread over the threads by the kernel.
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 8 }, () => check(albumRequest())));
    }
    await running.daemon.check("{");
    await running.daemon.check({ ...albumRequest(), resources: [] });
    const { counters } = await running.status();
    // View is allowed, delete is not.
    expect(counters).toMatchObject({
      requests: 34,
      decisions: 64,
      allowed: 32,
      refused: 2,
      failClosed: 0,
      traps: 0,
    });

    const metrics = await running.metrics();
    expect(metrics.get('edict_requests_total{result="decided"}')).toBe(32);
    expect(metrics.get('edict_requests_total{result="invalid"}')).toBe(2);
    expect(metrics.get('edict_decisions_total{effect="allow"}')).toBe(32);
    expect(metrics.get('edict_decisions_total{effect="deny"}')).toBe(32);
    expect(metrics.get("edict_threads")).toBe(2);
    expect(metrics.get(`edict_bundle_info{digest="${digest}",sequence="",signer="",git_commit=""}`)).toBe(1);
    expect(metrics.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);

    const shown = await running.run("status");
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toContain(digest);
    const json = await running.run("status", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ version: { digest } });
  });

  it("is on no route of the data port", async () => {
    running = await AdminDaemon.start(bundle);
    for (const path of ["/v1/status", "/metrics", "/v1/rollback"]) {
      expect((await running.daemon.request("GET", path)).status).toBe(404);
    }
  });

  it("gives nobody but its owner a Unix socket, and removes it at the end", async () => {
    running = await AdminDaemon.start(bundle);
    const path = join(running.home, "admin.sock");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await running.daemon.stop();
    await expect(stat(path)).rejects.toThrow(/ENOENT/);
  });

  it("refuses what it does not know, with a reason", async () => {
    running = await AdminDaemon.start(bundle);
    const refusal = async (path: string, body?: object): Promise<unknown> => {
      const answer = await running?.ask(path, body);
      return answer?.ok === false ? [answer.status, answer.refusal.code] : answer;
    };
    expect(await refusal("/v1/nothing")).toEqual([404, "EDICT_ADMIN_NOT_FOUND"]);
    expect(await refusal("/v1/rollback")).toEqual([405, "EDICT_ADMIN_REQUEST"]);
    expect(await refusal("/v1/status", {})).toEqual([405, "EDICT_ADMIN_REQUEST"]);
    expect(await refusal("/v1/rollback", { digest: "../state" })).toEqual([400, "EDICT_ADMIN_REQUEST"]);
    expect(await refusal("/v1/rollback", { dygest: "0".repeat(64) })).toEqual([400, "EDICT_ADMIN_REQUEST"]);
    expect(await refusal("/v1/promote", { maxChanges: -1 })).toEqual([400, "EDICT_ADMIN_REQUEST"]);
    expect(await refusal("/v1/reload", { text: "x".repeat(20_000) })).toEqual([400, "EDICT_ADMIN_REQUEST"]);
    expect(await refusal("/v1/rollback", {})).toEqual([409, "EDICT_NO_PREVIOUS_VERSION"]);
    expect(await refusal("/v1/rollback", { digest: "0".repeat(12) })).toEqual([404, "EDICT_VERSION_UNKNOWN"]);
    expect(await refusal("/v1/promote", {})).toEqual([409, "EDICT_NO_SHADOW"]);
    const rollback = await running.run("rollback");
    expect(rollback.code).toBe(1);
    expect(rollback.err).toContain("EDICT_NO_PREVIOUS_VERSION");
    expect((await running.run("rollback", "--to", "xyz")).code).toBe(2);
  });

  it("goes on when clients send nonsense or nothing", async () => {
    running = await AdminDaemon.start(bundle);
    const path = join(running.home, "admin.sock");
    const sockets = Array.from({ length: 20 }, () => connect(path));
    for (const [index, socket] of sockets.entries()) {
      socket.on("error", () => undefined);
      if (index % 2 === 0) socket.write("\u0000\u0001nonsense\r\n\r\n");
    }
    expect((await running.status()).status).toBe("SERVING");
    expect(await readText(path, "/metrics")).toContain("edict_requests_total");
    for (const socket of sockets) socket.destroy();
    expect((await running.daemon.check(albumRequest())).status).toBe(200);
  });

  it("needs a token on TCP", async () => {
    const scratch = await temporaryDirectory();
    const { path } = scratch;
    const [served, short] = [join(path, "served.edict"), join(path, "short")];
    await writeFile(served, bundle);
    await writeFile(short, "short\n");
    const flags = ["serve", "--bundle", served, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    const without = await runEdict(flags);
    expect(without).toMatchObject({ code: 4 });
    expect(without.err).toContain("needs a token");
    const weak = await runEdict([...flags, "--admin-token-file", short]);
    expect(weak).toMatchObject({ code: 4 });
    expect(weak.err).toContain("16 to");
    expect(weak.err).not.toContain("short\n");
    await scratch.remove();
  });

  it("lets in whoever has a token of the file, as the file is now", async () => {
    const scratch = await temporaryDirectory();
    const { path } = scratch;
    const [served, tokens, mine] = ["served.edict", "tokens", "mine"].map((name) => join(path, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(served, bundle);
    await writeFile(tokens, `${TOKEN}\n`);
    const daemon = await Daemon.start(
      "--bundle",
      served,
      "--admin",
      "127.0.0.1:0",
      "--admin-token-file",
      tokens,
    );
    try {
      const port = Number(/admin listener on http:\/\/127\.0\.0\.1:(\d+)/.exec(daemon.output().err)?.[1]);
      const ask = async (token: string | null): Promise<number> => {
        if (token !== null) await writeFile(mine, token);
        const tokenFile = token === null ? null : mine;
        const answer = await askAdmin(
          { address: { kind: "tcp", host: "127.0.0.1", port }, tokenFile },
          "/v1/status",
        );
        return answer.ok ? 200 : answer.status;
      };
      expect(await ask(null)).toBe(401);
      expect(await ask("a-token-of-other-length-x")).toBe(401);
      expect(await ask(TOKEN.slice(0, -1))).toBe(401);
      expect(await ask(TOKEN)).toBe(200);
      // Rotation: both for a while, then the new one alone.
      await writeFile(tokens, `the-next-token-0123456789\n${TOKEN}\n`);
      expect(await ask(TOKEN)).toBe(200);
      expect(await ask("the-next-token-0123456789")).toBe(200);
      await writeFile(tokens, "the-next-token-0123456789\n");
      expect(await ask(TOKEN)).toBe(401);
      // What cannot be read lets nobody in.
      await writeFile(tokens, "");
      expect(await ask("the-next-token-0123456789")).toBe(503);
      expect(daemon.output().err).not.toContain("next-token");
    } finally {
      await daemon.stop();
      await scratch.remove();
    }
  });
});
