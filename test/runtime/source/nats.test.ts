/** A real nats-server: publishing to it, watching it, and every way in which it can go away and come back. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Daemon, IS_BUILT, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { HAS_NATS, NatsServer, servedBy, type TestVersion, TestVersions, untilServes } from "./support.ts";

describe.skipIf(!IS_BUILT || !HAS_NATS)("bundles in a NATS bucket", { timeout: 180_000 }, () => {
  let versions: TestVersions;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: NatsServer;
  const daemons: Daemon[] = [];

  beforeAll(async () => {
    versions = await TestVersions.compile();
  });

  beforeEach(async () => {
    directory = await temporaryDirectory();
    server = await NatsServer.start(directory.path);
  });

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop();
    await server.kill();
    await directory.remove();
  });

  async function push(version: TestVersion, ...more: string[]): Promise<Record<string, unknown>> {
    const file = join(directory.path, `${version.sequence}.edict`);
    await writeFile(file, version.bytes);
    const run = await runEdict(["push", file, "--to", server.address(), "--json", ...more]);
    expect(run.err).toBe("");
    expect(run.code).toBe(0);
    return JSON.parse(run.out) as Record<string, unknown>;
  }

  async function start(...more: string[]): Promise<Daemon> {
    const daemon = await Daemon.start("--bundle", server.address(), ...more);
    daemons.push(daemon);
    return daemon;
  }

  it("says what was published, and makes a bucket only when told to", async () => {
    const version = versions.get(1);
    const file = join(directory.path, "one.edict");
    await writeFile(file, version.bytes);
    const without = await runEdict(["push", file, "--to", server.address()]);
    expect(without.code).toBe(4);
    expect(without.err).toBe("edict: there is no bucket `policies`; `--create` makes it\n");
    expect(await push(version, "--create")).toMatchObject({
      digest: version.digest,
      sequence: 1,
      signed: false,
      size: version.bytes.length,
      bucket: "policies",
      object: "live",
    });
    const text = await runEdict(["push", file, "--to", server.address()]);
    expect(text.out).toContain(`published bundle ${version.digest} (sequence 1, not signed, `);
  });

  it("publishes nothing that is not a bundle, and nothing to nowhere", async () => {
    await push(versions.get(1), "--create");
    const file = join(directory.path, "broken.edict");
    await writeFile(file, versions.get(3).bytes.subarray(0, 5000));
    const broken = await runEdict(["push", file, "--to", server.address()]);
    expect(broken.code).toBe(4);
    expect(broken.err).toContain("lies outside the file");
    const daemon = await start();
    expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);

    const nowhere = await runEdict(["push", file, "--to", "nats://127.0.0.1/policies"]);
    expect(nowhere.code).toBe(2);
    expect(nowhere.err).toContain("names no object");
  });

  it("is at every daemon once it is published", async () => {
    await push(versions.get(1), "--create");
    // So rarely asked that only the watch can bring it.
    const running = [await start("--poll-interval", "1h"), await start("--poll-interval", "1h")];
    for (const sequence of [2, 3, 4]) {
      await push(versions.get(sequence));
      for (const daemon of running) await untilServes(daemon, versions.get(sequence));
    }
  });

  it("is waited for when there is none yet, as long as a kept one serves", async () => {
    const state = join(directory.path, "state");
    await push(versions.get(1), "--create");
    const first = await start("--state-dir", state);
    await first.stop();
    await server.kill();
    const again = await start("--state-dir", state, "--poll-interval", "1h");
    expect(versions.get(1).digest).toContain((await servedBy(again)).digest);
    expect((await again.json("/healthz"))["lastReload"]).toMatchObject({ ok: false });
    await server.start();
    await push(versions.get(2));
    await untilServes(again, versions.get(2));
  });

  it("arrives after the server was killed and started again, more than once", async () => {
    await push(versions.get(1), "--create");
    const daemon = await start("--poll-interval", "1h");
    for (const sequence of [2, 3]) {
      await server.kill();
      await daemon.until(async () => JSON.stringify(await daemon.json("/healthz")).includes('"ok":false'));
      expect(versions.get(sequence - 1).digest).toContain((await servedBy(daemon)).digest);
      await server.start();
      await push(versions.get(sequence));
      await untilServes(daemon, versions.get(sequence));
      await daemon.until(async () => JSON.stringify(await daemon.json("/healthz")).includes('"ok":true'));
    }
    // Without a restart before it: the watch that came with the reconnection works.
    await push(versions.get(4));
    await untilServes(daemon, versions.get(4));
  });

  it("arrives although the server stood still for a while", async () => {
    await push(versions.get(1), "--create");
    const daemon = await start("--poll-interval", "1h");
    server.pause();
    await sleep(1_000);
    expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);
    server.resume();
    await push(versions.get(2));
    await untilServes(daemon, versions.get(2));
  });

  it("is not followed to an older sequence, not even by daemons that were away", async () => {
    await push(versions.get(5), "--create");
    const state = join(directory.path, "state");
    const daemon = await start("--state-dir", state, "--poll-interval", "200ms");
    await push(versions.get(4));
    await daemon.until(async () =>
      JSON.stringify(await daemon.json("/healthz")).includes("sequence 5 has been accepted before"),
    );
    expect(versions.get(5).digest).toContain((await servedBy(daemon)).digest);
    await daemon.stop();
    const again = await start("--state-dir", state);
    expect(versions.get(5).digest).toContain((await servedBy(again)).digest);
  });

  it("is got with a token that is read again for every connection", async () => {
    await server.kill();
    await server.start("--auth", "first");
    const token = join(directory.path, "token");
    await writeFile(token, "first\n");
    await push(versions.get(1), "--create", "--token-file", token);
    const daemon = await start("--bundle-token-file", token, "--poll-interval", "1h");
    expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);
    await server.kill();
    await server.start("--auth", "second");
    const file = join(directory.path, "two.edict");
    await writeFile(file, versions.get(2).bytes);
    const refused = await runEdict(["push", file, "--to", server.address(), "--token-file", token]);
    expect(refused.code).toBe(4);
    await daemon.until(async () => JSON.stringify(await daemon.json("/healthz")).includes('"ok":false'));
    await writeFile(token, "second\n");
    await push(versions.get(2), "--token-file", token);
    await untilServes(daemon, versions.get(2));
  });

  it("is refused when somebody has stored something else", async () => {
    await push(versions.get(1), "--create");
    const daemon = await start("--poll-interval", "200ms");
    const { connectNats } = await import("../../../runtime/source/nats-connection.ts");
    const { Objm } = await import("@nats-io/obj");
    const target = { server: `127.0.0.1:${server.port}`, tls: false, bucket: "policies", object: "live" };
    const connection = await connectNats(target, { credentialsFile: null, tokenFile: null }, () => 100);
    try {
      const store = await new Objm(connection).open("policies");
      await store.putBlob({ name: "live" }, new TextEncoder().encode("not a bundle, and not for long"));
      await daemon.until(async () =>
        JSON.stringify(await daemon.json("/healthz")).includes("is not an edict bundle"),
      );
      // The record of an object that no JSON parser takes.
      connection.publish(`$O.policies.M.${Buffer.from("live").toString("base64url")}`, "{broken");
      await sleep(500);
      expect(versions.get(1).digest).toContain((await servedBy(daemon)).digest);
      await push(versions.get(2));
      await untilServes(daemon, versions.get(2));
    } finally {
      await connection.close();
    }
  });
});
