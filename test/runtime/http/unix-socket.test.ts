/** The Unix socket listener: permission bits, files that are in the way, routes, and the end. */
import { existsSync } from "node:fs";
import { readFile, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { pack } from "msgpackr";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Client } from "../../../runtime/client/index.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, Daemon, IS_BUILT, POLICIES, runEdict, temporaryDirectory } from "../support/daemon.ts";

const allowed = { results: [{ actions: { view: "EFFECT_ALLOW", delete: "EFFECT_DENY" } }] };

describe.skipIf(!IS_BUILT)("a daemon on a Unix socket", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let bundle: Uint8Array;
  let file: string;
  let path: string;
  let daemon: Daemon | null = null;

  beforeAll(async () => {
    bundle = await compilePolicies(POLICIES);
  }, 120_000);

  beforeEach(async () => {
    directory = await temporaryDirectory();
    file = join(directory.path, "policies.edict");
    path = join(directory.path, "edict.sock");
    await writeFile(file, bundle);
  });

  afterEach(async () => {
    await daemon?.stop();
    daemon = null;
    await directory.remove();
  });

  const start = async (...flags: string[]): Promise<Daemon> => {
    daemon = await Daemon.start("--bundle", file, "--unix", path, ...flags);
    return daemon;
  };

  const refused = (...flags: string[]) => runEdict(["serve", "--bundle", file, "--unix", path, ...flags]);

  it("answers on every route as on TCP, and removes its file at the end", async () => {
    const running = await start();
    expect((await running.check(albumRequest())).json()).toMatchObject(allowed);
    const packed = await running.request(
      "POST",
      "/api/check/resources",
      { "content-type": "application/msgpack", accept: "application/json" },
      pack(albumRequest()),
    );
    expect(packed.json()).toMatchObject(allowed);
    const statuses = ["/healthz", "/readyz", "/_cerbos/health", "/api/server_info", "/v1/stream", "/none"];
    expect(
      await Promise.all(statuses.map(async (route) => (await running.request("GET", route)).status)),
    ).toEqual([200, 200, 200, 200, 426, 404]);
    const client = new Client(running.address, { transport: "stream", timeoutMs: 50_000 });
    const resource = { kind: "album", id: "1", attr: { public: true, flagged: false } };
    expect(
      await client.isAllowed({ principal: { id: "a", roles: ["user"] }, resource, action: "view" }),
    ).toBe(true);
    client.close();
    expect(await running.stop()).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it("gives the file the configured permission bits", async () => {
    await start("--set", "server.udsFileMode=0o600");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("listens on TCP and the socket at once, and further threads on TCP alone", async () => {
    const running = await start("--http", "127.0.0.1:0", "--threads", "2");
    await running.until(() =>
      running.output().err.includes("a Unix socket is served by the first thread alone"),
    );
    expect((await running.check(albumRequest())).json()).toMatchObject(allowed);
    expect((await stat(path)).mode & 0o777).toBe(0o766);
    const client = new Client(`unix:${path}`, { timeoutMs: 50_000 });
    const resource = { kind: "album", id: "1", attr: { public: true, flagged: false } };
    expect(
      await client.isAllowed({ principal: { id: "a", roles: ["user"] }, resource, action: "view" }),
    ).toBe(true);
    client.close();
  });

  it("is refused where another daemon listens, which goes on unharmed", async () => {
    const running = await start();
    const second = await refused();
    expect(second.code).toBe(4);
    expect(second.err).toContain(`cannot listen on \`unix:${path}\`: another process serves it`);
    expect((await running.check(albumRequest())).json()).toMatchObject(allowed);
  });

  it("takes over the file of a dead process", async () => {
    const dead = await start();
    dead.process.kill("SIGKILL");
    await dead.stop();
    expect(existsSync(path)).toBe(true);
    const running = await start();
    expect((await running.check(albumRequest())).json()).toMatchObject(allowed);
  });

  it("touches nothing that is not a socket", async () => {
    await writeFile(path, "precious");
    const onFile = await refused();
    expect(onFile.code).toBe(4);
    expect(onFile.err).toContain(`cannot listen on \`unix:${path}\`: the file is not a socket`);
    expect(await readFile(path, "utf8")).toBe("precious");

    const link = join(directory.path, "link.sock");
    await symlink(path, link);
    path = link;
    expect((await refused()).err).toContain("the file is not a socket");
    expect(await readFile(link, "utf8")).toBe("precious");
  });

  it("says what is wrong with a path that cannot be", async () => {
    path = join(directory.path, "missing", "edict.sock");
    const run = await refused();
    expect(run.code).toBe(4);
    expect(run.err).toContain(`cannot listen on \`unix:${path}\``);
  });

  it("leaves a file alone that has replaced its own", async () => {
    const running = await start();
    await unlink(path);
    const other = createServer().listen(path);
    await new Promise((resolve) => other.once("listening", resolve));
    expect(await running.stop()).toBe(0);
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => other.close(resolve));
  });
});
