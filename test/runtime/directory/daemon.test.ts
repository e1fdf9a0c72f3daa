/** The directory of a running daemon: its files and flags, the admin routes and commands, all threads, restarts and crashes. */
import { request } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { sendAdmin } from "../../../runtime/admin/admin-client.ts";
import { AdminDaemon } from "../admin/support.ts";
import { compilePolicies } from "../support/bundles.ts";
import { IS_BUILT, type Reply, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { type EntityText, ndjson } from "./support.ts";

const POLICIES = {
  "record.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: record
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: { match: { expr: R.attr.owner == P.attr.team } }
`,
};

const record = (id: string, owner: string): EntityText => ({
  kind: "resource",
  type: "record",
  id,
  properties: { owner },
});

const alice: EntityText = { kind: "subject", type: "user", id: "alice", properties: { team: "red" } };

interface Page {
  readonly page: { readonly next_token: string };
  readonly results: readonly { readonly id: string }[];
}

/** A page of the records that alice may view, asked of several connections and so of all threads, which have to agree. */
async function search(daemon: AdminDaemon, page: object): Promise<Reply> {
  const body = JSON.stringify({
    subject: { type: "user", id: "alice" },
    action: { name: "view" },
    resource: { type: "record" },
    page,
  });
  const headers = { "content-type": "application/json" };
  const [first, ...others] = await Promise.all(
    Array.from({ length: 8 }, () =>
      daemon.daemon.request("POST", "/access/v1/search/resource", headers, body),
    ),
  );
  if (first === undefined) throw new Error("nobody answered");
  for (const { body: other } of others) expect(other.toString()).toBe(first.body.toString());
  return first;
}

/** Whether alice may view a record, asked by identifiers only, of several connections and so of all threads. */
async function views(daemon: AdminDaemon, id: string): Promise<boolean> {
  const body = JSON.stringify({
    subject: { type: "user", id: "alice" },
    action: { name: "view" },
    resource: { type: "record", id },
  });
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const reply = await daemon.daemon.request(
        "POST",
        "/access/v1/evaluation",
        { "content-type": "application/json" },
        body,
      );
      expect(reply.status).toBe(200);
      return (reply.json() as { readonly decision: boolean }).decision;
    }),
  );
  expect(new Set(answers).size).toBe(1);
  return answers[0] ?? false;
}

function send(daemon: AdminDaemon, method: string, body: string | Uint8Array): ReturnType<typeof sendAdmin> {
  const address = { kind: "unix", path: join(daemon.home, "admin.sock") } as const;
  return sendAdmin({ address, tokenFile: null }, method, "/v1/directory/entities", body);
}

describe.skipIf(!IS_BUILT)("the directory of a daemon", () => {
  let bundle: Uint8Array;
  let running: AdminDaemon | null = null;

  beforeAll(async () => {
    bundle = await compilePolicies(POLICIES);
  }, 120_000);

  afterEach(async () => {
    await running?.stop();
    running = null;
  });

  async function start(...flags: string[]): Promise<AdminDaemon> {
    running = await AdminDaemon.start(bundle, () => flags);
    return running;
  }

  it("is what all threads decide by, from the answer to a change on", async () => {
    const daemon = await start("--threads", "2");
    expect(await views(daemon, "1")).toBe(false);
    expect(await send(daemon, "PUT", ndjson([alice, record("1", "red"), record("2", "blue")]))).toEqual({
      ok: true,
      value: { revision: 2, changed: 3, entities: 3 },
    });
    expect(await views(daemon, "1")).toBe(true);
    expect(await views(daemon, "2")).toBe(false);
    await send(daemon, "PUT", JSON.stringify([record("2", "red")]));
    expect(await views(daemon, "2")).toBe(true);
    await send(daemon, "DELETE", ndjson([record("1", "ignored")]));
    expect(await views(daemon, "1")).toBe(false);
    const status = await daemon.ask("/v1/directory");
    expect(status).toMatchObject({
      ok: true,
      value: {
        entities: 2,
        revision: 4,
        isKept: false,
        types: [
          { kind: "subject", type: "user", entities: 1 },
          { kind: "resource", type: "record", entities: 1 },
        ],
      },
    });
  });

  it("is searched page by page on any thread, until another process serves", async () => {
    const flags = ["--threads", "3"];
    const daemon = await start(...flags);
    const all = Array.from({ length: 40 }, (_, index) =>
      record(`r${index}`, index % 2 === 0 ? "red" : "blue"),
    );
    await send(daemon, "PUT", ndjson([alice, ...all]));
    const ids: string[] = [];
    let token = "";
    do {
      const reply = await search(daemon, token === "" ? { limit: 1 } : { token });
      const { page, results } = reply.json() as Page;
      ids.push(...results.map(({ id }) => id));
      token = page.next_token;
    } while (token !== "");
    expect(ids).toEqual(all.filter((_, index) => index % 2 === 0).map(({ id }) => id));
    const first = (await search(daemon, { limit: 1 })).json() as Page;
    running = await daemon.restart(() => flags);
    await send(running, "PUT", ndjson([alice, ...all]));
    const refused = await search(running, { token: first.page.next_token });
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ message: expect.stringMatching(/start again/) as string });
    const metrics = await running.metrics();
    expect(metrics.get('edict_directory_entities{kind="resource"}')).toBe(40);
    expect(metrics.get('edict_directory_entities{kind="subject"}')).toBe(1);
    expect(metrics.get("edict_directory_revision")).toBe(2);
  });

  it("outlives a new version of the policies", async () => {
    const daemon = await start("--threads", "2");
    await send(daemon, "PUT", ndjson([alice, record("1", "red")]));
    const before = (await daemon.status()).version.digest;
    await daemon.put(
      await compilePolicies({
        "record.yaml": POLICIES["record.yaml"].replace("==", "!="),
      }),
    );
    await daemon.daemon.until(async () => (await daemon.status()).version.digest !== before);
    expect(await views(daemon, "1")).toBe(false);
    await send(daemon, "PUT", ndjson([record("1", "blue")]));
    expect(await views(daemon, "1")).toBe(true);
  });

  it("takes all of a request or nothing, and says where it is wrong", async () => {
    const daemon = await start();
    const refusals: (readonly [string, string, number, string, string])[] = [
      [
        "PUT",
        `${ndjson([alice])}{"kind":"user"}`,
        400,
        "EDICT_DIRECTORY_INVALID",
        "body:2:1: `kind` must be",
      ],
      ["DELETE", "[", 400, "EDICT_DIRECTORY_INVALID", "body:1:2: the array does not end"],
      [
        "PUT",
        " ".repeat(33 * 1024 * 1024),
        413,
        "EDICT_DIRECTORY_TOO_LARGE",
        "the body is over 33554432 bytes",
      ],
    ];
    for (const [method, body, status, code, message] of refusals) {
      const answer = await send(daemon, method, body);
      if (answer.ok) throw new Error("it was taken");
      expect([answer.status, answer.refusal.code]).toEqual([status, code]);
      expect(answer.refusal.message).toContain(message);
    }
    expect(await daemon.ask("/v1/directory")).toMatchObject({ value: { entities: 0, revision: 1 } });
    expect(await send(daemon, "PUT", "")).toMatchObject({ value: { changed: 0 } });
    expect(await send(daemon, "POST", "")).toMatchObject({ ok: false, status: 405 });
  });

  it("forgets a request whose client goes away", async () => {
    const daemon = await start();
    const call = request({
      socketPath: join(daemon.home, "admin.sock"),
      path: "/v1/directory/entities",
      method: "PUT",
      headers: { "content-length": "100000" },
    });
    call.on("error", () => undefined);
    call.write(ndjson([alice, record("1", "red")]));
    await sleep(100);
    call.destroy();
    await send(daemon, "PUT", ndjson([record("2", "red")]));
    expect(await daemon.ask("/v1/directory")).toMatchObject({ value: { entities: 1 } });
  });

  it("is loaded from files, and again when somebody asks", async () => {
    const scratch = await temporaryDirectory();
    const file = join(scratch.path, "entities.json");
    await writeFile(file, JSON.stringify([alice, record("1", "red")]));
    const daemon = await start("--directory", file, "--threads", "2");
    expect(await views(daemon, "1")).toBe(true);
    await writeFile(file, ndjson([alice, record("1", "blue"), record("2", "red")]));
    expect(await views(daemon, "1")).toBe(true);
    const reload = await daemon.run("directory", "reload");
    expect(reload.out).toBe("loaded 3 entities from files; the directory has 3, revision 2\n");
    expect(await views(daemon, "1")).toBe(false);
    expect(await views(daemon, "2")).toBe(true);
    await writeFile(file, "[{x}]");
    const refused = await daemon.run("directory", "reload");
    expect([refused.code, refused.err]).toEqual([
      1,
      `edict: ${file}:1:3: an entity is not JSON (EDICT_DIRECTORY_INVALID)\n`,
    ]);
    expect(await views(daemon, "2")).toBe(true);
    await scratch.remove();
  });

  it("keeps a daemon from starting when a file is wrong", async () => {
    const scratch = await temporaryDirectory();
    const file = join(scratch.path, "entities.ndjson");
    await writeFile(file, `${ndjson([alice])}{"kind":"subject","type":"user","id":""}\n`);
    await writeFile(join(scratch.path, "policies.edict"), bundle);
    const run = await runEdict([
      "serve",
      "--bundle",
      join(scratch.path, "policies.edict"),
      "--http",
      "127.0.0.1:0",
      "--directory",
      scratch.path,
    ]);
    expect([run.code, run.err]).toEqual([4, `edict: ${file}:2:1: \`id\` must be text of 1 to 4096 bytes\n`]);
    await scratch.remove();
  });

  it("is shown and changed by commands", async () => {
    const daemon = await start();
    const file = join(daemon.home, "people.json");
    await writeFile(file, JSON.stringify([alice, record("1", "red"), record("2", "red")], null, 2));
    const pushed = await daemon.run("directory", "push", file);
    expect([pushed.code, pushed.out]).toEqual([0, "pushed 3 entities; the directory has 3, revision 2\n"]);
    expect(await views(daemon, "2")).toBe(true);
    const removed = await runEdict(
      ["directory", "remove", "-", "--admin", daemon.admin, "--json"],
      ndjson([record("2", "x")]),
    );
    expect(JSON.parse(removed.out)).toEqual({ changed: 1, entities: 2, revision: 3 });
    const status = await daemon.run("directory", "status");
    expect(status.out).toMatch(
      /^entities {2}2\nbytes {5}\d+\nrevision {2}3\npushed {4}are lost at a restart/,
    );
    expect(status.out).toContain("resource  record: 1\n");
    const wrong = await runEdict(
      ["directory", "push", "-", "--admin", daemon.admin],
      `${ndjson([alice])}nonsense`,
    );
    expect([wrong.code, wrong.err]).toEqual([4, "edict: -:2:1: an entity is not JSON\n"]);
    expect((await daemon.run("directory", "pull")).code).toBe(2);
    expect((await daemon.run("directory", "push")).code).toBe(2);
  });

  it("loses no acknowledged entity to kill -9, and takes no half of a request", async () => {
    const daemon = await start();
    const state = ["--state-dir", join(daemon.home, "state")];
    running = await daemon.restart(() => state);
    let acknowledged = 0;
    for (const life of [30, 150, 400]) {
      const { daemon: alive } = running;
      // However slow the machine is, something is acknowledged in the last life.
      const isTooEarly = (): boolean => life === 400 && acknowledged === 0;
      const kill = async (): Promise<void> => {
        await sleep(life);
        while (isTooEarly()) await sleep(5);
        alive.process.kill("SIGKILL");
      };
      const killed = kill();
      for (;;) {
        const next = acknowledged + 1;
        const both = [record(`a${next}`, "red"), record(`b${next}`, "red")];
        const answer = await send(running, "PUT", ndjson(both)).catch(() => null);
        if (answer === null) break;
        expect(answer.ok).toBe(true);
        acknowledged = next;
      }
      await killed;
      running = await running.restart(() => state);
      const found = await running.ask("/v1/directory");
      const { entities } = (found as { readonly value: { readonly entities: number } }).value;
      // The last request may have been kept without anybody having been told.
      expect([2 * acknowledged, 2 * acknowledged + 2]).toContain(entities);
      acknowledged = entities / 2;
    }
    expect(acknowledged).toBeGreaterThan(0);
    await send(running, "PUT", ndjson([alice]));
    expect(await views(running, `b${acknowledged}`)).toBe(true);
  }, 180_000);
});
