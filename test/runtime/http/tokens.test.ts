/** Requests that carry tokens, through the daemon and through `edict check`: decisions, refusals, and what goes on meanwhile. */
import { connect, type Socket } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pack, unpack } from "msgpackr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleOf } from "../../support/engines.ts";
import {
  type KeyServer,
  type SigningKey,
  signingKey,
  signToken,
  startKeyServer,
} from "../../support/tokens.ts";
import { Daemon, IS_BUILT, runEdict, temporaryDirectory, writeFiles } from "../support/daemon.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - name: readers
      actions: [read]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          any:
            of:
              - expr: '"readers" in request.auxData.jwt.groups'
              - expr: '"readers" in request.auxData.jwts.main.claims.groups'
`;

const MSGPACK = { "content-type": "application/msgpack" };
const request = (auxData?: object) => ({
  principal: { id: "alice", roles: ["user"] },
  resources: [{ actions: ["read"], resource: { kind: "doc", id: "1" } }],
  ...(auxData === undefined ? {} : { auxData }),
});
const allow = { results: [{ actions: { read: "EFFECT_ALLOW" } }] };
const deny = { results: [{ actions: { read: "EFFECT_DENY" } }] };

describe.skipIf(!IS_BUILT)("requests with tokens", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let config: string;
  let key: SigningKey;
  let other: SigningKey;
  let server: KeyServer;
  let daemon: Daemon;
  let serial = 0;
  /** A token that nobody has seen. */
  const fresh = (groups: readonly string[] = ["readers"]) => signToken(key, { groups, jti: `${serial++}` });

  beforeAll(async () => {
    directory = await temporaryDirectory();
    key = await signingKey("ES256", "k");
    other = await signingKey("ES256", "k");
    server = await startKeyServer(JSON.stringify({ keys: [key.jwk] }));
    await writeFiles(directory.path, {
      "policies/doc.yaml": POLICY,
      "keys.json": JSON.stringify(key.jwk),
    });
    config = join(directory.path, "edict.yaml");
    await writeFile(
      config,
      JSON.stringify({
        auxData: {
          jwt: {
            keySets: [
              { id: "local", local: { file: join(directory.path, "keys.json") } },
              { id: "remote", remote: { url: server.url, refreshInterval: "1s" } },
            ],
          },
        },
        storage: { driver: "disk", disk: { directory: join(directory.path, "policies") } },
      }),
    );
    daemon = await Daemon.start("--config", config);
  });
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await server.close();
    await directory.remove();
  });

  it("are decided by their claims, in both formats, the first time and again", async () => {
    for (const keySetId of ["local", "remote"]) {
      const jwt = { token: await fresh(), keySetId };
      const main = { token: await fresh(), keySetId };
      for (const auxData of [{ jwt }, { jwts: { main } }, { jwt }, { jwts: { main, second: jwt } }]) {
        expect((await daemon.check(request(auxData))).json()).toMatchObject(allow);
        const packed = await daemon.check(pack(request(auxData)), MSGPACK);
        expect(unpack(packed.body)).toMatchObject(allow);
      }
      const stranger = { jwt: { token: await fresh(["others"]), keySetId } };
      expect((await daemon.check(request(stranger))).json()).toMatchObject(deny);
      expect((await daemon.check(request(stranger))).json()).toMatchObject(deny);
    }
  });

  it("leave nothing behind for the next request", async () => {
    const auxData = { jwt: { token: await fresh(), keySetId: "local" } };
    expect((await daemon.check(request(auxData))).json()).toMatchObject(allow);
    expect((await daemon.check(request())).json()).toMatchObject(deny);
    expect((await daemon.check(request(auxData))).json()).toMatchObject(allow);
    expect((await daemon.check(request({}))).json()).toMatchObject(deny);
  });

  it("are refused with one message, and the reason is in the log without the token", async () => {
    const forged = await signToken(other, { groups: ["readers"] });
    const expired = await signToken(key, { exp: 1 });
    for (const jwt of [
      { token: forged, keySetId: "local" },
      { token: expired, keySetId: "local" },
      { token: expired, keySetId: "remote" },
      { token: await fresh() },
      { token: await fresh(), keySetId: "nobody" },
      { token: "garbage", keySetId: "local" },
    ]) {
      const reply = await daemon.check(request({ jwt }));
      expect(reply.status).toBe(400);
      expect(reply.json()).toEqual({ code: 3, message: "invalid auxData", details: [] });
    }
    const mixed = {
      good: { token: await fresh(), keySetId: "local" },
      bad: { token: forged, keySetId: "local" },
    };
    expect((await daemon.check(request({ jwts: mixed }))).status).toBe(400);
    await daemon.until(() => daemon.output().err.includes("tokens were refused"));
    for (const token of [forged, expired]) {
      expect(daemon.output().err).not.toContain(token.split(".")[1]);
    }
  });

  it("are decided when the body comes in pieces", async () => {
    const auxData = { jwt: { token: await fresh(), keySetId: "local" } };
    const body = { ...request(auxData), requestId: "x".repeat(1_000_000) };
    expect((await daemon.check(body)).json()).toMatchObject(allow);
  });

  it("do not hold up others, and are decided whole by the policies of the moment of decision", async () => {
    const allowing = await bundleOf([{ path: "doc.yaml", text: POLICY }]);
    const denying = await bundleOf([
      { path: "doc.yaml", text: POLICY.replace("EFFECT_ALLOW", "EFFECT_DENY") },
    ]);
    const bundle = join(directory.path, "policies.edict");
    const slowConfig = join(directory.path, "slow.json");
    /** False when the daemon has given up the fetch of the keys, after ten seconds, before all was done. */
    const isDecidedLate = async (): Promise<boolean> => {
      const keys = await startKeyServer(JSON.stringify({ keys: [key.jwk] }));
      keys.silent = true;
      const keySets = [{ id: "remote", remote: { url: keys.url, refreshInterval: "1h" } }];
      await writeFile(slowConfig, JSON.stringify({ auxData: { jwt: { keySets } } }));
      await writeFile(bundle, allowing);
      const slow = await Daemon.start("--config", slowConfig, "--bundle", bundle);
      try {
        // Its first fetch of the keys hangs, and every token of the set with it.
        const asked = slow.check(request({ jwt: { token: await fresh(), keySetId: "remote" } }));
        const gone = await send(slow.port, [request({ jwt: { token: await fresh(), keySetId: "remote" } })]);
        const patient = await send(slow.port, [
          request({ jwt: { token: await fresh(), keySetId: "remote" } }),
        ]);
        expect((await slow.check(request())).json()).toMatchObject(deny);
        expect((await slow.check(request())).json()).toMatchObject(deny);
        gone.destroy();
        // A request that follows on a connection whose first one is open is read once that one is answered.
        patient.write(raw(request()));
        const before = (await slow.check(request())).headers["edict-bundle"];
        await writeFile(bundle, denying);
        slow.process.kill("SIGHUP");
        await slow.until(async () => (await slow.check(request())).headers["edict-bundle"] !== before);
        keys.release();
        const reply = await asked;
        if (reply.status !== 200) {
          await slow.until(() => keys.abandoned > 0);
          patient.destroy();
          return false;
        }
        expect(reply.json()).toMatchObject(deny);
        expect(reply.headers["edict-bundle"]).not.toBe(before);
        expect((await slow.check(request())).status).toBe(200);
        expect(await answers(patient, 2)).toBe(2);
        return true;
      } finally {
        expect(await slow.stop()).toBe(0);
        await keys.close();
      }
    };
    for (let again = 0; again < 5; again++) if (await isDecidedLate()) return;
    throw new Error("the fetch of the keys was always given up before all was done");
  }, 240_000);

  it("may be pipelined once their tokens are remembered", async () => {
    const auxData = { jwt: { token: await fresh(), keySetId: "local" } };
    await daemon.check(request(auxData));
    const socket = await send(daemon.port, [request(auxData), request(), request(auxData)]);
    expect(await answers(socket, 3)).toBe(3);
  });

  it("lose the connection when more requests come in the same packet, and nothing else", async () => {
    const auxData = { jwt: { token: await fresh(), keySetId: "local" } };
    const socket = await send(daemon.port, [request(auxData), request()]);
    expect(await answers(socket, 2)).toBe(0);
    expect((await daemon.check(request(auxData))).json()).toMatchObject(allow);
  });

  it("are decided by `edict check` too", async () => {
    const file = join(directory.path, "request.json");
    const ask = async (jwt: object, ...flags: readonly string[]) => {
      await writeFile(file, JSON.stringify(request({ jwt })));
      return runEdict(["check", "--config", config, ...flags, file]);
    };
    const token = await fresh();
    for (const flags of [["--json"], ["--json", "--explain"]]) {
      const run = await ask({ token, keySetId: "local" }, ...flags);
      expect(run.err).toBe("");
      expect(run.out).toContain("EFFECT_ALLOW");
    }
    const refused = await ask({ token: await signToken(other, {}), keySetId: "local" });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("invalid auxData: signature verification failed");
  });

  it("need usable keys at the start", async () => {
    const file = join(directory.path, "broken.yaml");
    const text = await readFile(config, "utf8");
    await writeFile(file, text.replace("keys.json", "nothing.json"));
    const run = await runEdict(["serve", "--config", file]);
    expect(run.code).toBe(4);
    expect(run.err).toContain("key set `local` cannot be used");
  });
});

function raw(body: unknown): string {
  const text = JSON.stringify(body);
  return `POST /api/check/resources HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Opens a connection and sends requests in one write. */
async function send(port: number, bodies: readonly unknown[]): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  socket.on("error", () => undefined);
  await new Promise((resolve) => {
    socket.write(bodies.map(raw).join(""), resolve);
  });
  return socket;
}

/** How many answers come, `wanted` at most, until the connection is closed. */
async function answers(socket: Socket, wanted: number): Promise<number> {
  let text = "";
  socket.setEncoding("utf8");
  const count = (): number => text.split("HTTP/1.1 200").length - 1;
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (count() >= wanted) resolve();
    });
  });
  socket.destroy();
  return count();
}
