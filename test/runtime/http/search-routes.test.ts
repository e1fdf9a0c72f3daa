/** The search routes over HTTP: pages, refusals, headers, clients that go away. What is found is tested in test/runtime/search. */
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
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
    - actions: [read, print]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: R.attr.owner == P.id}}
    - actions: [burn]
      effect: EFFECT_ALLOW
      roles: [user]
`;

const folderPolicy = (version: string, action: string): string => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: folder
  version: ${version}
  rules: [{actions: [${action}], effect: EFFECT_ALLOW, roles: [user]}]
`;

const JSON_TYPE = { "content-type": "application/json" };
const MSGPACK = { "content-type": "application/msgpack" };
const RECORDS = 20_000;

const alice = { type: "user", id: "alice" };
const read = { name: "read" };
const mine = { subject: alice, action: read, resource: { type: "record" } };

interface Page {
  readonly page: { readonly next_token: string; readonly count: number };
  readonly results: readonly { readonly id?: string; readonly name?: string }[];
}

describe.skipIf(!IS_BUILT)("the search routes", () => {
  let daemon: Daemon;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const bundle = join(directory.path, "policies.edict");
    const entities = join(directory.path, "entities.ndjson");
    await writeFile(
      bundle,
      await compilePolicies({
        "record.yaml": POLICY,
        "folder.yaml": folderPolicy("default", "read"),
        "folder_v2.yaml": folderPolicy("v2", "write"),
      }),
    );
    const people = ["alice", "bob"].map((id) => ({ kind: "subject", type: "user", id, properties: {} }));
    const records = Array.from({ length: RECORDS }, (_, index) => ({
      kind: "resource",
      type: "record",
      id: `${index}`,
      properties: { owner: index % 2 === 0 ? "alice" : "bob" },
    }));
    const folders = [{}, { "cerbos.scope": 7 }, { "cerbos.policyVersion": "v2" }, {}].map(
      (properties, index) => ({ kind: "resource", type: "folder", id: `f${index}`, properties }),
    );
    await writeFile(
      entities,
      [...people, ...folders, ...records].map((one) => JSON.stringify(one)).join("\n"),
    );
    daemon = await Daemon.start("--bundle", bundle, "--directory", entities);
  }, 120_000);
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  const search = (
    searched: string,
    body: unknown,
    headers: Record<string, string> = JSON_TYPE,
  ): Promise<Reply> => {
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return daemon.request("POST", `/access/v1/search/${searched}`, headers, bytes);
  };

  it("find resources, subjects and actions, in both formats", async () => {
    const page = { limit: 3 };
    const resources = await search("resource", { ...mine, page });
    expect(resources.status).toBe(200);
    expect(resources.headers).toMatchObject({
      "content-type": "application/json",
      "edict-bundle": expect.stringMatching(/^[0-9a-f]{12}$/),
      "access-control-allow-origin": "*",
    });
    expect((resources.json() as Page).results.map(({ id }) => id)).toEqual(["0", "2", "4"]);
    const packed = await search("resource", pack({ ...mine, page }), MSGPACK);
    expect(packed.headers["content-type"]).toBe("application/msgpack");
    expect((unpack(packed.body) as Page).results.map(({ id }) => id)).toEqual(["0", "2", "4"]);

    const resource = { type: "record", id: "0" };
    const subjects = await search("subject", { subject: { type: "user" }, action: read, resource });
    expect((subjects.json() as Page).results).toEqual([alice]);
    const actions = await search("action", { subject: alice, resource });
    expect((actions.json() as Page).results.map(({ name }) => name)).toEqual(["burn", "print", "read"]);
  });

  it("lead from page to page through everything, once", async () => {
    const found: string[] = [];
    let token = "";
    do {
      const page = { limit: 1000, ...(token === "" ? {} : { token }) };
      const body = (await search("resource", { ...mine, page })).json() as Page;
      found.push(...body.results.map(({ id = "" }) => id));
      token = body.page.next_token;
    } while (token !== "");
    expect(found).toEqual(Array.from({ length: RECORDS / 2 }, (_, index) => `${index * 2}`));
  });

  // Such a candidate once passed its neighbour's policies on, and such a resource was answered with what stood in memory.
  it("permit nothing of what is stored by mistake, and decide the rest by itself", async () => {
    const found = await search("resource", { ...mine, resource: { type: "folder" } });
    expect((found.json() as Page).results.map(({ id }) => id)).toEqual(["f0", "f3"]);
    for (const [id, names] of [
      ["f0", ["read"]],
      ["f1", []],
      ["f2", ["write"]],
    ] as const) {
      const actions = await search("action", { subject: alice, resource: { type: "folder", id } });
      expect([id, (actions.json() as Page).results.map(({ name }) => name)]).toEqual([id, names]);
    }
  });

  it.each([
    ["resource", "{", 400],
    ["resource", "", 400],
    ["resource", "[]", 400],
    ["resource", { subject: alice, action: read }, 400],
    ["resource", { ...mine, subject: { type: "user" } }, 400],
    ["subject", { action: read, resource: { type: "record", id: "0" } }, 400],
    ["action", { subject: alice, resource: { type: "record" } }, 400],
    ["resource", { ...mine, page: { limit: -1 } }, 400],
    ["resource", { ...mine, page: { token: "nonsense" } }, 400],
    ["resource", { ...mine, page: 3 }, 400],
    ["resource", { ...mine, context: { "cerbos.auxData": { jwt: { token: "a.b.c" } } } }, 400],
    ["resource", "x".repeat(6_000_000), 413],
    ["nothing", mine, 404],
  ])("answers a %s search %.60j with %i, with the request's id", async (searched, body, status) => {
    const reply = await search(searched, body, { ...JSON_TYPE, "x-request-id": "7" });
    expect([reply.status, reply.headers["x-request-id"]]).toEqual([status, "7"]);
    expect(reply.json()).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
  });

  it("take no other methods and media types", async () => {
    expect((await daemon.request("GET", "/access/v1/search/resource")).status).toBe(405);
    expect((await search("resource", mine, { "content-type": "text/plain" })).status).toBe(400);
  });

  it("decide other requests meanwhile, survive clients that go away, and give up what nobody waits for", async () => {
    const body = JSON.stringify({ ...mine, subject: { type: "user", id: "nobody", properties: {} } });
    const head = `POST /access/v1/search/resource HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (let count = 0; count < 20; count++) {
      const socket = connect(daemon.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(count % 2 === 0 ? head + body : head + body.slice(0, 10));
      await sleep(2);
      socket.destroy();
    }
    const evaluation = { subject: alice, action: { name: "burn" }, resource: { type: "record", id: "1" } };
    const [page, decision] = await Promise.all([
      search("resource", mine),
      daemon.request("POST", "/access/v1/evaluation", JSON_TYPE, JSON.stringify(evaluation)),
    ]);
    expect(page.status).toBe(200);
    expect(decision.json()).toEqual({ decision: true });
    expect(await daemon.json("/healthz")).toMatchObject({ traps: 0 });
  });
});
