/** How the daemon starts, reloads, drains and refuses to start. */
import { createServer, connect } from "node:net";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
} from "./support/daemon.ts";

/** The effect of viewing the album of the sample request. */
async function viewOf(running: Daemon): Promise<string> {
  const body = (await running.check(albumRequest())).json() as { results: { actions: { view: string } }[] };
  return body.results[0]?.actions.view ?? "";
}

describe.skipIf(!IS_BUILT)("the life of a daemon", () => {
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

  it("prints one line when it is ready and exits 0 on SIGTERM", async () => {
    daemon = await Daemon.start("--policies", policies);
    expect(daemon.output().out).toMatch(
      /^edict ready on http:\/\/127\.0\.0\.1:\d+ \(bundle [0-9a-f]{12}, 2 policy files\)\n$/,
    );
    expect(await daemon.stop()).toBe(0);
  });

  it("finishes the request in flight on SIGTERM, and accepts no new connection", async () => {
    daemon = await Daemon.start("--policies", policies);
    const body = JSON.stringify(albumRequest());
    const socket = connect(daemon.port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => (received += chunk.toString()));
    socket.write(
      `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
    );
    await once(socket, "connect");
    await daemon.hasRead();
    daemon.terminate();
    await daemon.untilRefusing();
    await sleep(300);
    expect(daemon.process.exitCode).toBeNull();
    socket.write(body.slice(20));
    await once(socket, "close");
    expect(received).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(received).toContain("cerbosCallId");
    expect(await daemon.stop()).toBe(0);
  });

  it("exits at once on a second SIGTERM", async () => {
    daemon = await Daemon.start("--policies", policies);
    const socket = connect(daemon.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    await once(socket, "connect");
    await daemon.hasRead();
    daemon.terminate();
    // Two signals that arrive together are one.
    await daemon.untilRefusing();
    daemon.terminate();
    expect(await daemon.stop()).toBe(1);
    socket.destroy();
  });

  it("shows edits by itself, keeps the old version over a broken one, and recovers", async () => {
    daemon = await Daemon.start("--policies", policies, "--watch");
    const running = daemon;
    expect(await viewOf(running)).toBe("EFFECT_ALLOW");
    const before = (await running.json("/readyz"))["bundle"];

    const album = POLICIES["album.yaml"] ?? "";
    await replaceFile(
      join(policies, "album.yaml"),
      album.replace("R.attr.public == true", "R.attr.public ==== true"),
    );
    await running.until(
      async () =>
        (await running.json("/healthz"))["lastReload"] !== undefined &&
        JSON.stringify(await running.json("/healthz")).includes('"ok":false'),
    );
    const health = await running.json("/readyz");
    expect(health).toMatchObject({ status: "SERVING", bundle: before, lastReload: { ok: false } });
    expect((health["lastReload"] as { diagnostics: number }).diagnostics).toBeGreaterThan(0);
    await running.until(() => /album\.yaml:\d+:\d+/.test(running.output().err));
    expect(await viewOf(running)).toBe("EFFECT_ALLOW");

    await replaceFile(
      join(policies, "album.yaml"),
      album.replace("R.attr.public == true", "R.attr.public == false"),
    );
    await running.until(async () => (await viewOf(running)) === "EFFECT_DENY");
    const after = await running.json("/readyz");
    expect(after).toMatchObject({ lastReload: { ok: true } });
    expect(after["bundle"]).not.toBe(before);
  });

  it("answers every request during swaps, each by one version", async () => {
    daemon = await Daemon.start("--policies", policies, "--watch");
    const running = daemon;
    const album = POLICIES["album.yaml"] ?? "";
    const until = new AbortController();
    const statuses = new Set<number>();
    const load = (async () => {
      while (!until.signal.aborted) statuses.add((await running.check(albumRequest())).status);
    })();
    for (const version of ["false", "true", "false"]) {
      await replaceFile(
        join(policies, "album.yaml"),
        album.replace("public == true", `public == ${version}`),
      );
      await running.until(
        async () => (await viewOf(running)) === (version === "true" ? "EFFECT_ALLOW" : "EFFECT_DENY"),
      );
    }
    until.abort();
    await load;
    expect([...statuses]).toEqual([200]);
  });

  it("serves a bundle and reloads it on SIGHUP", async () => {
    const bundle = join(directory.path, "policies.edict");
    expect(await runEdict(["compile", policies, "-o", bundle])).toMatchObject({ code: 0 });
    daemon = await Daemon.start("--bundle", bundle);
    const running = daemon;
    expect(await viewOf(running)).toBe("EFFECT_ALLOW");

    await writeFile(bundle, "EDICTBDL, but broken");
    running.process.kill("SIGHUP");
    await running.until(async () => JSON.stringify(await running.json("/healthz")).includes('"ok":false'));
    expect(await viewOf(running)).toBe("EFFECT_ALLOW");

    const album = POLICIES["album.yaml"] ?? "";
    await writeFile(join(policies, "album.yaml"), album.replace("public == true", "public == false"));
    expect(await runEdict(["compile", policies, "-o", bundle])).toMatchObject({ code: 0 });
    running.process.kill("SIGHUP");
    await running.until(async () => (await viewOf(running)) === "EFFECT_DENY");
  });

  it("listens on a Unix socket, taking over the file of a dead process but not of a living one", async () => {
    const path = join(directory.path, "edict.sock");
    daemon = await Daemon.start("--policies", policies, "--unix", path);
    expect(await viewOf(daemon)).toBe("EFFECT_ALLOW");
    expect((await stat(path)).mode & 0o777).toBe(0o766);
    const second = await runEdict(["serve", "--policies", policies, "--unix", path]);
    expect(second.code).toBe(4);
    expect(second.err).toMatch(/another process serves it/);
    daemon.process.kill("SIGKILL");
    await daemon.stop();
    daemon = await Daemon.start("--policies", policies, "--unix", path);
    expect(await viewOf(daemon)).toBe("EFFECT_ALLOW");
  });

  it("reads a Cerbos configuration file, and names what it does not support", async () => {
    const config = join(directory.path, "cerbos.yaml");
    await writeFile(
      config,
      `server:
  httpListenAddr: "127.0.0.1:0"
  grpcListenAddr: "127.0.0.1:0"
engine:
  defaultPolicyVersion: default
storage:
  driver: disk
  disk: { directory: "${policies}", watchForChanges: false }
`,
    );
    daemon = await Daemon.start("--config", config);
    const said = daemon.output;
    await daemon.until(() =>
      /cerbos\.yaml:3:3: `server\.grpcListenAddr` is not supported yet/.test(said().err),
    );
    expect(await viewOf(daemon)).toBe("EFFECT_ALLOW");
  });

  it("shows a demonstration when asked to", async () => {
    daemon = await Daemon.start("--policies", "examples/policies", "--demo");
    const running = daemon;
    await running.until(() => running.output().out.includes("curl"));
    expect(running.output().out).toMatch(/ALLOW/);
    expect(running.output().out).toContain(`${running.address}/api/check/resources -d @examples/requests/`);
  });

  it("exits 4 when the port is taken, also by another edict", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const taken = await runEdict(["serve", "--policies", policies, "--http", `127.0.0.1:${port}`]);
    expect(taken.code).toBe(4);
    expect(taken.err).toMatch(/cannot listen on `127\.0\.0\.1:\d+`/);
    server.close();

    daemon = await Daemon.start("--policies", policies);
    const second = await runEdict(["serve", "--policies", policies, "--http", `127.0.0.1:${daemon.port}`]);
    expect(second.code).toBe(4);
  });

  it("exits 3 with all diagnostics when the policies are broken at start", async () => {
    await writeFiles(policies, {
      "album.yaml": (POLICIES["album.yaml"] ?? "").replace("public == true", "public ==== true"),
      "people.yaml": (POLICIES["people.yaml"] ?? "").replace("== P.id", "== P.idd"),
    });
    const run = await runEdict(["serve", "--policies", policies, "--http", "127.0.0.1:0"]);
    expect(run.code).toBe(3);
    expect(run.err).toMatch(/album\.yaml/);
    expect(run.err).toMatch(/people\.yaml/);
  });
});
